"""The rows that the store returns, as plain tuples."""

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
        ordinal: Grows with each create. It is the order in which objects came, and the cursor of a paged read.
        trace: The context in which it was written; None where that is not traced.
    """

    kind: str
    namespace: str
    name: str
    uid: str
    revision: int | None
    body: bytes
    ordinal: int
    trace: str | None


class ChangeRow(NamedTuple):
    """One entry of the log.

    Attributes:
        revision: The place of the change in the one order of all changes, and the resourceVersion of the object after
            it.
        kind: Storage key.
        namespace: "" for a cluster-scoped object.
        name: The object's name.
        uid: Lowercase UUID.
        type: `ADDED`, `MODIFIED` or `DELETED`.
        body: The state after the change; for `DELETED`, the last state.
        previous_body: The state before; None for `ADDED`, and in a tail.
        previous_revision: The revision of the state before; None for `ADDED`.
        trace: The context in which it was written; None where that is not traced.
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
    trace: str | None


class LimitRow(NamedTuple):
    """One limit of a quota, and what is used of it.

    Attributes:
        namespace: Where.
        measure: What is counted.
        used: How much there is.
        quota: Name of the ResourceQuota.
        resource: As the quota names it.
        most: The most that there may be.
        shown: The same as a quantity.
    """

    namespace: str
    measure: str
    used: int
    quota: str
    resource: str
    most: int
    shown: str


class Tail(NamedTuple):
    """The changes after a revision.

    Attributes:
        changes: The changes in order, at most as many as were asked for.
        compacted: The log does not hold this revision and earlier ones any more.
        newest: The latest revision. If the last change has it, the whole log was read.
    """

    changes: list[ChangeRow]
    compacted: int
    newest: int


class Holder(NamedTuple):
    """The holder of a claim."""

    kind: str
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class ClaimRow(NamedTuple):
    """One claim: its key, written as `Claim.key` writes it, and the uid of its owner."""

    key: str
    owner: str
