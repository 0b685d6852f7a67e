"""Dry runs: what a Service would be given, with nothing claimed."""

from collections.abc import Callable

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
        if not SERVICE.strategy.pending(service):
            return
        pools = self._empty_pools()
        for table in POOLED_CLAIMS:
            async for claim in self._reader.claimed(table):
                pools.hold(table, claim.key)
        pools.moved(None, service)
        allocate(service, pools.pools, cluster, created=created)
