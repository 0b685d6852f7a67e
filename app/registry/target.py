"""What a request is about: one value from the path to the store."""

from dataclasses import dataclass, replace
from typing import Any

from app.domain.declarations.kind import Kind


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
