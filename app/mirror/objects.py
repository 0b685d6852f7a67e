"""The objects of one moment, by key, by uid and in the order of lists."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter

import msgspec
from sortedcontainers import SortedDict

from app.mirror.entry import Change, Entry, NamespacedName


class Listing(msgspec.Struct, frozen=True):
    """A part of a list.

    Attributes:
        entries: In order of namespace and name.
        remaining: How many come after them.
    """

    entries: list[Entry]
    remaining: int


class Objects:
    """The newest state of all objects. A get costs O(1), a page O(log n + its length), a change O(log n)."""

    def __init__(self) -> None:
        self._kinds: dict[str, SortedDict[NamespacedName, Entry]] = {}
        self._by_uid: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._by_uid)

    @property
    def kinds(self) -> Iterable[str]:
        """All kinds that ever had objects."""
        return self._kinds.keys()

    def count(self, kind: str) -> int:
        """How many objects of a kind there are."""
        return len(self._kinds.get(kind, ()))

    def get(self, kind: str, namespace: str, name: str) -> Entry | None:
        """One object, or None."""
        try:
            return self._kinds[kind].get((namespace, name))
        except KeyError:
            return None

    def by_uid(self, uid: str) -> Entry | None:
        """The object with this uid, or None."""
        return self._by_uid.get(uid)

    def put(self, entry: Entry) -> Entry | None:
        """Store a state; answers the one it replaces."""
        name = (entry.namespace, entry.name)
        kind = self._kinds.get(entry.kind)
        if kind is None:
            kind = self._kinds[entry.kind] = SortedDict()
        previous = kind.get(name)
        kind[name] = entry
        if previous is not None and previous.uid != entry.uid:
            del self._by_uid[previous.uid]
        self._by_uid[entry.uid] = entry
        return previous

    def remove(self, entry: Entry) -> Entry | None:
        """Forget an object; answers its last state."""
        kind = self._kinds.get(entry.kind)
        previous = None if kind is None else kind.pop((entry.namespace, entry.name), None)
        if previous is not None:
            del self._by_uid[previous.uid]
        return previous

    def slice(
        self,
        kind: str,
        namespace: str | None,
        after: NamespacedName | None = None,
        limit: int | None = None,
        undo: Sequence[Change] = (),
    ) -> Listing:
        """List objects, now or as they were before some changes.

        Args:
            kind: Kind key.
            namespace: None for all.
            after: Start after this object; None starts at the beginning.
            limit: How many at most, None for all.
            undo: The changes of the kind to undo, oldest first.
        """
        objects = self._kinds.get(kind)
        if not objects and not undo:
            return Listing([], 0)
        objects = objects or SortedDict()
        low, high = _bounds(namespace, after)
        then: dict[NamespacedName, Entry | None] = {}
        for change in undo:
            name = (change.entry.namespace, change.entry.name)
            if name > low and (high is None or name < high):
                then.setdefault(name, change.previous)
        total = _count(objects, low, high)
        names: Iterator[NamespacedName] = objects.irange(low, high, inclusive=(False, False))
        if then:
            total += sum((was is not None) - (name in objects) for name, was in then.items())
            entries = list(islice(_undone(objects, names, then), limit))
        else:
            entries = list(map(objects.__getitem__, islice(names, limit)))
        return Listing(entries, total - len(entries))


def _bounds(namespace: str | None, after: NamespacedName | None) -> tuple[NamespacedName, NamespacedName | None]:
    """The names before and after a list, neither of them in it; no name sorts before ("", "")."""
    low = after or ("", "")
    if namespace is None:
        return low, None
    return max(low, (namespace, "")), (namespace + "\0", "")


def _count(objects: SortedDict[NamespacedName, Entry], low: NamespacedName, high: NamespacedName | None) -> int:
    end = len(objects) if high is None else objects.bisect_left(high)
    return max(0, end - objects.bisect_right(low))


def _undone(
    objects: SortedDict[NamespacedName, Entry],
    names: Iterator[NamespacedName],
    then: dict[NamespacedName, Entry | None],
) -> Iterator[Entry]:
    """Merge the objects that did not change with the old states of those that did, in order."""
    was = sorted((entry for entry in then.values() if entry is not None), key=_PLACE)
    unchanged = (objects[name] for name in names if name not in then)
    return merge(unchanged, was, key=_PLACE)


_PLACE = attrgetter("namespace", "name")
