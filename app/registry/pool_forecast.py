"""The forecast of an AddressPool: what is free, from the claims, and what was taken and released, from the ledger."""

from collections.abc import Callable
from datetime import timedelta

from app.domain.kinds.address_pool import AddressPool
from app.domain.kinds.address_pool_forecast import AddressPoolForecast
from app.domain.rules.address_pool import usable_addresses
from app.domain.rules.address_ranges import VERSIONS
from app.domain.rules.address_sets import AddressSet
from app.domain.rules.cluster import Cluster
from app.domain.timestamps import parse_time
from app.domain.wanted.address_pool_forecast import WINDOWS, Turnover, forecast
from app.store.address_ledger import AddressLedger


class PoolForecasts:
    """Computes forecasts.

    Args:
        ledger: Who held what.
        cluster: Tells the time.
        retention: How long the ledger remembers what has ended.
    """

    def __init__(self, ledger: AddressLedger, cluster: Callable[[], Cluster], retention: timedelta) -> None:
        self._ledger = ledger
        self._cluster = cluster
        self._retention = retention

    async def __call__(self, pool: AddressPool) -> AddressPoolForecast:
        """The forecast of a pool.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        now = self._cluster().now
        usable = usable_addresses(pool.spec)
        families = {
            family: await self._turnover(usable, version, pool.spec.reuse_after_seconds)
            for family, version in VERSIONS.items()
            if usable.size(version)
        }
        age = parse_time(now) - parse_time(pool.metadata.creation_timestamp or now)
        known = min(age, self._retention)
        return forecast(pool, families, known / timedelta(days=1), now)

    async def _turnover(self, usable: AddressSet, version: int, rest: int) -> Turnover:
        spans = list(AddressSet({version: usable.of_version(version)}).bounds())
        found = await self._ledger.turnover(spans, WINDOWS, rest)
        return Turnover(usable.size(version), found.used, found.resting, found.taken, found.released)
