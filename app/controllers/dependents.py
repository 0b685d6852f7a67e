"""Which objects belong to which: dependents by the uids of their owners."""

from collections import defaultdict
from collections.abc import Collection, Sequence

import msgspec

from app.domain.documents.objects import OwnerReference
from app.domain.rules.deletion import FOREGROUND_FINALIZER, ORPHAN_FINALIZER
from app.mirror.entry import Entry


class _Metadata(msgspec.Struct, rename="camel"):
    owner_references: list[OwnerReference] | None = None
    deletion_timestamp: str | None = None
    finalizers: list[str] | None = None


class _Owned(msgspec.Struct):
    metadata: _Metadata


_OWNED = msgspec.json.Decoder(_Owned)
_MARKS = tuple(f'"{name}"'.encode() for name in (FOREGROUND_FINALIZER, ORPHAN_FINALIZER))


class Dependents:
    """Built from every state of every object, in order; most have no owner and cost next to nothing.

    Attributes:
        foreground: Uids of objects that are being deleted and wait for their dependents to go first.
        orphaning: Uids of objects that are being deleted and are to leave their dependents behind.
    """

    def __init__(self) -> None:
        self.foreground: set[str] = set()
        self.orphaning: set[str] = set()
        self._owners: dict[str, Sequence[OwnerReference]] = {}
        self._dependents: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def put(self, entry: Entry) -> None:
        """Note an object's state."""
        wire = entry.wire
        owned, decides = b'"ownerReferences"' in wire, any(mark in wire for mark in _MARKS)
        if not (owned or decides or entry.uid in self._owners or self.is_going(entry.uid)):
            return
        self.drop(entry.uid)
        meta = _OWNED.decode(wire).metadata
        if meta.owner_references:
            self._owners[entry.uid] = tuple(meta.owner_references)
            for owner in meta.owner_references:
                self._dependents[owner.uid][entry.uid] = None
        if meta.deletion_timestamp and FOREGROUND_FINALIZER in (meta.finalizers or ()):
            self.foreground.add(entry.uid)
        if meta.deletion_timestamp and ORPHAN_FINALIZER in (meta.finalizers or ()):
            self.orphaning.add(entry.uid)

    def drop(self, uid: str) -> None:
        """Note that an object is gone; those that belong to it still do."""
        self.foreground.discard(uid)
        self.orphaning.discard(uid)
        for owner in self._owners.pop(uid, ()):
            dependents = self._dependents[owner.uid]
            dependents.pop(uid, None)
            if not dependents:
                del self._dependents[owner.uid]

    def is_going(self, uid: str) -> bool:
        """Whether an object's deletion waits for what becomes of its dependents."""
        return uid in self.foreground or uid in self.orphaning

    def owners(self, uid: str) -> Sequence[OwnerReference]:
        """What an object belongs to."""
        return self._owners.get(uid, ())

    def of(self, uid: str) -> Collection[str]:
        """Uids of what belongs to an object."""
        return tuple(self._dependents.get(uid, ()))

    def all(self) -> Collection[str]:
        """Uids of all objects that belong to something."""
        return self._owners.keys()
