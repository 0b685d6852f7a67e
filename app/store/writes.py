"""What a caller asks the store to write, and what became of it: plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

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
    """

    action: Action
    kind: str
    namespace: str
    name: str
    uid: str
    body: bytes
    claims: tuple[Claim, ...] = ()
    expected_revision: int | None = None
    published: bool = True
    pending: bool = False
    deletion_timestamp: datetime | None = None
    lease: LeaseGuard | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """Stored, and durable if it has a revision.

    Attributes:
        revision: Its resourceVersion; None for what nobody can see: an unpublished create, the delete of one.
    """

    revision: int | None


@dataclass(frozen=True, slots=True)
class NameTaken:
    """Create: another object has the name.

    Attributes:
        published: Whether that object is visible yet.
    """

    published: bool


@dataclass(frozen=True, slots=True)
class Stale:
    """Update, delete: the object is at another revision. Publish: it has been published already.

    Attributes:
        revision: The revision it is at; None while it is unpublished.
    """

    revision: int | None


@dataclass(frozen=True, slots=True)
class Missing:
    """No object has that name and uid, or, for an update, none that is published."""


@dataclass(frozen=True, slots=True)
class NamespaceMissing:
    """Create: the namespace does not exist."""


@dataclass(frozen=True, slots=True)
class NamespaceTerminating:
    """Create: the namespace is being deleted."""


@dataclass(frozen=True, slots=True)
class NamespaceNotEmpty:
    """Delete of a Namespace: objects remain in it, perhaps unpublished ones."""


@dataclass(frozen=True, slots=True)
class ClaimHeld:
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


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """The lease has passed to another tenure."""


@dataclass(frozen=True, slots=True)
class Aborted:
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
