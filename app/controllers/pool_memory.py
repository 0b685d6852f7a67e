"""What is free, as far as this process knows: learnt from the claims, kept current from the change log."""

from collections.abc import Callable, Sequence

from app.domain.kinds.ip_address import IPAddress
from app.domain.kinds.service import Service
from app.domain.pools.allocation import Pools
from app.domain.pools.pool_set import POOLED_CLAIMS, PoolSet
from app.domain.rules.cluster import Cluster
from app.store.reader import Reader
from app.store.writes import ClaimHeld
from app.telemetry.metrics import POOL_FREE, POOL_SIZE

Holder = Service | IPAddress
"""What holds claims of pools."""

_Step = tuple[Holder | None, Holder | None]


class PoolMemory:
    """The pools with what is held in them. It is only a hint: the claims' unique rows decide.

    Attributes:
        known: Whether it can be relied on; False until it was learnt, and after a write whose outcome is not known.
    """

    def __init__(self, reader: Reader, pools: PoolSet, cluster: Callable[[], Cluster]) -> None:
        self._reader = reader
        self._set = pools
        self._cluster = cluster
        self._missed: list[_Step] | None = None
        self.known = False

    @property
    def pools(self) -> Pools:
        """What can be picked from; other objects each time it was learnt anew."""
        return self._set.pools

    @property
    def follows(self) -> bool:
        """Whether changes are of use to it: it is known, or being learnt."""
        return self.known or self._missed is not None

    def fits(self, service_cidrs: Sequence[str]) -> bool:
        """Whether it is known what is held of these ranges."""
        return self.known and self._set.service_cidrs == tuple(service_cidrs)

    async def learn(self, service_cidrs: Sequence[str]) -> None:
        """Read all claims; ClusterIPs come from these ranges from here on.

        Raises:
            ServiceUnavailable: The database cannot be reached; nothing is known.
        """
        self.known = False
        self._set.start_over(service_cidrs)
        # What changes meanwhile may be older or newer than the claims as they are read: it is brought in behind them.
        missed: list[_Step] = []
        self._missed = missed
        try:
            for table in POOLED_CLAIMS:
                async for claim in self._reader.claimed(table):
                    self._set.hold(table, claim.key)
        finally:
            self._missed = None
        for old, new in missed:
            self._set.moved(old, new, self._cluster())
        self.known = True

    def observe(self, old: Holder | None, new: Holder | None) -> bool:
        """Note a change of an object; answers whether something that was held is free now."""
        if self._missed is not None:
            self._missed.append((old, new))
            return False
        return self._set.moved(old, new, self._cluster())

    def measure(self) -> None:
        """Show how full the pools are."""
        for name, size, free in self._set.sizes():
            POOL_SIZE.labels(name).set(size)
            POOL_FREE.labels(name).set(free)

    def held(self, outcome: ClaimHeld) -> None:
        """Note that a pick turned out to be somebody else's."""
        self._set.hold(outcome.claim.table, outcome.claim.key)
