"""Dry runs: what the reconciler would allocate for a Service. Nothing is claimed."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from app.domain.declarations.service import SERVICE
from app.domain.kinds.service import Service
from app.domain.pools.allocation import CLUSTER_IPS, LB_ADDRESSES, NODE_PORTS, Pool, Pools, allocate, pools_in_question
from app.domain.pools.pool_set import PoolSet
from app.domain.pools.sampled_pool import SampledPool
from app.domain.rules.cluster import Cluster
from app.store.reader import Reader

T = TypeVar("T")


class ServicePreview:
    """A tentative allocation over the claims of this moment. Another Service may be given the same a moment later."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def __call__(self, service: Service, cluster: Cluster, *, created: bool) -> None:
        """Fill in what an allocation would choose, in place."""
        await self.many([(service, created)], cluster)

    async def many(self, services: Sequence[tuple[Service, bool]], cluster: Cluster) -> list[str]:
        """Fill in what an allocation would choose for each of several, in place.

        Args:
            services: Each with whether it is new.
            cluster: For the pools and the conditions.

        Returns:
            What the pools lack, in words.
        """
        pending = [pair for pair in services if SERVICE.strategy.pending(pair[0], cluster)]
        if not pending:
            return []
        pools = await self._sampled([service for service, _ in services], cluster)
        for service, _ in services:
            for claim in SERVICE.strategy.claims(service, cluster):
                pools.hold(claim.table, claim.key)
        picks = [allocate(service, pools, cluster, created=created) for service, created in pending]
        return [shortage.message for each in picks for shortage in each.shortages]

    async def _sampled(self, services: Sequence[Service], cluster: Cluster) -> Pools:
        """Pools with as many free values as these Services can ask for and be given."""
        asked = sum(len(SERVICE.strategy.claims(service, cluster)) for service in services)
        addresses = asked + len(services)
        ports = asked + sum(1 + len(service.spec.ports or []) for service in services)
        pool_set = PoolSet(secrets.randbelow, time.monotonic)
        pool_set.describe(cluster)
        pools = pool_set.pools
        chosen = {key for service in services for key in pools_in_question(service, cluster)}
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
        )

    async def _sample(
        self, table: str, pools: Pools, pool: Pool[T], limit: int, read: Callable[[str], T]
    ) -> SampledPool[T]:
        found: dict[str, None] = {}
        for low, high in pool.parts(pools.random_below):
            if len(found) < limit:
                found |= dict.fromkeys(await self._reader.free(table, str(low), str(high), limit - len(found)))
        return SampledPool(pool.label, pool.size, map(read, found))
