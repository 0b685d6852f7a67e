"""What a request is about: one value from the path to the store."""

from dataclasses import dataclass, replace
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.declarations.namespace import NAMESPACE
from app.domain.rules.access.requests import ResourceRequest


@dataclass(frozen=True, slots=True)
class Target:
    """An object, one of its subresources, or a collection.

    Attributes:
        kind: The kind.
        namespace: The namespace; "" for a cluster-scoped kind, None for all namespaces.
        name: The name of the object, "" for a collection and for an object that has no name yet.
        subresource: `status`, another one that the kind declares, or "" for the object itself.
    """

    kind: Kind[Any]
    namespace: str | None = ""
    name: str = ""
    subresource: str = ""

    @property
    def scope(self) -> str:
        """The namespace of one object, "" for a cluster-scoped kind."""
        return self.namespace or ""

    def named(self, name: str) -> "Target":
        """An object of the same collection."""
        return replace(self, name=name)

    def request(self, verb: str, name: str = "") -> ResourceRequest:
        """A verb on it, as authorization sees it; `name` stands for its own where it has none.

        A namespace is in itself, so that its own admin may read it.
        """
        kind = self.kind
        namespace = self.name if kind is NAMESPACE else self.scope
        return ResourceRequest(verb, kind.group, kind.plural, self.subresource, namespace, self.name or name)
