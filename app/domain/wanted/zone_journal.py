"""The journal of a zone: its serial, and what changed in it lately (IXFR, RFC 1995)."""

from bisect import bisect_right
from collections import deque
from collections.abc import Container, Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from app.domain.kinds.dns_zone import DNSZoneCheckpoint
from app.domain.rules.zone_serial import is_newer, serial_of
from app.domain.wanted.dns_records import Records


class Record(NamedTuple):
    """One record of the DNS.

    Attributes:
        name: Fully qualified owner name in lower case, with the trailing dot.
        type: Such as `A`.
        ttl: Seconds.
        value: Record data in presentation form.
    """

    name: str
    type: str
    ttl: int
    value: str


class Difference(NamedTuple):
    """What changed in records."""

    removed: frozenset[Record]
    added: frozenset[Record]

    def within(self, names: Container[str]) -> "Difference":
        """What of it concerns these names."""
        removed, added = ([record for record in side if record.name in names] for side in self)
        return Difference(frozenset(removed), frozenset(added))


def each_record(sets: Iterable[Records]) -> Iterator[Record]:
    """The records of some sets, one by one."""
    for records in sets:
        for value in records.values:
            yield Record(records.name, records.type, records.ttl, value)


def difference(before: frozenset[Record], after: frozenset[Record]) -> Difference:
    """What changed from one state to another."""
    return Difference(before - after, after - before)


class ZoneJournal:
    """The changes of a zone since `floor`, of which the oldest are dropped when there are too many.

    Attributes:
        name: Of the zone, in lower case, without the dot at the end.
        offset: How much less than the revision of a change its serial is.
        floor: Every change of the zone after this revision is here.
        last: The revision that the present serial stands for.
    """

    def __init__(self, name: str, floor: int, serial: int, offset: int, limit: int = 50_000) -> None:
        """Begin.

        Args:
            name: Of the zone.
            floor: The revision from which on changes are added.
            serial: Of the zone as of then.
            offset: How much less than the revision of a change its serial is.
            limit: How many removed and added records are kept, or changes where these are not kept.
        """
        self.name = name
        self.offset = offset
        self.floor = floor
        self.last = floor
        self._base = serial
        self._steps: deque[tuple[int, Difference | None]] = deque()
        self._limit = limit
        self._size = 0

    @property
    def serial(self) -> int:
        """The present serial."""
        return self.serial_at(self.last)

    def serial_at(self, revision: int) -> int:
        """The serial as of a revision; as of the floor for one that is older."""
        later = bisect_right(self._steps, revision, key=itemgetter(0))
        return self._base if later == 0 else serial_of(self._steps[later - 1][0], self.offset)

    def agrees(self, checkpoint: DNSZoneCheckpoint) -> bool:
        """Whether a checkpoint says nothing else than the journal, as far as that reaches back."""
        if checkpoint.offset != self.offset:
            return False
        return checkpoint.revision < self.floor or self.serial_at(checkpoint.revision) == checkpoint.serial

    def checkpoint(self, revision: int) -> DNSZoneCheckpoint:
        """The checkpoint from which others can compute the same as of a revision; as of the floor for an older one."""
        return DNSZoneCheckpoint(max(revision, self.floor), self.serial_at(revision), self.offset)

    def add(self, revision: int, changed: Difference | None) -> None:
        """Note a change of the log. What is not after the floor is known already.

        Args:
            revision: Of the change.
            changed: What it changed; None where nobody will ask.
        """
        if revision <= self.floor:
            return
        self._steps.append((revision, changed))
        self._size += _size(changed)
        self.last = revision
        while self._size > self._limit and self._steps:
            dropped, old = self._steps.popleft()
            self._size -= _size(old)
            self.floor, self._base = dropped, serial_of(dropped, self.offset)

    def cut(self, revision: int) -> None:
        """The zone changed in a way that has to be read anew."""
        self._steps.clear()
        self._size = 0
        self.floor = self.last = revision
        self._base = serial_of(revision, self.offset)

    def since(self, serial: int) -> Difference | None:
        """What changed since the zone had a serial, in one; None if the journal does not tell.

        Nothing changed since a serial that is newer than the present one: the client has it from a server that is ahead
        of this one.
        """
        if serial == self.serial or is_newer(serial, self.serial):
            return Difference(frozenset(), frozenset())
        removed: set[Record] = set()
        added: set[Record] = set()
        found = serial == self._base
        for revision, changed in self._steps:
            if found:
                if changed is None:
                    return None
                removed |= changed.removed - added
                added -= changed.removed
                added |= changed.added - removed
                removed -= changed.added
            found = found or serial == serial_of(revision, self.offset)
        return Difference(frozenset(removed), frozenset(added)) if found else None


def _size(changed: Difference | None) -> int:
    return 1 if changed is None else len(changed.removed) + len(changed.added)
