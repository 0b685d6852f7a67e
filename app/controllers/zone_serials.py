"""The serials of zones: shown in their status, with the checkpoints from which every process computes the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.cluster.zone_journals import ZoneJournals
from app.controllers.controller import Controller, ObjectKey
from app.controllers.own_writes import update, write_each
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.errors import Requeue, RetryError
from app.domain.kinds.dns_zone import DNSZone, DNSZoneCheckpoint
from app.domain.rules.cluster import Cluster
from app.domain.rules.zone_serial import LONGEST_REST
from app.domain.rules.zone_status import note_servers, renewed_checkpoint, tell_ready, tell_synchronized
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write

_OLDEST_CHECKPOINT = 10_000
"""Revisions. The log keeps twice as many changes at least, so every process finds those after the checkpoint."""

_KEPT_BEFORE = 5_000
"""Revisions that a new checkpoint is behind: a process that starts can tell secondaries what changed since (IXFR)."""

_SOON_SECONDS = 0.1


class ZoneSerials(Controller[ObjectKey]):
    """Keeps the status of zones up to date. A change of a status is no change of the zone."""

    name = "zone-serials"
    kinds = (DNS_ZONE.key,)
    resync = 1.0

    def __init__(self, writer: Writer, mirror: Mirror, journals: ZoneJournals, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._journals = journals
        self._cluster = cluster

    async def learn(self) -> None:
        """Know the serials.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        await self._journals.current()

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """The zones that changed in anything but the serial: that is written here, once a second."""
        changed = (change for change in changes if change.type != "DELETED" and not _moves_serial_alone(change))
        return [("", change.entry.name) for change in changed]

    def all_keys(self) -> Iterable[ObjectKey]:
        """All zones."""
        return [("", entry.name) for entry in self._mirror.list(DNS_ZONE.key, None)]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The DNSZone."""
        return self._mirror.get(DNS_ZONE.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Bring the status of zones up to date."""
        await self._mirror.fresh()
        await self._journals.current()
        if self._journals.stale:
            return dict.fromkeys(keys, Requeue("changes were missed meanwhile", _SOON_SECONDS))
        writes = {}
        for key in keys:
            entry = self.object_of(key)
            write = None if entry is None else self._write(entry, lease)
            if write is not None:
                writes[key] = write
        return await write_each(self._writer, writes)

    def _write(self, entry: Entry, lease: LeaseGuard) -> Write | None:
        zone, cluster = decode_object(DNS_ZONE, entry.wire), self._cluster()
        before = encode_body(zone)
        zone.status.checkpoint = self._checkpoint(zone)
        journal = self._journals.of(zone.spec.name)
        zone.status.serial = zone.status.checkpoint.serial if journal is None else journal.serial
        note_servers(zone)
        if zone.spec.primary is None:
            tell_ready(zone, cluster.now)
        tell_synchronized(zone, cluster.now)
        if encode_body(zone) == before:
            return None
        return update(DNS_ZONE, zone, entry.revision, cluster, lease)

    def _checkpoint(self, zone: DNSZone) -> DNSZoneCheckpoint:
        """The checkpoint, another one if the log does not reach back to it for long any more, or does not already."""
        checkpoint, journal, now = zone.status.checkpoint, self._journals.of(zone.spec.name), self._mirror.revision
        if journal is None:
            return renewed_checkpoint(checkpoint, now)
        if now - journal.last > LONGEST_REST:
            return renewed_checkpoint(journal.checkpoint(now), now)
        if checkpoint is None or now - checkpoint.revision > _OLDEST_CHECKPOINT:
            return journal.checkpoint(now - _KEPT_BEFORE)
        return checkpoint


def _moves_serial_alone(change: Change) -> bool:
    """Whether a change says of a zone nothing else than that it has another serial."""
    if change.previous is None:
        return False
    before, after = decode_object(DNS_ZONE, change.previous.wire), decode_object(DNS_ZONE, change.entry.wire)
    before.status.serial = after.status.serial
    return encode_body(before) == encode_body(after)
