"""What a caller asks the store to write, and what became of it: plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from app.domain.rules.claim import Claim

Action = Literal["create", "publish", "update", "delete"]


@dataclass(frozen=True, slots=True)
class LeaseGuard:
    """Proof of a lease, to be checked in the transaction that writes under it.

    Attributes:
        name: The lease.
        epoch: Which tenure of it; taking over raises it, so an older holder's writes are refused.
    """

    name: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Write:
    """One change of one object.

    Attributes:
        action: `create` stores a new object, `publish` makes an unpublished one visible, `update` replaces the body,
            `delete` removes the row and everything it holds.
        kind: Storage key, `services`.
        namespace: "" for a cluster-scoped object.
        name: Its name.
        uid: Lowercase UUID; an object of the same name with another uid is a different object.
        body: The stored body; for a delete the last state, which the DELETED change shows.
        claims: Everything unique the new state shows. What else the object held is released; a delete releases all.
        expected_revision: Update and delete: refuse with `Stale` when the object is at another revision; None: any.
        published: Create: False stores the object without revision or change, seen by nobody until it is published.
        pending: Whether something is left for the reconciler to allocate.
        deletion_timestamp: When deletion was asked for, while finalizers hold the object.
        lease: Refuse with `LeaseLost` unless this tenure is still the lease's latest.
        confidential: Whether the body is encrypted where it is stored.
    """

    action: Action
    kind: str
    namespace: str
    name: str
    uid: str
    body: bytes = field(repr=False)
    claims: tuple[Claim, ...] = ()
    expected_revision: int | None = None
    published: bool = True
    pending: bool = False
    deletion_timestamp: datetime | None = None
    lease: LeaseGuard | None = None
    confidential: bool = False


class Committed(msgspec.Struct, frozen=True, tag=True):
    """Stored, and durable if it has a revision.

    Attributes:
        revision: Its resourceVersion; None for what nobody can see: an unpublished create, the delete of one.
    """

    revision: int | None


class NameTaken(msgspec.Struct, frozen=True, tag=True):
    """Create: another object has the name.

    Attributes:
        published: Whether that object is visible yet.
    """

    published: bool


class Stale(msgspec.Struct, frozen=True, tag=True):
    """Update, delete: the object is at another revision. Publish: it has been published already.

    Attributes:
        revision: The revision it is at; None while it is unpublished.
    """

    revision: int | None


class Missing(msgspec.Struct, frozen=True, tag=True):
    """No object has that name and uid, or, for an update, none that is published."""


class NamespaceMissing(msgspec.Struct, frozen=True, tag=True):
    """Create: the namespace does not exist."""


class NamespaceTerminating(msgspec.Struct, frozen=True, tag=True):
    """Create: the namespace is being deleted."""


class NamespaceNotEmpty(msgspec.Struct, frozen=True, tag=True):
    """Delete of a Namespace: objects remain in it, perhaps unpublished ones."""


class ClaimHeld(msgspec.Struct, frozen=True, tag=True):
    """Somebody else holds one of the claims.

    Attributes:
        claim: Which; the first in the order of `Write.claims`, tables taken one after the other.
        owner_kind: Storage key of the holder.
        owner_namespace: The holder's namespace.
        owner_name: The holder's name.
    """

    claim: Claim
    owner_kind: str
    owner_namespace: str
    owner_name: str


class LeaseLost(msgspec.Struct, frozen=True, tag=True):
    """The lease has passed to another tenure."""


class Aborted(msgspec.Struct, frozen=True, tag=True):
    """Nothing is wrong with this write, but with another one that it was to be stored together with."""


Outcome = (
    Committed
    | NameTaken
    | Stale
    | Missing
    | NamespaceMissing
    | NamespaceTerminating
    | NamespaceNotEmpty
    | ClaimHeld
    | LeaseLost
    | Aborted
)


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain values, for another process; `type` says which one it is."""
    document: dict[str, Any] = msgspec.to_builtins(outcome)
    return document


def read_outcome(document: dict[str, Any]) -> Outcome:
    """An outcome from the plain values that another process made of it.

    Raises:
        msgspec.ValidationError: They are of no outcome.
    """
    outcome: Outcome = msgspec.convert(document, Outcome)
    return outcome
