"""Namespace (core/v1): the scope of names, and what happens when one is emptied."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Wire, patch_key
from app.domain.kinds.meta import Condition


class NamespaceSpec(Wire):
    """What must be done before a namespace being deleted may go.

    Attributes:
        finalizers: Who has something to do before it may go; changed through /finalize.
    """

    finalizers: Annotated[list[str], ATOMIC] | None = None


class NamespaceStatus(Wire):
    """Whether the namespace is in use or being emptied.

    Attributes:
        phase: Active, or Terminating while it is being emptied.
        conditions: What keeps it from being emptied.
    """

    phase: str = ""
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class Namespace(KubeObject):
    """A scope for names."""

    spec: NamespaceSpec = field(default_factory=NamespaceSpec)
    status: NamespaceStatus = field(default_factory=NamespaceStatus)
