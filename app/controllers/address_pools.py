"""AddressPools: how full they are, which are ready, and which that are to go may go."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from app.controllers.allocation.memory import PoolMemory
from app.controllers.controller import SEEN_SECONDS, Controller, ObjectKey
from app.controllers.own_writes import conflict, removal, update
from app.controllers.stray_addresses import StrayAddresses
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.errors import Requeue, RetryError
from app.domain.kinds.address_pool import AddressPool
from app.domain.pools.pool_set import Fill
from app.domain.rules.address_claims import LB_ADDRESSES
from app.domain.rules.address_pool import (
    FINALIZER,
    SHOWN_HOLDERS,
    family_counts,
    hold,
    tell_holders,
    tell_ready,
    usable_addresses,
)
from app.domain.rules.cluster import Cluster
from app.domain.rules.deletion import is_released
from app.domain.timestamps import parse_time
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.reader import Reader
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing

_DELAY = timedelta(seconds=SEEN_SECONDS)
"""How long a pool stays after its deletion was asked for, in use or not: until then other processes may still give
addresses of it."""

_LOOK_AGAIN_SECONDS = 1.0


class AddressPools(Controller[ObjectKey]):
    """Tells how full pools are, and keeps those that are to be deleted until nobody holds an address of them.

    Counts come from the memory of the allocation, which every reconciler keeps; holders from the claims.
    """

    name = "address-pools"
    kinds = (ADDRESS_POOL.key, SERVICE_CIDR.key)
    resync = 1.0

    def __init__(
        self, writer: Writer, reader: Reader, mirror: Mirror, cluster: Callable[[], Cluster], memory: PoolMemory
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._mirror = mirror
        self._cluster = cluster
        self._memory = memory
        self._stray = StrayAddresses(writer, reader, mirror, cluster, time.monotonic)

    def observe(self, changes: Sequence[Change]) -> None:
        """Note which addresses came into pools or left them."""
        self._stray.observe(changes)

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """All of them whenever a pool or a range changed: it may have had an address of another.

        How full a pool is, which its status tells, is looked at once a second and not when that was written.
        """
        return () if all(change.alters_status_alone for change in changes) else self.all_keys()

    def all_keys(self) -> Iterable[ObjectKey]:
        """All of them."""
        return [("", entry.name) for entry in self._mirror.list(ADDRESS_POOL.key, None)]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The AddressPool."""
        return self._mirror.get(ADDRESS_POOL.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Bring the status of pools up to date, and let go of those that nobody needs."""
        fills: dict[str, list[Fill]] = {}
        for fill in self._memory.fills() if self._memory.known else ():
            fills.setdefault(fill.pool, []).append(fill)
        failures: dict[ObjectKey, RetryError] = {}
        for key in keys:
            entry = self.object_of(key)
            failure = None if entry is None else await self._reconcile(entry, fills.get(key[1], []), lease)
            if failure is not None:
                failures[key] = failure
        await self._stray.tell(lease)
        return failures

    async def _reconcile(self, entry: Entry, fills: Sequence[Fill], lease: LeaseGuard) -> RetryError | None:
        pool = decode_object(ADDRESS_POOL, entry.wire)
        cluster = self._cluster()
        description = next((each for each in cluster.pools if each.name == entry.name), None)
        if description is None:
            return Requeue("it is not described yet", _LOOK_AGAIN_SECONDS)
        if fills:
            counts = [(each.family, each.size, each.used, each.resting, each.free) for each in fills]
            pool.status.families = family_counts(counts)
        tell_ready(pool, description, cluster.now)
        waits = pool.metadata.deletion_timestamp is not None and await self._let_go(pool, cluster)
        if pool.metadata.deletion_timestamp is None:
            hold(pool)
        failure = await self._write(pool, entry, lease)
        return failure or (Requeue("the other processes have to see it first", _LOOK_AGAIN_SECONDS) if waits else None)

    async def _let_go(self, pool: AddressPool, cluster: Cluster) -> bool:
        """Drop the finalizer of a pool that is to go once nobody holds an address; answers whether that is only due."""
        spans = list(usable_addresses(pool.spec).bounds())
        holders = await self._reader.holders_between(LB_ADDRESSES, spans, SHOWN_HOLDERS)
        used = sum(each.used for each in pool.status.families or [])
        told = [f"{address} by {holder}" for address, holder in holders]
        tell_holders(pool, told, max(used, len(holders)), cluster.now)
        if holders:
            return False
        deleted = parse_time(pool.metadata.deletion_timestamp or cluster.now)
        if parse_time(cluster.now) - deleted < _DELAY:
            return True
        kept = [each for each in pool.metadata.finalizers or [] if each != FINALIZER]
        pool.metadata.finalizers = kept or None
        return False

    async def _write(self, pool: AddressPool, entry: Entry, lease: LeaseGuard) -> RetryError | None:
        if encode_body(pool) == encode_body(decode_object(ADDRESS_POOL, entry.wire)):
            return None
        made = removal if is_released(ADDRESS_POOL, pool) else update
        outcome = await self._writer.write(made(ADDRESS_POOL, pool, entry.revision, self._cluster(), lease))
        return None if isinstance(outcome, Committed | Missing) else conflict(outcome)
