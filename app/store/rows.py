"""What the store hands out: rows as plain tuples."""

from typing import NamedTuple


class ObjectRow(NamedTuple):
    """One stored object.

    Attributes:
        kind: Storage key.
        namespace: "" for a cluster-scoped object.
        name: Its name.
        uid: Lowercase UUID.
        revision: None while it is unpublished.
        body: The stored body.
        ordinal: Grows with each create: the order in which objects came, and the cursor of a paged read.
    """

    kind: str
    namespace: str
    name: str
    uid: str
    revision: int | None
    body: bytes
    ordinal: int


class ChangeRow(NamedTuple):
    """One entry of the log.

    Attributes:
        revision: The change's place in the one order of all changes, and the object's resourceVersion after it.
        kind: Storage key.
        namespace: "" for a cluster-scoped object.
        name: The object's name.
        uid: Lowercase UUID.
        type: `ADDED`, `MODIFIED` or `DELETED`.
        body: The state after the change; the last state for `DELETED`.
        previous_body: The state before; None for `ADDED`.
        previous_revision: The revision of the state before; None for `ADDED`.
    """

    revision: int
    kind: str
    namespace: str
    name: str
    uid: str
    type: str
    body: bytes
    previous_body: bytes | None
    previous_revision: int | None


class Tail(NamedTuple):
    """The log beyond a revision.

    Attributes:
        changes: In order; cut off at the limit that was asked for.
        compacted: The log no longer holds this revision and those before it.
        newest: The latest revision there is; the log was read whole if the last change carries it.
    """

    changes: list[ChangeRow]
    compacted: int
    newest: int


class Holder(NamedTuple):
    """Who holds a claim."""

    kind: str
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class ClaimRow(NamedTuple):
    """One claim: its key as `Claim.key` spells it, and its owner's uid."""

    key: str
    owner: str
