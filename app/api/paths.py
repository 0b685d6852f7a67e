"""Reads resource paths: which kind, object and subresource one names. More kinds do not make it slower."""

from typing import Any

from app.domain.declarations.catalog import Kinds
from app.domain.declarations.kind import Kind
from app.domain.errors import NotFound
from app.registry.target import Target

_NAMESPACES = "namespaces"
_STATUS_VERBS = ("get", "patch", "update")

READ_METHODS = ["GET", "HEAD"]
"""For paths that are no resources: documents, health, metrics. Resources have no HEAD, as in Kubernetes."""


def subresource_verbs(kind: Kind[Any]) -> dict[str, tuple[str, ...]]:
    """The subresources of a kind, and the verbs of each."""
    status = {"status": _STATUS_VERBS} if kind.has_status else {}
    return status | {each.name: each.verbs for each in kind.subresources}


class ResourcePaths:
    """Reads resource paths."""

    def __init__(self, kinds: Kinds) -> None:
        self._by_path = kinds.by_path
        self._subresources = {kind.key: subresource_verbs(kind) for kind in kinds}
        self._of_namespaces = frozenset(self._subresources.get(_NAMESPACES, ()))

    def resolve(self, path: str) -> tuple[Target, bool]:
        """Read a path below `/api/` or `/apis/`.

        Returns:
            What it names, and whether it is one of the old `/watch/` paths, which stream whatever the query says.

        Raises:
            NotFound: It names nothing that is served.
        """
        _, root, *parts = path.split("/")
        group = parts.pop(0) if root == "apis" and parts else ""
        if len(parts) < 2 or "" in parts or (root == "apis") is not bool(group):  # noqa: PLR2004 - version, resource
            raise unknown_path()
        version, *rest = parts
        watch = rest[0] == "watch" and len(rest) > 1
        return self._target(group, version, rest[1:] if watch else rest, watch=watch), watch

    def verbs(self, target: Target) -> tuple[str, ...]:
        """The verbs of the target's kind or subresource."""
        if target.subresource:
            return self._subresources[target.kind.key][target.subresource]
        return target.kind.verbs

    def _target(self, group: str, version: str, rest: list[str], *, watch: bool) -> Target:
        namespace: str | None = None
        if rest[0] == _NAMESPACES and len(rest) > 2 and rest[2] not in self._of_namespaces:  # noqa: PLR2004 - name, resource
            namespace, rest = rest[1], rest[2:]
        kind = self._by_path(group, version, rest[0])
        if kind is None or len(rest) > 3 or (namespace is not None and not kind.namespaced):  # noqa: PLR2004 - with a subresource
            raise unknown_path()
        name, subresource = (*rest[1:], "", "")[:2]
        if name and kind.namespaced and namespace is None:
            raise unknown_path()
        if subresource and (subresource not in self._subresources[kind.key] or watch):
            raise unknown_path()
        return Target(kind, namespace if kind.namespaced else "", name, subresource)


def unknown_path() -> NotFound:
    """The error for a path that names nothing that is served."""
    return NotFound("the server could not find the requested resource")
