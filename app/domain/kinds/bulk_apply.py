"""BulkApply: objects that are stored all or none of them. It is kept between two processes and served to nobody.

An API process stores one unpublished, with everything prepared. The reconciler allocates for what is in it and stores
it all in one transaction, in which the BulkApply itself is published with what became of it.
"""

from typing import Any, Literal

import msgspec
from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Wire

BULK_APPLY_KEY = "bulkapplies.fairlead.io"
"""The key it is stored under; no kind is declared for it, so nothing lists or watches it."""

API_VERSION, KIND = "fairlead.io/v1", "BulkApply"


class BulkItem(Wire):
    """One object to be stored.

    Attributes:
        action: Whether it is new, or goes because the last finalizer that held it did.
        kind: Key of the kind it is stored as.
        object: Its body, allocation aside as it is to be stored.
        revision: What it was prepared from, None when it is new.
    """

    action: Literal["create", "update", "delete"] = "create"
    kind: str = ""
    object: msgspec.Raw = field(default_factory=msgspec.Raw)
    revision: int | None = None


class BulkRefusal(Wire):
    """Why none was stored.

    Attributes:
        index: Which item is at fault.
        outcome: What became of the item's write, as the store encodes it; nothing when a pool has nothing left.
        shortages: What the pools lack, in words.
    """

    index: int = 0
    outcome: dict[str, Any] | None = None
    shortages: list[str] | None = None


class BulkStatus(Wire):
    """What became of it; no refusal means that everything is stored."""

    refusal: BulkRefusal | None = None


class BulkSpec(Wire):
    """The objects, in the order they were given."""

    items: list[BulkItem] | None = None


class BulkApply(KubeObject):
    """Objects that are stored together."""

    spec: BulkSpec = field(default_factory=BulkSpec)
    status: BulkStatus = field(default_factory=BulkStatus)
