"""The secondaries of zones: each is told of every change at once, and asked which serial it has."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.cluster.zone_journals import JOURNAL_KINDS, ZoneJournals
from app.controllers.controller import Controller, ObjectKey, Targets
from app.controllers.own_writes import conflict, update
from app.credentials.tsig_keys import TsigKeys
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.errors import Permanent, Requeue, RetryError, Temporary
from app.domain.kinds.dns_zone import DNSServer, DNSZone, DNSZoneServer
from app.domain.rules.cluster import Cluster
from app.domain.rules.dns_servers import server_endpoint
from app.domain.rules.dns_zone import BEHIND, CURRENT, REFUSED, UNREACHABLE, described_zone
from app.domain.rules.zone_serial import is_newer
from app.domain.rules.zone_status import note_servers
from app.domain.wanted.dns_zones import soa_record
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.providers.dns.servers import Server, ServerError, notify, serial_at
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing
from app.telemetry.metrics import DNS_SECONDARY_LAG, DNS_SECONDARY_SERIAL

_PATIENCE_SECONDS = 2.0
"""A secondary that does not have a serial so long after it was told of it is behind."""

_SHORT_PATIENCE_SECONDS = 0.2
_AT_ONCE = 16
"""Zones that one server is told of at the same time."""

_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.002, 0.25
_RETRY_SECONDS = 5.0
_PATIENT_SECONDS = 30.0
"""One that fails for so long is tried every `_RETRY_SECONDS`, before that every second: it may be just starting."""

_TOLD_SECONDS = 1.0
"""The status of a zone is written no more often by one secondary."""


@dataclass(frozen=True, slots=True)
class ZoneParts:
    """What the controllers of zones need.

    Attributes:
        writer: The one write path.
        mirror: Shows the DNSZones.
        cluster: For the time.
        journals: Know the serials.
        keys: With which messages are signed.
    """

    writer: Writer
    mirror: Mirror
    cluster: Callable[[], Cluster]
    journals: ZoneJournals
    keys: TsigKeys


class ZoneSecondaries(Targets):
    """Each server that is a secondary of zones, so that one which is slow or gone holds up no other."""

    kinds = (DNS_ZONE.key,)

    def __init__(self, parts: ZoneParts) -> None:
        self._parts = parts
        self._seen: Sequence[Entry] = ()
        self._targets: dict[str, str] = {}

    def names(self) -> Collection[str]:
        """One for each address of a secondary; looked for again only if a DNSZone changed."""
        entries = self._parts.mirror.list(DNS_ZONE.key, None)
        if len(entries) != len(self._seen) or any(a is not b for a, b in zip(entries, self._seen, strict=True)):
            self._seen = entries
            zones = (decode_object(DNS_ZONE, entry.wire) for entry in entries)
            self._targets = {
                f"zone-server:{each.address}": each.address for zone in zones for each in zone.spec.secondaries or []
            }
        return self._targets.keys()

    def controller(self, target: str) -> "SecondaryServer":
        """The controller of one server."""
        return SecondaryServer(self._parts, self._targets[target])


@dataclass(slots=True)
class _Copy:
    """What is known of the copy of one zone.

    Attributes:
        configured: How the zone names the server.
        reached: The serial that the copy has, None if it is not current.
        behind_since: Since when it is not current, by the event loop's clock; None while it is.
        told_at: When the status was written last.
    """

    configured: DNSServer | None = None
    reached: int | None = None
    behind_since: float | None = None
    told_at: float = 0.0


class SecondaryServer(Controller[ObjectKey]):
    """The zones of which one server is a secondary. A key is a DNSZone."""

    name = "zone-secondaries"
    kinds = JOURNAL_KINDS
    resync = 30.0

    def __init__(self, parts: ZoneParts, address: str) -> None:
        """Prepare.

        Args:
            parts: Shared with others.
            address: Of the server, as DNSZones have it.
        """
        self._parts = parts
        self._address = address
        self._copies: dict[str, _Copy] = {}

    async def learn(self) -> None:
        """Know the serials.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        await self._parts.journals.current()

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """The zones that have another serial than their copies, and those that name the server in another way."""
        changed = {each.entry.name for each in changes if each.entry.kind == DNS_ZONE.key}
        return [
            ("", zone.metadata.name)
            for zone in self._parts.journals.objects()
            if self._concerns(zone, is_changed=zone.metadata.name in changed)
        ]

    def all_keys(self) -> Iterable[ObjectKey]:
        """The zones that name the server."""
        return [("", zone.metadata.name) for zone in self._parts.journals.objects() if self._configured(zone)]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The DNSZone."""
        return self._parts.mirror.get(DNS_ZONE.key, *key)

    async def let_go(self) -> None:
        """Another process may have told the server of something else meanwhile."""
        self._copies.clear()

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Tell the server of the present serials, and wait until it has them."""
        await self._parts.journals.current()
        failures: dict[ObjectKey, RetryError] = {}
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            outcomes = await asyncio.gather(*(self._reconcile(key, lease) for key in part))
            failures |= {key: each for key, each in zip(part, outcomes, strict=True) if each is not None}
        return failures

    async def _reconcile(self, key: ObjectKey, lease: LeaseGuard) -> RetryError | None:
        entry = self.object_of(key)
        zone = None if entry is None else decode_object(DNS_ZONE, entry.wire)
        configured = None if zone is None else self._configured(zone)
        if zone is None or configured is None:
            self._copies.pop(key[1], None)
            return None
        if self._serial(zone) is None:
            return Requeue("the serial of the zone is not known yet", _LONGEST_PAUSE_SECONDS)
        copy = self._copies.setdefault(key[1], _Copy())
        copy.configured = configured
        state, failure = await self._brought_up(zone, copy, configured)
        self._measure(zone, copy, state)
        return await self._tell(key, copy, state, lease) or failure

    def _concerns(self, zone: DNSZone, *, is_changed: bool) -> bool:
        configured, copy = self._configured(zone), self._copies.get(zone.metadata.name)
        if configured is None:
            return False
        is_new = copy is None or (is_changed and copy.configured != configured)
        return is_new or (copy is not None and self._serial(zone) not in (None, copy.reached))

    def _configured(self, zone: DNSZone) -> DNSServer | None:
        return next((each for each in zone.spec.secondaries or () if each.address == self._address), None)

    def _serial(self, zone: DNSZone) -> int | None:
        journal = self._parts.journals.of(zone.spec.name)
        return None if journal is None else journal.serial

    async def _brought_up(
        self, zone: DNSZone, copy: _Copy, configured: DNSServer
    ) -> tuple[DNSZoneServer, RetryError | None]:
        """The state of the copy after the server was told, and what to say of it if that is not as it should be."""
        key = self._parts.keys.get(configured.tsig_key_name) if configured.tsig_key_name else None
        place = server_endpoint(configured.address)
        if place is None or (configured.tsig_key_name and key is None):
            message = f"--dns-tsig-key-file has no key {configured.tsig_key_name}"
            return DNSZoneServer(self._address, 0, REFUSED, message), Permanent("UnknownKey", message)
        server = Server(place.host, place.port, key)
        try:
            serial = await self._converse(zone, copy, server)
        except ServerError as error:
            copy.reached = None
            failing = 0.0 if copy.behind_since is None else asyncio.get_running_loop().time() - copy.behind_since
            pause = _RETRY_SECONDS if failing > _PATIENT_SECONDS else _TOLD_SECONDS
            state = UNREACHABLE if error.reason == UNREACHABLE else REFUSED
            return DNSZoneServer(self._address, 0, state, str(error)), Temporary(str(error), pause)
        wanted = self._serial(zone)
        if wanted is None or serial == wanted or is_newer(serial, wanted):
            copy.reached = serial
            return DNSZoneServer(self._address, serial, CURRENT), None
        message = f"{server} has the serial {serial}, and the zone has {wanted}"
        return DNSZoneServer(self._address, serial, BEHIND, message), Temporary(message, _TOLD_SECONDS)

    async def _converse(self, zone: DNSZone, copy: _Copy, server: Server) -> int:
        """Tell and ask the server until it has the serial of that moment, or is too slow; answers the one it has."""
        loop = asyncio.get_running_loop()
        # One that was behind before holds up its other zones no longer than necessary.
        patience = _PATIENCE_SECONDS if copy.behind_since is None else _SHORT_PATIENCE_SECONDS
        end, pause, told = loop.time() + patience, _SHORTEST_PAUSE_SECONDS, copy.reached
        while True:
            wanted = self._serial(zone)
            if wanted is not None and wanted != told:
                (soa,) = soa_record(described_zone(zone, None), wanted).values
                await notify(server, zone.spec.name, soa)
                told, pause = wanted, _SHORTEST_PAUSE_SECONDS
            serial = await serial_at(server, zone.spec.name)
            if wanted is None or serial == wanted or is_newer(serial, wanted) or loop.time() > end:
                return serial
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _measure(self, zone: DNSZone, copy: _Copy, state: DNSZoneServer) -> None:
        now = asyncio.get_running_loop().time()
        copy.behind_since = None if state.state == CURRENT else copy.behind_since or now
        lag = 0.0 if copy.behind_since is None else now - copy.behind_since
        DNS_SECONDARY_LAG.labels(zone.spec.name, self._address).set(lag)
        if state.serial:
            DNS_SECONDARY_SERIAL.labels(zone.spec.name, self._address).set(state.serial)

    async def _tell(self, key: ObjectKey, copy: _Copy, state: DNSZoneServer, lease: LeaseGuard) -> RetryError | None:
        """Show the state on the DNSZone: a change of it at once, and the serial about once a second."""
        await self._parts.mirror.fresh()
        entry = self.object_of(key)
        if entry is None:
            return None
        zone = decode_object(DNS_ZONE, entry.wire)
        before = {each.address: each for each in zone.status.servers or []}.get(self._address)
        state.serial = state.serial or (before.serial if before else 0)
        note_servers(zone, state)
        if encode_body(zone) == encode_body(decode_object(DNS_ZONE, entry.wire)):
            return None
        now = asyncio.get_running_loop().time()
        if before is not None and before.state == state.state and now < copy.told_at + _TOLD_SECONDS:
            return Requeue("its status is written once a second", copy.told_at + _TOLD_SECONDS - now)
        written = update(DNS_ZONE, zone, entry.revision, self._parts.cluster(), lease)
        outcome = await self._parts.writer.write(written)
        copy.told_at = now
        return None if isinstance(outcome, Committed | Missing) else conflict(outcome)
