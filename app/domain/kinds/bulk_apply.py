"""BulkApply: objects of which all or none are stored. Processes hand it to each other; clients cannot read it.

An API process prepares the objects and stores the BulkApply unpublished. The reconciler allocates addresses and ports
for the objects and stores them in one transaction, in which it also publishes the BulkApply with its result.
"""

from typing import Any, Literal

import msgspec
from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Wire

BULK_APPLY_KEY = "bulkapplies.fairlead.io"
"""The key of the kind in the store. No kind is declared for it, so clients cannot list or watch it."""

API_VERSION, KIND = "fairlead.io/v1", "BulkApply"


class BulkItem(Wire):
    """One object to be stored.

    Attributes:
        action: Whether the object is created, updated, or removed because its last finalizer is gone.
        kind: The key of the kind of the object.
        object: The object as it is to be stored, without what is still to be allocated.
        revision: The revision that the object was prepared from; None for a new object.
    """

    action: Literal["create", "update", "delete"] = "create"
    kind: str = ""
    object: msgspec.Raw = field(default_factory=msgspec.Raw)
    revision: int | None = None


class BulkRefusal(Wire):
    """Why no object was stored.

    Attributes:
        index: The index of the item at fault.
        outcome: The outcome of the write of the item, as the store encodes it; None if a pool is exhausted.
        shortages: What the pools lack, in words for people.
    """

    index: int = 0
    outcome: dict[str, Any] | None = None
    shortages: list[str] | None = None


class BulkStatus(Wire):
    """The result. Without a refusal, all objects are stored."""

    refusal: BulkRefusal | None = None


class BulkSpec(Wire):
    """The objects, in the order they were given."""

    items: list[BulkItem] | None = None


class BulkApply(KubeObject):
    """Objects of which all or none are stored."""

    spec: BulkSpec = field(default_factory=BulkSpec)
    status: BulkStatus = field(default_factory=BulkStatus)
