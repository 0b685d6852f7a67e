"""What a caller asks the store to write, and the outcome, as plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from app.domain.rules.claim import Claim
from app.domain.rules.quota_resources import Limit

Action = Literal["create", "publish", "update", "delete"]


@dataclass(frozen=True, slots=True)
class LeaseGuard:
    """Proof of a lease. The transaction of the write checks it.

    Attributes:
        name: The lease.
        epoch: The tenure. Taking over raises it, so writes of an earlier holder are refused.
    """

    name: str
    epoch: int


class Write(msgspec.Struct, frozen=True):
    """One change of one object.

    Attributes:
        action: `create` stores a new object, `publish` makes an unpublished one visible, `update` replaces the body,
            `delete` removes the row and everything it holds.
        kind: Storage key, `services`.
        namespace: "" for a cluster-scoped object.
        name: Its name.
        uid: Lowercase UUID; an object of the same name with another uid is a different object.
        body: The stored body; for a delete, the last state, which the DELETED change shows.
        claims: All unique things of the new state. Other claims of the object are released; a delete releases all.
        expected_revision: Update and delete: refuse with `Stale` when the object is at another revision; None: any.
        published: Create: False stores the object without revision and change, so that nobody sees it until it is
            published.
        pending: Whether something is left for the reconciler to allocate.
        deletion_timestamp: When deletion was asked for, while finalizers hold the object.
        lease: Refuse with `LeaseLost` unless this is the latest tenure of the lease.
        confidential: Whether the stored body is encrypted.
        trace: The context that those go on in who work on what is stored (see `app.telemetry.tracing`); "" for none.
        charges: What the new state uses of quotas, by measure, beside that it is one object of its kind.
        limits: What the new state allows its namespace at most.
        bounded: Create: whether the ceiling of objects in a namespace applies, as it does to what clients create.
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
    confidential: bool = False
    trace: str = ""
    charges: tuple[tuple[str, int], ...] = ()
    limits: tuple[Limit, ...] = ()
    bounded: bool = False

    def __repr__(self) -> str:
        """Without the body, which may be a Secret's."""
        return f"Write({self.action} {self.kind} {self.namespace}/{self.name} {self.uid})"


class Committed(msgspec.Struct, frozen=True, tag=True):
    """The write is stored. It is durable if it has a revision.

    Attributes:
        revision: The resourceVersion. None if nobody can see the object: it was created unpublished, or deleted so.
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
    """Another object holds one of the claims.

    Attributes:
        claim: The first such claim in the order of `Write.claims`, one table after the other.
        owner_kind: Storage key of the holder.
        owner_namespace: Namespace of the holder.
        owner_name: Name of the holder.
    """

    claim: Claim
    owner_kind: str
    owner_namespace: str
    owner_name: str


class Excess(msgspec.Struct, frozen=True, array_like=True):
    """What a write would use of a resource, and may not.

    Attributes:
        resource: As the quota names it.
        requested: How much more the write would use.
        used: How much is used.
        limited: The most that may be used, as a quantity.
    """

    resource: str
    requested: int
    used: int
    limited: str


class QuotaExceeded(msgspec.Struct, frozen=True, tag=True):
    """A quota of the namespace does not allow it.

    Attributes:
        quota: Name of the ResourceQuota; "" for the ceiling of objects in a namespace.
        resources: What would be exceeded, in the order of the names.
    """

    quota: str
    resources: tuple[Excess, ...]


class LeaseLost(msgspec.Struct, frozen=True, tag=True):
    """Another tenure of the lease has begun."""


class Aborted(msgspec.Struct, frozen=True, tag=True):
    """Another write, with which this one was to be stored, was refused."""


Outcome = (
    Committed
    | NameTaken
    | Stale
    | Missing
    | NamespaceMissing
    | NamespaceTerminating
    | NamespaceNotEmpty
    | ClaimHeld
    | QuotaExceeded
    | LeaseLost
    | Aborted
)


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain values, for another process. `type` names its class."""
    document: dict[str, Any] = msgspec.to_builtins(outcome)
    return document


def read_outcome(document: dict[str, Any]) -> Outcome:
    """The outcome from plain values that another process made.

    Raises:
        msgspec.ValidationError: The values are no outcome.
    """
    outcome: Outcome = msgspec.convert(document, Outcome)
    return outcome
