"""The Pod of one program, and the Lease that keeps it believed (docs/registrations.md)."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx
import structlog

from app.domain.errors import FairleadError

_MERGE = {"content-type": "application/merge-patch+json"}
_SUFFIX_BYTES = 3

_log = structlog.stdlib.get_logger(__name__)


class RefusedError(FairleadError):
    """The API refuses the registration; the message is the API's."""


@dataclass(frozen=True)
class Program:
    """What is registered.

    Attributes:
        name: The name of its Pods begins with it.
        namespace: Of the Pod.
        labels: Of the Pod; Services select it by them.
        address: Where it takes traffic.
        ports: Name, or "", and number of each port.
        node: The Node that it runs on, or "".
        lease_seconds: How long the registration is believed without a renewal.
    """

    name: str
    namespace: str
    labels: Mapping[str, str]
    address: str
    ports: Sequence[tuple[str, int]]
    node: str
    lease_seconds: int


class Registration:
    """The registration of one program. It is made again if somebody deletes it."""

    def __init__(self, client: httpx.Client, program: Program) -> None:
        self._client = client
        self._program = program
        self.name = f"{program.name}-{secrets.token_hex(_SUFFIX_BYTES)}"
        self._pods = f"/api/v1/namespaces/{program.namespace}/pods"
        self._leases = f"/apis/coordination.k8s.io/v1/namespaces/{program.namespace}/leases"
        self._told: bool | None = None

    def keep(self, *, well: bool) -> None:
        """Tell how the program is, and renew the lease; what the API does not answer is tried again the next time.

        Raises:
            RefusedError: The API refuses it.
        """
        try:
            if self._told is None:
                self._register()
            if self._told is not well:
                self._tell(well=well)
            if self._answer("PATCH", f"{self._leases}/{self.name}", {"spec": {"renewTime": _now()}}) is None:
                _log.warning("the registration was deleted; registering again", pod=self.name)
                self._told = None
        except httpx.TransportError as error:
            _log.warning("the API does not answer", error=str(error))

    def leave(self) -> None:
        """Delete the registration, so that it gets no more traffic. If the API does not answer, its lease expires."""
        try:
            self._answer("DELETE", f"{self._pods}/{self.name}", None)
        except (httpx.TransportError, RefusedError) as error:
            _log.warning("the registration stays until its lease expires", error=str(error))

    def _register(self) -> None:
        program = self._program
        ports = [{"containerPort": number} | ({"name": name} if name else {}) for name, number in program.ports]
        pod = {
            "metadata": {"name": self.name, "labels": dict(program.labels)},
            "spec": {"containers": [{"name": "main", "ports": ports}]}
            | ({"nodeName": program.node} if program.node else {}),
        }
        made = self._answer("POST", self._pods, pod) or self._answer("GET", f"{self._pods}/{self.name}", None)
        owner = {"apiVersion": "v1", "kind": "Pod", "name": self.name, "uid": (made or {})["metadata"]["uid"]}
        lease = {
            "metadata": {"name": self.name, "ownerReferences": [owner]},
            "spec": {"leaseDurationSeconds": program.lease_seconds, "renewTime": _now()},
        }
        self._answer("POST", self._leases, lease)

    def _tell(self, *, well: bool) -> None:
        ready = {"type": "Ready", "status": "True" if well else "False", "lastTransitionTime": _now()}
        status = {"phase": "Running", "podIP": self._program.address, "conditions": [ready]}
        if self._answer("PATCH", f"{self._pods}/{self.name}/status", {"status": status}) is not None:
            _log.info("registered" if well else "not well", pod=self.name, address=self._program.address)
            self._told = well

    def _answer(self, method: str, path: str, document: Any) -> Any:
        """The object in the answer; None when there is no such object, or already one of its name."""
        headers = _MERGE if method == "PATCH" else {}
        reply = self._client.request(method, path, json=document, headers=headers)
        if reply.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            return None
        if reply.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise httpx.TransportError(f"{reply.status_code} {reply.reason_phrase}")
        if reply.is_error:
            raise RefusedError(_message(reply))
        return reply.json()


def _message(reply: httpx.Response) -> str:
    try:
        return str(reply.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"{reply.status_code} {reply.reason_phrase}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
