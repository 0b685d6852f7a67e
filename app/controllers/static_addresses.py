"""StaticAddresses: who uses them, whether Services may, and which that are to go may go."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from app.controllers.controller import SEEN_SECONDS, Controller, ObjectKey
from app.controllers.own_writes import conflict, removal, update
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.peeking import ingress_addresses_of
from app.domain.errors import Requeue, RetryError
from app.domain.kinds.static_address import StaticAddress
from app.domain.rules.address_claims import LB_ADDRESSES
from app.domain.rules.cluster import Cluster
from app.domain.rules.deletion import is_released
from app.domain.rules.known_addresses import KnownAddresses
from app.domain.rules.service.public_names import label_name
from app.domain.rules.static_address import FINALIZER, hold, tell_ready, tell_users
from app.domain.timestamps import parse_time
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.reader import Reader
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing

_DELAY = timedelta(seconds=SEEN_SECONDS)
"""How long an address stays after its deletion was asked for, used or not: until then a process that has not seen it
may let another Service use it."""

_LOOK_AGAIN_SECONDS = 1.0

_MOST_USERS = 100_000
"""Users that are counted."""


class StaticAddresses(Controller[ObjectKey]):
    """Tells who uses addresses, and keeps those that are to be deleted until nobody does. The claims know the users."""

    name = "static-addresses"
    kinds = (STATIC_ADDRESS.key, SERVICE.key, ADDRESS_POOL.key, DNS_ZONE.key, NAMESPACE.key)
    resync = 60.0

    def __init__(self, writer: Writer, reader: Reader, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._reader = reader
        self._mirror = mirror
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """Those that changed, and those at whose addresses Services begin or cease to take traffic.

        All of them if pools changed, or zones, or namespaces, by whose labels zones choose who has names in them.
        """
        keys: dict[ObjectKey, None] = {}
        addresses = self._cluster().addresses
        for change in changes:
            if change.entry.kind in (ADDRESS_POOL.key, DNS_ZONE.key, NAMESPACE.key):
                keys.update(dict.fromkeys(() if change.alters_status_alone else self.all_keys()))
            elif change.entry.kind == STATIC_ADDRESS.key:
                keys[change.entry.namespace, change.entry.name] = None
            elif change.entry.kind == SERVICE.key:
                keys.update(dict.fromkeys(_at_addresses_of(change, addresses)))
        return keys

    def all_keys(self) -> Iterable[ObjectKey]:
        """All of them."""
        return [(entry.namespace, entry.name) for entry in self._mirror.list(STATIC_ADDRESS.key, None)]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The StaticAddress."""
        return self._mirror.get(STATIC_ADDRESS.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Bring status up to date, and let go of those that nobody needs."""
        failures: dict[ObjectKey, RetryError] = {}
        for key in keys:
            entry = self.object_of(key)
            failure = None if entry is None else await self._reconcile(entry, lease)
            if failure is not None:
                failures[key] = failure
        return failures

    async def _reconcile(self, entry: Entry, lease: LeaseGuard) -> RetryError | None:
        address, cluster = decode_object(STATIC_ADDRESS, entry.wire), self._cluster()
        users = await self._users(address)
        tell_users(address, users, cluster.now)
        tell_ready(address, cluster)
        address.status.fqdn = label_name(address.spec.dns_label, entry.namespace, cluster.zones)
        waits = False
        if address.metadata.deletion_timestamp is None:
            hold(address)
        elif not users:
            waits = not self._let_go(address, cluster)
        failure = await self._write(address, entry, lease)
        return failure or (Requeue("the other processes have to see it first", _LOOK_AGAIN_SECONDS) if waits else None)

    async def _users(self, address: StaticAddress) -> list[tuple[str, str]]:
        """Namespace and name of each Service that holds the address."""
        text = address.status.address
        if not text:
            return []
        holders = await self._reader.holders_between(LB_ADDRESSES, [(text, text)], _MOST_USERS)
        return sorted((each.namespace, each.name) for _, each in holders if each.kind == SERVICE.key)

    def _let_go(self, address: StaticAddress, cluster: Cluster) -> bool:
        """Drop the finalizer, once every process knows that the address is to go; answers whether that is so."""
        deleted = parse_time(address.metadata.deletion_timestamp or cluster.now)
        if parse_time(cluster.now) - deleted < _DELAY:
            return False
        kept = [each for each in address.metadata.finalizers or [] if each != FINALIZER]
        address.metadata.finalizers = kept or None
        return True

    async def _write(self, address: StaticAddress, entry: Entry, lease: LeaseGuard) -> RetryError | None:
        if encode_body(address) == encode_body(decode_object(STATIC_ADDRESS, entry.wire)):
            return None
        made = removal if is_released(STATIC_ADDRESS, address) else update
        outcome = await self._writer.write(made(STATIC_ADDRESS, address, entry.revision, self._cluster(), lease))
        return None if isinstance(outcome, Committed | Missing) else conflict(outcome)


def _at_addresses_of(change: Change, known: KnownAddresses) -> Iterable[ObjectKey]:
    """The StaticAddresses at which a Service takes traffic, or did before a change."""
    states = [state for state in (change.before, change.after) if state is not None]
    for address in {each for state in states for each in ingress_addresses_of(state.wire)}:
        static = known.static_at(address)
        if static is not None:
            yield static.metadata.namespace or "", static.metadata.name
