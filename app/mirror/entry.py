"""The values of the mirror: states of objects as encoded bytes, and the changes between them."""

import sys
from typing import Literal

import msgspec

from app.domain.documents.encoding import watch_frame, wire_bytes, with_revision
from app.domain.documents.peeking import content_of, essence_of
from app.store.rows import ChangeRow, ObjectRow

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]

NamespacedName = tuple[str, str]
"""Namespace and name: the order of lists."""


class Entry(msgspec.Struct, gc=False, eq=False):
    """One state of one object. It is shared, so nobody changes it.

    There is one for every object in the cluster: nothing decoded is kept, and since the fields cannot form a circle
    the garbage collector need not visit it.

    Attributes:
        kind: Kind key, `services`.
        namespace: "" for a cluster-scoped object.
        name: Its name.
        uid: Lower-case UUID.
        revision: The revision of the write that made this state.
        wire: The object as the API answers it, resourceVersion included.
    """

    kind: str
    namespace: str
    name: str
    uid: str
    revision: int
    wire: bytes

    def at(self, revision: int) -> "Entry":
        """The same state at a later revision: the one that deleted it, or that took it out of a selection."""
        wire = with_revision(self.wire, revision)
        return Entry(self.kind, self.namespace, self.name, self.uid, revision, wire)


class Change(msgspec.Struct, gc=False, eq=False):
    """One step of the log.

    Attributes:
        revision: Its place in the log.
        type: ADDED, MODIFIED or DELETED.
        entry: The state after it; for DELETED the last state, carrying the deletion's revision.
        previous: The state before it, None for ADDED.
        trace: The context in which it was written; None where that is not traced.
    """

    revision: int
    type: ChangeType
    entry: Entry
    previous: Entry | None
    trace: str | None = None
    _frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        """The change as a line of a watch stream, encoded once for all watchers."""
        if self._frame is None:
            self._frame = watch_frame(self.type, self.entry.wire)
        return self._frame

    @property
    def before(self) -> Entry | None:
        """The state before it; of a deletion the last state, if the one before is not known."""
        return self.entry if self.previous is None and self.type == "DELETED" else self.previous

    @property
    def after(self) -> Entry | None:
        """The state after it, None for a deletion."""
        return None if self.type == "DELETED" else self.entry

    @property
    def alters_content(self) -> bool:
        """Whether it changed what other things follow from; it did not if it changed only a label or condition."""
        if self.previous is None or self.type == "DELETED":
            return True
        return content_of(self.previous.wire) != content_of(self.entry.wire)

    @property
    def alters_status_alone(self) -> bool:
        """Whether it changed nothing but what is told of the object."""
        if self.previous is None or self.type == "DELETED":
            return False
        return essence_of(self.previous.wire) == essence_of(self.entry.wire)

    @property
    def size(self) -> int:
        """The most bytes that it can hold: its frame, and states that nothing else holds any more."""
        before = 0 if self.previous is None else len(self.previous.wire)
        return before + 2 * len(self.entry.wire) + _OVERHEAD


_OVERHEAD = 300
"""Bytes of the Python objects around a change's three byte strings, roughly."""

_TYPES: dict[str, ChangeType] = {"ADDED": "ADDED", "MODIFIED": "MODIFIED", "DELETED": "DELETED"}


def entry_from_row(row: ObjectRow | ChangeRow, revision: int) -> Entry:
    """The state that a row stores. Kinds and namespaces repeat, so each text is kept once."""
    return Entry(
        sys.intern(row.kind), sys.intern(row.namespace), row.name, row.uid, revision, wire_bytes(row.body, revision)
    )


def type_of(row: ChangeRow) -> ChangeType:
    """The type of a logged change."""
    return _TYPES[row.type]


def change_of(row: ChangeRow) -> Change:
    """A logged change with both of its states, made from its row alone."""
    previous = None
    if row.previous_body is not None and row.previous_revision is not None:
        previous = entry_from_row(row._replace(body=row.previous_body), row.previous_revision)
    return Change(row.revision, type_of(row), entry_from_row(row, row.revision), previous, row.trace)
