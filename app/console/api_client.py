"""What the console asks of the API: documents, Tables, changes and writes, with the token of one user."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from app.telemetry import tracing

Document = dict[str, Any]

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_SECONDS = 30.0
_OWN_GROUPS = ("", "fairlead.io")
"""Groups whose resources are named in URLs of the console by their plural alone."""


SELF_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
SELF_REVIEW: Document = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
"""What asks the API who somebody is."""

_STREAM_SECONDS = 90.0
"""Silence of a watch after which it counts as lost: more than the longest that a page opens."""

_STRANGER = 'User "system:anonymous" cannot'
"""Kubernetes' words for somebody without a credential."""


class Refused(Exception):  # noqa: N818 - the server's answer, which a page shows
    """The API answered with an error.

    Attributes:
        code: The HTTP status.
        message: What is wrong, for the user.
        causes: Field and message of each wrong field.
    """

    def __init__(self, code: int, status: Document) -> None:
        self.code = code
        self.message = str(status.get("message") or HTTPStatus(code).phrase)
        found = (status.get("details") or {}).get("causes") or []
        self.causes = [(cause.get("field", ""), cause.get("message", "")) for cause in found]
        super().__init__(self.message)

    @property
    def refuses_strangers(self) -> bool:
        """Whether the API refused because it does not know who asks, so that logging in may help."""
        return self.code == HTTPStatus.FORBIDDEN and _STRANGER in self.message


@dataclass(frozen=True)
class Resource:
    """A kind that the API serves.

    Attributes:
        group: API group, "" for the core group.
        version: Version of the group.
        plural: Name in URLs of the API.
        kind: Name in documents.
        namespaced: Whether its objects are in namespaces.
        verbs: What the API serves for it.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    verbs: frozenset[str]

    @property
    def key(self) -> str:
        """Its name in URLs of the console."""
        return self.plural if self.group in _OWN_GROUPS else f"{self.plural}.{self.group}"

    @property
    def api_version(self) -> str:
        """Group and version, as documents have them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def identity(self) -> Document:
        """Group, version and kind, as OpenAPI documents have them."""
        return {"group": self.group, "version": self.version, "kind": self.kind}

    @property
    def root(self) -> str:
        """The path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of its collection, or of one object."""
        place = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        parts = [self.root + place, self.plural, quote(name, safe=""), subresource]
        return "/".join(part for part in parts if part)


@dataclass(frozen=True)
class Written:
    """An object as the API has stored it, or would store it.

    Attributes:
        document: The object.
        warnings: What the API warns of.
        preview: Of a dry run: what would become of the objects that are computed from this one.
    """

    document: Document
    warnings: list[str]
    preview: list[str]


class ApiClient:
    """The API, with the rights of one user.

    Args:
        http: Sends the requests.
        token: The bearer token of the user, "" where the server asks for none.
        client: Address and port of the user's browser, None if unknown.
    """

    def __init__(self, http: httpx.AsyncClient, token: str = "", client: tuple[str, int] | None = None) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._extensions = {"client": client}

    async def get(self, path: str, accept: str = "application/json", **query: str) -> Document:
        """One document.

        Raises:
            Refused: The API answered with an error.
            httpx.TransportError: The API cannot be reached.
        """
        return (await self._send("GET", path, query, {"Accept": accept})).document

    async def get_text(self, path: str, **query: str) -> str:
        """A text, such as that of `/readyz`, whatever the status."""
        headers = {**self._headers, **tracing.headers()}
        response = await self._http.get(path, params=query, headers=headers, extensions=self._extensions)
        return response.text

    async def table(self, path: str, **query: str) -> Document:
        """A collection as a Table (see Kubernetes, "Receiving resources as Tables").

        Raises:
            Refused: The API answered with an error.
            httpx.TransportError: The API cannot be reached.
        """
        return await self.get(path, _TABLE, **query)

    async def write(
        self, method: str, path: str, document: Document | None = None, *, dry_run: bool = False
    ) -> Written:
        """Create, replace or delete an object; with `dry_run` only tell what would be stored.

        Raises:
            Refused: The API answered with an error.
            httpx.TransportError: The API cannot be reached.
        """
        query = {"dryRun": "All"} if dry_run else {}
        if document is not None:
            query |= {"fieldValidation": "Strict", "fieldManager": "console"}
        body = None if document is None else msgspec.json.encode(document)
        return await self._send(method, path, query, {"Content-Type": "application/json"}, body)

    async def resources(self) -> dict[str, Resource]:
        """All kinds that the API serves, by their names in URLs of the console.

        Raises:
            Refused: The API answered with an error.
            httpx.TransportError: The API cannot be reached.
        """
        found = [resource for root in ("/api", "/apis") for resource in _resources(await self.get(root, _AGGREGATED))]
        return {resource.key: resource for resource in found}

    async def changes(self, path: str, **query: str) -> AsyncGenerator[bytes]:
        """The lines of a watch: one change each.

        Raises:
            Refused: The API answered with an error.
            httpx.TransportError: The API cannot be reached, or the connection was lost.
        """
        query |= {"watch": "1"}
        stream = self._http.stream(
            "GET",
            path,
            params=query,
            headers=self._headers,
            timeout=httpx.Timeout(_SECONDS, read=_STREAM_SECONDS),
            extensions=self._extensions,
        )
        async with stream as response:
            if response.status_code != HTTPStatus.OK:
                raise _refused(response.status_code, await response.aread())
            async for chunk in response.aiter_bytes():
                yield chunk

    async def _send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | None = None
    ) -> Written:
        response = await self._http.request(
            method,
            path,
            params=query,
            headers={**headers, **self._headers, **tracing.headers()},
            content=body,
            timeout=_SECONDS,
            extensions=self._extensions,
        )
        if response.is_error:
            raise _refused(response.status_code, response.content)
        warnings = [_warning(value) for value in response.headers.get_list("warning")]
        preview = response.headers.get_list("fairlead-preview")
        return Written(msgspec.json.decode(response.content, type=Document), warnings, preview)


def _refused(code: int, content: bytes) -> Refused:
    try:
        return Refused(code, msgspec.json.decode(content, type=Document))
    except msgspec.MsgspecError:
        return Refused(code, {"message": content.decode("utf-8", "replace")[:500]})


def _warning(value: str) -> str:
    """The text of a Warning header: `299 - "text"` (RFC 7234, 5.5)."""
    _, _, text = value.partition('"')
    return text.removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")


def _resources(discovery: Document) -> list[Resource]:
    """The resources in an aggregated discovery document (KEP-3352), without subresources."""
    return [
        Resource(
            group=(group.get("metadata") or {}).get("name", ""),
            version=version["version"],
            plural=resource["resource"],
            kind=resource["responseKind"]["kind"],
            namespaced=resource["scope"] == "Namespaced",
            verbs=frozenset(resource["verbs"]),
        )
        for group in discovery.get("items", [])
        for version in group["versions"]
        for resource in version.get("resources", [])
    ]
