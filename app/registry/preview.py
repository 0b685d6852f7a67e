"""Dry runs: what a Service would be given, with nothing claimed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from app.domain.declarations.service import SERVICE
from app.domain.kinds.service import Service
from app.domain.pools.allocation import Pool, Pools, allocate
from app.domain.pools.pool_set import PoolSet
from app.domain.pools.sampled_pool import SampledPool
from app.domain.rules.cluster import Cluster
from app.store.reader import Reader

T = TypeVar("T")


class ServicePreview:
    """A tentative allocation over the claims of this moment; somebody else may be given the same a moment later."""

    def __init__(self, reader: Reader, empty_pools: Callable[[], PoolSet]) -> None:
        self._reader = reader
        self._empty_pools = empty_pools

    async def __call__(self, service: Service, cluster: Cluster, *, created: bool) -> None:
        """Fill in what an allocation would choose, in place."""
        await self.many([(service, created)], cluster)

    async def many(self, services: Sequence[tuple[Service, bool]], cluster: Cluster) -> list[str]:
        """Fill in what an allocation would choose for each of several, in place.

        Args:
            services: Each with whether it is new.
            cluster: For the conditions, and for who serves load balancers.

        Returns:
            What the pools lack, in words.
        """
        pending = [pair for pair in services if SERVICE.strategy.pending(pair[0], cluster)]
        if not pending:
            return []
        pools = await self._sampled([service for service, _ in services], cluster)
        for service, _ in services:
            pools.moved(None, service, cluster)
        picks = [allocate(service, pools.pools, cluster, created=created) for service, created in pending]
        return [shortage.message for each in picks for shortage in each.shortages]

    async def _sampled(self, services: Sequence[Service], cluster: Cluster) -> PoolSet:
        """Pools with as many free values as these Services can ask for and be given."""
        asked = sum(len(SERVICE.strategy.claims(service, cluster)) for service in services)
        addresses = asked + len(services)
        ports = asked + sum(1 + len(service.spec.ports or []) for service in services)
        pool_set = self._empty_pools()
        pools = pool_set.pools
        pool_set.pools = replace(
            pools,
            cluster_ips=await self._addresses("cluster_ips", pools, pools.cluster_ips, addresses),
            node_ports=await self._sample("node_ports", pools, pools.node_ports, ports, int),
            internal=await self._addresses("lb_addresses", pools, pools.internal, addresses),
            external=await self._addresses("lb_addresses", pools, pools.external, addresses),
        )
        return pool_set

    async def _addresses(
        self, table: str, pools: Pools, group: Mapping[str, Pool[str]], limit: int
    ) -> Mapping[str, Pool[str]]:
        return {family: await self._sample(table, pools, pool, limit, str) for family, pool in group.items()}

    async def _sample(
        self, table: str, pools: Pools, pool: Pool[T], limit: int, read: Callable[[str], T]
    ) -> SampledPool[T]:
        found: dict[str, None] = {}
        for low, high in pool.parts(pools.random_below):
            if len(found) < limit:
                found |= dict.fromkeys(await self._reader.free(table, str(low), str(high), limit - len(found)))
        return SampledPool(pool.label, pool.size, map(read, found))
