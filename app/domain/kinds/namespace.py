"""Namespace (core/v1): a scope for the names of objects."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Wire, patch_key
from app.domain.kinds.meta import Condition


class NamespaceSpec(Wire):
    """What is left to do before a namespace that is being deleted is removed.

    Attributes:
        finalizers: Controllers that have something to do before; changed through /finalize.
    """

    finalizers: Annotated[list[str], ATOMIC] | None = None


class NamespaceStatus(Wire):
    """Whether the namespace is in use or being emptied.

    Attributes:
        phase: Active, or Terminating while it is being emptied.
        conditions: What keeps the namespace from being emptied.
    """

    phase: str = ""
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class Namespace(KubeObject):
    """A scope for names."""

    spec: NamespaceSpec = field(default_factory=NamespaceSpec)
    status: NamespaceStatus = field(default_factory=NamespaceStatus)
