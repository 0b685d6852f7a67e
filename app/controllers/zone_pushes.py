"""Public zones that other servers have: the records of public names are sent to their primaries as updates."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.cluster.record_sources import SOURCES, records_of, source_at, source_name
from app.cluster.service_slices import ServiceSlices, services_of
from app.controllers.controller import Controller, ObjectKey, Targets, stored_entries
from app.controllers.own_writes import update
from app.credentials.tsig_keys import TsigKeys
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.peeking import mentions
from app.domain.errors import Permanent, Requeue, RetryError, Temporary
from app.domain.kinds.dns_zone import DNSServer, DNSZone, DNSZoneServer
from app.domain.rules.cluster import Cluster
from app.domain.rules.dns_servers import server_endpoint
from app.domain.rules.dns_zone import CURRENT, REFUSED, UNREACHABLE
from app.domain.rules.service.conditions import PUBLISHED
from app.domain.rules.service.name_wish import NAMES
from app.domain.rules.zone_description import zone_of
from app.domain.rules.zone_status import tell_pushed
from app.domain.wanted.pushed_names import PushedName, differing, pushed_names
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.providers.dns.servers import Server, ServerError
from app.providers.dns.zone_updates import NameConflictError, ZoneUpdates
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing

WHOLE = ""
"""The key that stands for the whole zone, which is compared with what the server has. Any other key is a name."""

_AT_ONCE = 8
_LONGEST_PAUSE_SECONDS = 5.0
_CONFLICT_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_HOME = "kube-system"
"""The namespace whose uid tells one installation from another."""


@dataclass(frozen=True, slots=True)
class PushParts:
    """What the controllers of such zones need.

    Attributes:
        writer: The one write path.
        mirror: Shows Services and DNSZones.
        cluster: For the zones and the time.
        slices: Of headless Services. It subscribed to the mirror.
        keys: With which messages are signed.
        driver: Makes the driver of a zone of a server, for an installation.
    """

    writer: Writer
    mirror: Mirror
    cluster: Callable[[], Cluster]
    slices: ServiceSlices
    keys: TsigKeys
    driver: Callable[[Server, str, str], ZoneUpdates]


class ZonePushes(Targets):
    """Each zone that has a primary elsewhere."""

    kinds = (DNS_ZONE.key,)

    def __init__(self, parts: PushParts) -> None:
        self._parts = parts

    def names(self) -> Collection[str]:
        """One for each zone."""
        return [f"zone:{zone.name}" for zone in self._parts.cluster().zones if zone.is_pushed]

    def controller(self, target: str) -> "ZonePush":
        """The controller of one zone."""
        name = target.removeprefix("zone:")
        zone = next(zone for zone in self._parts.cluster().zones if zone.name == name)
        return ZonePush(self._parts, name, zone.object_name)


class ZonePush(Controller[str]):
    """One zone. It remembers what its primary has, and reads it again when that is in doubt."""

    name = "zone-pushes"
    kinds = (*SOURCES, ENDPOINT_SLICE.key, DNS_ZONE.key)
    resync = 600.0
    condition = PUBLISHED

    def __init__(self, parts: PushParts, zone: str, object_name: str) -> None:
        self._parts = parts
        self._mirror = parts.mirror
        self._zone = zone
        self._object_name = object_name
        self._by_source: dict[ObjectKey, dict[str, PushedName]] = {}
        self._wanted: dict[str, PushedName] = {}
        self._sources: dict[str, ObjectKey] = {}
        self._changed: set[str] = set()
        self._present: dict[str, PushedName] | None = None
        self._in_doubt = False
        self._configured: DNSServer | None = None
        self._failures = 0

    async def learn(self) -> None:
        """Learn which names Services have in the zone."""
        for key in list(self._by_source):
            self._note(key, {})
        async for entry in stored_entries(self._mirror, SOURCES):
            if _has_names(entry):
                self._refresh(source_name(entry))

    def observe(self, changes: Sequence[Change]) -> None:
        """Keep that current."""
        self._changed = set()
        for change in changes:
            if change.entry.kind in SOURCES:
                key = source_name(change.entry)
                if key in self._by_source or _has_names(change.entry):
                    self._refresh(key)
            elif change.entry.kind == ENDPOINT_SLICE.key:
                for service in services_of(change):
                    if service in self._by_source:
                        self._refresh(service)

    def keys_of(self, changes: Sequence[Change]) -> Iterable[str]:
        """The names whose records changed; everything if the primary or its key is another one."""
        mine = (
            each.entry for each in changes if each.entry.kind == DNS_ZONE.key and each.entry.name == self._object_name
        )
        specs = [decode_object(DNS_ZONE, entry.wire).spec.primary for entry in mine]
        return self.all_keys() if any(spec != self._configured for spec in specs) else list(self._changed)

    def all_keys(self) -> Iterable[str]:
        """The whole zone, and each name that Services have in it."""
        return [WHOLE, *self._wanted]

    def object_of(self, key: str) -> Entry | None:
        """The Service or StaticAddress that has a name; for the whole zone the DNSZone."""
        if key == WHOLE:
            return self._mirror.get(DNS_ZONE.key, "", self._object_name)
        return source_at(self._mirror, self._sources[key]) if key in self._sources else None

    async def let_go(self) -> None:
        """Another process may change what the server has."""
        self._present = None

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Have the server have what is wanted."""
        await self._mirror.fresh()
        entry, home = self.object_of(WHOLE), self._mirror.get(NAMESPACE.key, "", _HOME)
        primary = None if entry is None else decode_object(DNS_ZONE, entry.wire).spec.primary
        if primary is None or home is None:
            return {}
        if primary != self._configured:
            self._configured, self._present = primary, None
        server = self._server(primary)
        if server is None:
            message = f"--dns-tsig-key-file has no key {primary.tsig_key_name}"
            await self._tell(DNSZoneServer(primary.address, 0, REFUSED, message), lease)
            return dict.fromkeys(keys, Permanent("UnknownKey", message))
        try:
            driver = self._parts.driver(server, self._zone, home.uid)
            failures = await self._bring_up(driver, keys)
            state = DNSZoneServer(primary.address, await driver.serial(), CURRENT)
        except ServerError as error:
            return await self._failed(error, keys, lease)
        self._failures = 0
        await self._tell(state, lease)
        return failures

    async def _failed(self, error: ServerError, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """What the server has is in doubt now. The zone shows why; Services are not told of it one by one."""
        self._present = None
        pause = min(_LONGEST_PAUSE_SECONDS, 2.0**self._failures)
        self._failures += 1
        state = UNREACHABLE if error.reason == UNREACHABLE else REFUSED
        if self._configured is not None:
            await self._tell(DNSZoneServer(self._configured.address, 0, state, str(error)), lease)
        return {key: (Temporary if key == WHOLE else Requeue)(str(error), pause) for key in keys}

    def _server(self, primary: DNSServer) -> Server | None:
        key = self._parts.keys.get(primary.tsig_key_name) if primary.tsig_key_name else None
        place = server_endpoint(primary.address)
        if place is None or (primary.tsig_key_name and key is None):
            return None
        return Server(place.host, place.port, key)

    async def _bring_up(self, driver: ZoneUpdates, keys: Sequence[str]) -> dict[str, RetryError]:
        """Change the names at which the server has something else than is wanted; answers those that it does not give.

        Raises:
            ServerError: The server cannot be reached, or refuses.
        """
        if self._present is None or self._in_doubt or WHOLE in keys:
            self._present, self._in_doubt = await driver.read(), False
            names = differing(self._wanted, self._present)
        else:
            names = [key for key in keys if self._wanted.get(key) != self._present.get(key)]
        failures: dict[str, RetryError] = {}
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            outcomes = await asyncio.gather(*(self._put(driver, name) for name in part))
            failures |= {name: each for name, each in zip(part, outcomes, strict=True) if each is not None}
        return failures

    async def _put(self, driver: ZoneUpdates, name: str) -> RetryError | None:
        present = self._present if self._present is not None else {}
        before, after = present.get(name), self._wanted.get(name)
        try:
            await driver.put(name, before, after)
        except NameConflictError as error:
            if before is None:
                return Temporary(str(error), _CONFLICT_SECONDS)
            # It is ours, and has something else than is known: the next attempt looks.
            self._in_doubt = True
            return Requeue(str(error), _LOOK_SECONDS)
        if after is None:
            present.pop(name, None)
        else:
            present[name] = after
        return None

    async def _tell(self, state: DNSZoneServer, lease: LeaseGuard) -> None:
        """Show the state of the server on the DNSZone; another writer may be faster, then it is told the next time."""
        await self._mirror.fresh()
        entry = self.object_of(WHOLE)
        if entry is None:
            return
        zone: DNSZone = decode_object(DNS_ZONE, entry.wire)
        tell_pushed(zone, state, self._parts.cluster().now)
        if encode_body(zone) != encode_body(decode_object(DNS_ZONE, entry.wire)):
            outcome = await self._parts.writer.write(
                update(DNS_ZONE, zone, entry.revision, self._parts.cluster(), lease)
            )
            if not isinstance(outcome, Committed | Missing):
                self._configured = None

    def _refresh(self, key: ObjectKey) -> None:
        """Learn which names a source has now."""
        entry = source_at(self._mirror, key)
        found: dict[str, PushedName] = {}
        if entry is not None and _has_names(entry):
            cluster = self._parts.cluster()
            zones, owner = cluster.zones, "/".join(key)
            records = records_of(entry, self._parts.slices.entries_of(key), cluster.cluster_domain)
            names = pushed_names(owner, records)
            found = {name: each for name, each in names.items() if self._is_mine(name, zones)}
        self._note(key, found)

    def _is_mine(self, name: str, zones: Sequence[object]) -> bool:
        zone = zone_of(name, zones)  # type: ignore[arg-type]
        return zone is not None and zone.name == self._zone

    def _note(self, key: ObjectKey, names: dict[str, PushedName]) -> None:
        for name in self._by_source.pop(key, {}).keys() - names.keys():
            if self._sources.get(name) == key:
                del self._sources[name], self._wanted[name]
                self._changed.add(name)
        for name, each in names.items():
            if self._wanted.get(name) != each:
                self._changed.add(name)
            self._wanted[name], self._sources[name] = each, key
        if names:
            self._by_source[key] = names


def _has_names(entry: Entry) -> bool:
    """Whether an object may show public names; its records tell."""
    return mentions(entry.wire, NAMES) or mentions(entry.wire, "fqdn")
