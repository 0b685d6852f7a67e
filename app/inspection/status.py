"""What the API tells of a whole cluster: who works, what takes traffic, what is free, and what waits.

It asks with the rights of one user. What the user may not see is named, and the rest is shown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx

from app.domain.errors import FairleadError

Document = dict[str, Any]

_OWN = "/apis/fairlead.io/v1"
_PAGE = 500
_PENDING_SHOWN = 100
"""Services that wait beyond this number are only counted."""


class NoAnswerError(FairleadError):
    """The API cannot be reached, or does not let the user in."""


def status_of(api: httpx.Client) -> Document:
    """How the cluster stands, as one document; `unseen` names what the user may not see, with the API's words.

    Raises:
        NoAnswerError: The API cannot be reached.
    """
    asking = _Asking(api)
    try:
        version = asking.one("/version").get("gitVersion", "")
        health = asking.text("/readyz", "verbose")
        leases = asking.one("/leases").get("items", [])
        document = {
            "server": str(api.base_url),
            "version": version,
            "ready": "readyz check passed" in health,
            "checks": [line for line in health.splitlines() if line.startswith("[")],
            "processes": _processes(leases),
            "leases": leases,
            "dataPlanes": [_data_plane(each) for each in asking.all(f"{_OWN}/dataplanes")],
            "zones": [_zone(each) for each in asking.all(f"{_OWN}/dnszones")],
            "pools": [_pool(each) for each in asking.all(f"{_OWN}/addresspools")],
            **_services(asking.all("/api/v1/services")),
        }
    except httpx.TransportError as error:
        raise NoAnswerError(
            f"{api.base_url} does not answer: {error}; `fairlead doctor` looks for the cause"
        ) from error
    return document | {"unseen": asking.refused}


class _Asking:
    """Asks, and notes what was refused."""

    def __init__(self, api: httpx.Client) -> None:
        self._api = api
        self.refused: list[str] = []

    def one(self, path: str, **query: str) -> Document:
        """A document; nothing if it was refused."""
        reply = self._api.get(path, params=query)
        found = reply.json() if reply.headers.get("content-type", "").startswith("application/json") else {}
        if reply.is_success and isinstance(found, dict):
            return found
        self.refused.append(f"{path}: {found.get('message') or reply.status_code}")
        return {}

    def all(self, path: str) -> Iterator[Document]:
        """The objects of a collection, page by page; none if it was refused."""
        query = {"limit": str(_PAGE)}
        while page := self.one(path, **query):
            yield from page.get("items", [])
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return
            query["continue"] = following

    def text(self, path: str, query: str) -> str:
        """A text; one that is refused is asked for again without its details."""
        reply = self._api.get(f"{path}?{query}")
        if reply.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            self.refused.append(f"{path}: {reply.json().get('message')}")
        return reply.text


def _processes(leases: Sequence[Mapping[str, Any]]) -> list[Document]:
    """Each process that holds a lease, by its machine and its number there, with what it works on."""
    found: dict[str, list[str]] = {}
    for lease in leases:
        # A process holds leases under several names, which differ in their last part.
        found.setdefault(lease["holder"].rpartition("/")[0], []).append(lease["name"])
    return [{"process": process, "leases": names} for process, names in sorted(found.items())]


def _data_plane(plane: Document) -> Document:
    status = plane.get("status") or {}
    return {
        "name": plane["metadata"]["name"],
        "type": (plane.get("spec") or {}).get("type", ""),
        "version": status.get("version", ""),
        "services": status.get("services", 0),
        "rejected": status.get("rejectedCount", 0),
        **_conditions(status),
    }


def _zone(zone: Document) -> Document:
    status = zone.get("status") or {}
    return {
        "name": zone["spec"]["name"],
        "kind": zone["spec"]["kind"],
        "serial": status.get("serial", 0),
        "servers": [
            {key: each.get(key, "") for key in ("address", "serial", "state", "message")}
            for each in status.get("servers") or []
        ],
        **_conditions(status),
    }


def _pool(pool: Document) -> Document:
    status = pool.get("status") or {}
    return {
        "name": pool["metadata"]["name"],
        "scope": pool["spec"]["scope"],
        "families": status.get("families") or [],
        **_conditions(status),
    }


def _conditions(status: Mapping[str, Any]) -> Document:
    """Which conditions are true, and why others are not."""
    conditions = status.get("conditions") or []
    return {
        "conditions": {each["type"]: each["status"] for each in conditions},
        "why": [f"{each['type']}: {each['message']}" for each in conditions if each["status"] != "True"],
    }


def _services(services: Iterable[Document]) -> Document:
    """How many Services there are, and those of which something is not as it should be."""
    count, pending = 0, list[Document]()
    for service in services:
        count += 1
        why = _conditions(service.get("status") or {})["why"]
        if why:
            metadata = service["metadata"]
            pending.append({"namespace": metadata["namespace"], "name": metadata["name"], "why": why})
    return {"services": count, "pendingCount": len(pending), "pending": pending[:_PENDING_SHOWN]}
