"""Dry runs: what the reconciler would allocate. Nothing is claimed."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec

from app.domain.kinds.service import Service
from app.domain.pools.allocated_kinds import (
    Allocated,
    addresses_in_question,
    allocate_for,
    kind_of,
    pools_for_object,
    statics_in,
)
from app.domain.pools.picking import CLUSTER_IPS, NODE_PORTS, Pool, Pools
from app.domain.pools.pool_set import PoolSet
from app.domain.pools.sampled_pool import SampledPool
from app.domain.rules.address_claims import LB_ADDRESSES
from app.domain.rules.cluster import Cluster
from app.domain.rules.known_addresses import StoredTogether
from app.store.reader import Reader

_MOST = 100_000
"""Holders that are looked at. Nobody asks for so many shared addresses at once."""

T = TypeVar("T")


class AllocationPreview:
    """A tentative allocation over the claims of this moment. Another object may be given the same a moment later."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def __call__(self, obj: Allocated, cluster: Cluster, *, created: bool) -> None:
        """Fill in what an allocation would choose, in place."""
        await self.many([(obj, created)], cluster)

    async def many(self, objects: Sequence[tuple[Allocated, bool]], cluster: Cluster) -> list[str]:
        """Fill in what an allocation would choose for each of several, in place.

        Args:
            objects: Each with whether it is new.
            cluster: For the pools and the conditions.

        Returns:
            What the pools lack, in words.
        """
        pending = [pair for pair in objects if kind_of(pair[0]).strategy.pending(pair[0], cluster)]
        if not pending:
            return []
        pools = await self._sampled([obj for obj, _ in objects], cluster)
        for obj, _ in objects:
            for claim in kind_of(obj).strategy.claims(obj, cluster):
                pools.hold(claim.table, claim.key)
        statics = statics_in(obj for obj, _ in objects)
        picks = [allocate_for(obj, pools, cluster, created=True) for obj in statics_in(obj for obj, _ in pending)]
        if statics:
            cluster = msgspec.structs.replace(cluster, addresses=StoredTogether(cluster.addresses, statics))
        services = [(obj, created) for obj, created in pending if isinstance(obj, Service)]
        picks += [allocate_for(obj, pools, cluster, created=created) for obj, created in services]
        return [shortage.message for each in picks for shortage in each.shortages]

    async def _sampled(self, objects: Sequence[Allocated], cluster: Cluster) -> Pools:
        """Pools with as many free values as these objects can ask for and be given."""
        asked = sum(len(kind_of(obj).strategy.claims(obj, cluster)) for obj in objects)
        addresses = asked + 2 * len(objects)
        ports = asked + sum(1 + len(obj.spec.ports or []) for obj in objects if isinstance(obj, Service))
        pool_set = PoolSet(secrets.randbelow, time.monotonic)
        pool_set.describe(cluster)
        pools = pool_set.pools
        chosen = {key for obj in objects for key in pools_for_object(obj, cluster)}
        return replace(
            pools,
            cluster_ips={
                family: await self._sample(CLUSTER_IPS, pools, pool, addresses, str)
                for family, pool in pools.cluster_ips.items()
            },
            node_ports=await self._sample(NODE_PORTS, pools, pools.node_ports, ports, int),
            addresses={
                key: await self._sample(LB_ADDRESSES, pools, pools.addresses[key], addresses, str) for key in chosen
            },
            held_by_others=await self._holders(objects, cluster),
        )

    async def _holders(self, objects: Sequence[Allocated], cluster: Cluster) -> Callable[[str, str], bool]:
        """Who holds the addresses that the objects ask for."""
        asked = sorted({address for obj in objects for address in addresses_in_question(obj, cluster)})
        owners: dict[str, set[str]] = {}
        for address, holder in await self._reader.holders_between(
            LB_ADDRESSES, [(each, each) for each in asked], _MOST
        ):
            owners.setdefault(address, set()).add(holder.uid)

        def held_by_others(address: str, uid: str) -> bool:
            return bool(owners.get(address, set()) - {uid})

        return held_by_others

    async def _sample(
        self, table: str, pools: Pools, pool: Pool[T], limit: int, read: Callable[[str], T]
    ) -> SampledPool[T]:
        found: dict[str, None] = {}
        for low, high in pool.parts(pools.random_below):
            if len(found) < limit:
                found |= dict.fromkeys(await self._reader.free(table, str(low), str(high), limit - len(found)))
        return SampledPool(pool.label, pool.size, map(read, found))
