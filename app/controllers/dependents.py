"""An index of dependents by the uids of their owners (`metadata.ownerReferences`)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.domain.documents.objects import OwnerReference
from app.domain.documents.peeking import mentions, metadata_of
from app.domain.rules.deletion import FOREGROUND_FINALIZER, ORPHAN_FINALIZER
from app.mirror.entry import Entry

_DECIDING = ("ownerReferences", FOREGROUND_FINALIZER, ORPHAN_FINALIZER)
"""An object without any of these texts has no ties, so it need not be decoded."""


@dataclass(frozen=True, slots=True)
class Ties:
    """What an object's metadata says about its owners and its own deletion.

    Attributes:
        owners: What it belongs to.
        foreground: Whether it is being deleted and waits for its dependents to go first.
        orphaning: Whether it is being deleted and is to leave its dependents behind.
    """

    owners: Sequence[OwnerReference] = ()
    foreground: bool = False
    orphaning: bool = False

    @property
    def waits(self) -> bool:
        """Whether its deletion waits for its dependents, to be deleted or to be left behind."""
        return self.foreground or self.orphaning


NO_TIES = Ties()


def ties_of(entry: Entry) -> Ties:
    """The ties of a state of an object. Most objects have none, and to find that out costs little."""
    if not any(mentions(entry.wire, text) for text in _DECIDING):
        return NO_TIES
    meta = metadata_of(entry.wire)
    finalizers = (meta.finalizers or ()) if meta.deletion_timestamp else ()
    return Ties(meta.owner_references or (), FOREGROUND_FINALIZER in finalizers, ORPHAN_FINALIZER in finalizers)


class Dependents:
    """Built from every state of every object, in order.

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
        ties = ties_of(entry)
        self.drop(entry.uid)
        if ties.owners:
            self._owners[entry.uid] = tuple(ties.owners)
            for owner in ties.owners:
                self._dependents[owner.uid][entry.uid] = None
        if ties.foreground:
            self.foreground.add(entry.uid)
        if ties.orphaning:
            self.orphaning.add(entry.uid)

    def drop(self, uid: str) -> None:
        """Note that an object is gone. Its dependents are still known by its uid."""
        self.foreground.discard(uid)
        self.orphaning.discard(uid)
        for owner in self._owners.pop(uid, ()):
            dependents = self._dependents[owner.uid]
            dependents.pop(uid, None)
            if not dependents:
                del self._dependents[owner.uid]

    def waits(self, uid: str) -> bool:
        """Whether an object's deletion waits for its dependents, to be deleted or to be left behind."""
        return uid in self.foreground or uid in self.orphaning

    def owners(self, uid: str) -> Sequence[OwnerReference]:
        """The owners of an object."""
        return self._owners.get(uid, ())

    def of(self, uid: str) -> Collection[str]:
        """Uids of the dependents of an object."""
        return tuple(self._dependents.get(uid, ()))

    def all(self) -> Collection[str]:
        """Uids of all objects that have an owner."""
        return self._owners.keys()
