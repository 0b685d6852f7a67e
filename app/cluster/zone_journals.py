"""The serials of all zones, and what changed in each: from checkpoints and the log, so the same in every process."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

import structlog

from app.cluster.record_changes import RecordChange, record_changes
from app.cluster.record_sources import SOURCES
from app.cluster.service_slices import ServiceSlices
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.documents.encoding import decode_object
from app.domain.kinds.dns_zone import DNSZone, DNSZoneCheckpoint
from app.domain.rules.zone_serial import serial_of
from app.domain.wanted.zone_journal import ZoneJournal
from app.mirror.entry import Change, change_of
from app.mirror.mirror import Mirror
from app.store.reader import Reader

JOURNAL_KINDS = (*SOURCES, ENDPOINT_SLICE.key, DNS_ZONE.key)
"""The kinds that serials follow from."""

_CHANGES_AT_ONCE = 2_000

_CHANGES_IN_A_ROW = 200
"""Changes that are brought in before the event loop gets its turn."""

_FARTHEST = 50_000
"""So many changes are read at most to learn serials. Checkpoints are made more often than that."""

_log = structlog.stdlib.get_logger(__name__)


class ZoneJournals:
    """A journal for each zone whose serial is known; as current as the mirror, to which it subscribes.

    The serial of a zone is not known while its checkpoint is older than the log. Then its owner makes a new one.

    Attributes:
        stale: Whether `current` has to be called: it has not been, or changes were missed since.
    """

    def __init__(
        self, mirror: Mirror, reader: Reader, slices: ServiceSlices, domain: str, *, with_records: bool = True
    ) -> None:
        """Follow the mirror.

        Args:
            mirror: Of the process.
            reader: Reads the log.
            slices: It subscribed to the mirror before.
            domain: The cluster's, without the dot at the end.
            with_records: Whether the journals have what changed, for transfers, and not only the serials.
        """
        self._with_records = with_records
        self._mirror = mirror
        self._reader = reader
        self._slices = slices
        self._domain = domain
        self._zones: dict[str, DNSZone] = {}
        self._journals: dict[str, ZoneJournal] = {}
        self._unread: list[Change] | None = None
        self._since = 0
        self._learning = asyncio.Lock()
        self.stale = True
        mirror.subscribe(self._changed, self._reloaded, JOURNAL_KINDS)

    def of(self, zone: str) -> ZoneJournal | None:
        """The journal of a zone; None if there is no such zone, or its serial is not known.

        Args:
            zone: In lower case, without the dot at the end.
        """
        return None if self.stale or self._unread is not None else self._journals.get(zone)

    def objects(self) -> Iterable[DNSZone]:
        """The DNSZones, as they are now. Nobody may change them."""
        return self._zones.values()

    def object_of(self, zone: str) -> DNSZone | None:
        """The DNSZone of a zone, or None."""
        return self._zones.get(zone)

    async def current(self) -> None:
        """Compute the journals from the checkpoints and the log, unless they follow the mirror already.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        async with self._learning:
            if self.stale:
                await self._learn()

    async def _learn(self) -> None:
        self.stale, self._unread = False, []
        try:
            self._since, changes = await self._read(self._mirror.revision)
            self._begin()
            while changes or self._unread:
                changes, self._unread = [*changes, *self._unread], []
                for number, _ in enumerate(self._brought_in(changes), start=1):
                    if number % _CHANGES_IN_A_ROW == 0:
                        await asyncio.sleep(0)
                changes = []
        except BaseException:
            self.stale = True
            raise
        finally:
            self._unread = None

    async def _read(self, until: int) -> tuple[int, list[Change]]:
        """From the oldest checkpoint that the log reaches back to: its revision, and the changes up to a revision."""
        compacted = (await self._reader.tail(until, 1)).compacted
        zones = [decode_object(DNS_ZONE, entry.wire) for entry in self._mirror.list(DNS_ZONE.key, None)]
        checkpoints = [each.status.checkpoint.revision for each in zones if each.status.checkpoint is not None]
        since = min((revision for revision in checkpoints if compacted <= revision <= until), default=until)
        found: list[Change] = []
        for kind in JOURNAL_KINDS:
            after = since
            while after < until:
                rows = await self._reader.changes_between(kind, None, after, until, _CHANGES_AT_ONCE)
                found += map(change_of, rows)
                after = rows[-1].revision if len(rows) == _CHANGES_AT_ONCE else until
                if len(found) > _FARTHEST:
                    return until, []
        # Asked after reading: what was compacted before it could be read is missing.
        if (await self._reader.tail(until, 1)).compacted > since:
            return until, []
        return since, sorted(found, key=attrgetter("revision"))

    def _begin(self) -> None:
        """Begin with the checkpoints that are not older than what was read of the log."""
        zones = [decode_object(DNS_ZONE, entry.wire) for entry in self._mirror.list(DNS_ZONE.key, None)]
        self._zones = {zone.spec.name: zone for zone in zones}
        self._journals = {
            name: ZoneJournal(name, checkpoint.revision, checkpoint.serial, checkpoint.offset)
            for name, zone in self._zones.items()
            if (checkpoint := zone.status.checkpoint) is not None and checkpoint.revision >= self._since
        }

    def _reloaded(self) -> None:
        self.stale = True

    def _changed(self, changes: Sequence[Change]) -> None:
        if self._unread is not None:
            self._unread += changes
        elif not self.stale:
            for _ in self._brought_in(changes):
                pass

    def _brought_in(self, changes: Sequence[Change]) -> Iterator[Change]:
        """Bring changes in, one after the other. The last of them made the present state of the mirror."""
        records = record_changes(changes, self._mirror, self._slices, self._domain)
        waiting = next(records, None)
        for change in changes:
            if waiting is not None and waiting.revision == change.revision:
                self._note(waiting)
                waiting = next(records, None)
            elif change.entry.kind == DNS_ZONE.key:
                self._note_zone(change)
            yield change

    def _note(self, change: RecordChange) -> None:
        zones = {name: self._zone_of(name.removesuffix(".")) for name in change.names}
        changed = change.changed() if self._with_records else None
        for zone in self._journals.keys() & zones.values():
            part = None if changed is None else changed.within({name for name in zones if zones[name] == zone})
            self._journals[zone].add(change.revision, part)

    def _zone_of(self, name: str) -> str:
        """The zone that a name belongs to; "" if it belongs to none."""
        while name and name not in self._zones:
            name = name.partition(".")[2]
        return name

    def _note_zone(self, change: Change) -> None:
        """A zone came, changed or went. It takes names from the zone that it is in, or leaves them to that."""
        zone = decode_object(DNS_ZONE, change.entry.wire)
        name = zone.spec.name
        if change.type == "DELETED":
            if name in self._zones and self._zones[name].metadata.uid == zone.metadata.uid:
                del self._zones[name]
                self._journals.pop(name, None)
            self._cut(self._zone_of(name), change.revision)
            return
        self._zones[name] = zone
        if change.previous is None:
            self._cut(self._zone_of(name.partition(".")[2]), change.revision)
            if name not in self._journals:
                self._journals[name] = ZoneJournal(name, change.revision, serial_of(change.revision, 0), 0)
        elif decode_object(DNS_ZONE, change.previous.wire).spec.name_servers != zone.spec.name_servers:
            self._cut(name, change.revision)
            # It delegates to them, too.
            self._cut(self._zone_of(name.partition(".")[2]), change.revision)
        checkpoint = zone.status.checkpoint
        if checkpoint is not None and not self._agrees(name, checkpoint, change.revision):
            _log.info("zone has a new checkpoint", zone=name, revision=checkpoint.revision, serial=checkpoint.serial)
            self.stale = True

    def _agrees(self, zone: str, checkpoint: DNSZoneCheckpoint, written: int) -> bool:
        """Whether a checkpoint says nothing new: what is known follows from a later one, or it is as old as that."""
        journal = self._journals.get(zone)
        if journal is None:
            return checkpoint.revision < self._since
        return written <= journal.floor or journal.agrees(checkpoint)

    def _cut(self, zone: str, revision: int) -> None:
        journal = self._journals.get(zone)
        if journal is not None and revision > journal.floor:
            journal.cut(revision)
