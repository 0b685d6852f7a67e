"""Documents that do not change while a process runs: discovery and the version. They are encoded once."""

from collections.abc import Sequence

import msgspec

from app.api import discovery
from app.api.exchange import Exchange
from app.api.health import version_document
from app.api.negotiation import negotiate
from app.api.paths import READ_METHODS
from app.api.rendering import Renderer
from app.domain.declarations.catalog import Kinds
from app.domain.errors import MethodNotAllowed

_VARY = ((b"vary", b"accept"),)
_AGGREGATED = "APIGroupDiscoveryList"
_AGGREGATED_VERSIONS = ("v2", "v2beta1")
_OTHERS = (
    "/docs",
    "/healthz",
    "/livez",
    "/metrics",
    "/openapi.json",
    "/openapi/v2",
    "/openapi/v3",
    "/readyz",
    "/redoc",
)
"""What is served besides these documents and the resources."""


class Documents:
    """Answers with documents.

    Args:
        kinds: The kinds that are served.
        version: The version of this project.
        renderer: Writes answers.
        more_paths: Further paths that are served, which the root lists, too.
    """

    def __init__(self, kinds: Kinds, version: str, renderer: Renderer, more_paths: Sequence[str] = ()) -> None:
        self._renderer = renderer
        plain = _plain(kinds, version, more_paths)
        self._plain = {path: msgspec.json.encode(document) for path, document in plain.items()}
        self._aggregated = {
            (path, each): (
                msgspec.json.encode(document),
                b"application/json;g=apidiscovery.k8s.io;v=%b;as=APIGroupDiscoveryList" % each.encode(),
            )
            for each in _AGGREGATED_VERSIONS
            for path, document in _aggregated(kinds, each).items()
        }

    def has(self, path: str) -> bool:
        """Whether a path is a document's."""
        return path in self._plain

    async def answer(self, exchange: Exchange) -> None:
        """Answer with a document.

        Raises:
            ApiError: The method or the media type cannot be served.
        """
        if exchange.method not in READ_METHODS:
            raise MethodNotAllowed("the server does not allow this method on the requested resource; it allows GET")
        exchange.extra = _VARY
        accept = exchange.headers.get(b"accept", b"")
        found = self._aggregation(exchange.path, accept)
        if found is not None:
            await exchange.reply(200, found[0], (b"content-type", found[1]))
        else:
            exchange.form = negotiate(accept)
            await self._renderer.document(exchange, self._plain[exchange.path])

    def _aggregation(self, path: str, accept: bytes) -> tuple[bytes, bytes] | None:
        """The aggregated discovery of a path and its media type (KEP-3352), if the client asks for it."""
        for clause in accept.decode("latin-1").replace(" ", "").split(","):
            _, *parameters = clause.split(";")
            wanted = dict(parameter.partition("=")[::2] for parameter in parameters)
            if wanted.get("as") == _AGGREGATED and wanted.get("g") == "apidiscovery.k8s.io":
                found = self._aggregated.get((path, wanted.get("v", "")))
                if found is not None:
                    return found
        return None


def _plain(kinds: Kinds, version: str, more_paths: Sequence[str]) -> dict[str, discovery.Document]:
    documents: dict[str, discovery.Document] = {
        "/version": version_document(version),
        "/api": discovery.core_versions(),
    }
    groups: list[discovery.Document] = []
    for group in kinds.groups():
        if group.name:
            described = discovery.group(group.name, group.versions)
            groups.append(described)
            documents[f"/apis/{group.name}"] = {"kind": "APIGroup", "apiVersion": "v1", **described}
        for each in group.versions:
            path, group_version = (
                (f"/apis/{group.name}/{each}", f"{group.name}/{each}") if group.name else ("/api/v1", "v1")
            )
            listed = [resource for kind in kinds.of(group.name, each) for resource in discovery.resources(kind)]
            documents[path] = discovery.resource_list(group_version, listed)
    documents["/apis"] = discovery.group_list(groups)
    # The path of the root is empty without its slash. It lists all other paths.
    documents[""] = {"paths": sorted([*documents, *_OTHERS, *more_paths])}
    return documents


def _aggregated(kinds: Kinds, version: str) -> dict[str, discovery.Document]:
    groups = [(group.name, discovery.aggregated_group(kinds, group.name, group.versions)) for group in kinds.groups()]
    return {
        "/api": discovery.aggregated(version, [document for name, document in groups if not name]),
        "/apis": discovery.aggregated(version, [document for name, document in groups if name]),
    }
