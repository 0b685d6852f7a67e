"""Dry runs: what a Service would be given, with nothing claimed."""

from collections.abc import Callable, Sequence

from app.domain.kinds.meta import Cluster
from app.domain.kinds.service import Service
from app.domain.kinds.service_declaration import SERVICE
from app.domain.rules.allocation import allocate
from app.domain.rules.pool_set import POOLED_CLAIMS, PoolSet
from app.store.reader import Reader


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
            cluster: For the conditions.

        Returns:
            What the pools lack, in words.
        """
        pending = [pair for pair in services if SERVICE.strategy.pending(pair[0])]
        if not pending:
            return []
        pools = self._empty_pools()
        for table in POOLED_CLAIMS:
            async for claim in self._reader.claimed(table):
                pools.hold(table, claim.key)
        for service, _ in services:
            pools.moved(None, service)
        picks = [allocate(service, pools.pools, cluster, created=created) for service, created in pending]
        return [shortage.message for each in picks for shortage in each.shortages]
