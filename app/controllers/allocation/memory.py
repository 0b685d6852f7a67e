"""What is free, as far as this process knows: learnt from the claims, kept current from the change log."""

from collections.abc import Callable, Iterator, Sequence

from app.domain.pools.picking import Picks, Pools
from app.domain.pools.pool_set import POOLED_CLAIMS, Fill, Holder, PoolSet
from app.domain.pools.portions import SET_ASIDE_SECONDS, StockKey
from app.domain.rules.address_claims import LB_ADDRESSES
from app.domain.rules.cluster import Cluster
from app.store.address_ledger import AddressLedger
from app.store.reader import Reader
from app.store.writes import ClaimHeld
from app.telemetry.metrics import POOL_FREE, POOL_SIZE

_Step = tuple[Holder | None, Holder | None]


class PoolMemory:
    """The pools with what is held in them. It is only a hint: the claims' unique rows decide.

    Attributes:
        known: Whether it can be relied on; False until it was learnt, and after a write whose outcome is not known.
    """

    def __init__(self, reader: Reader, ledger: AddressLedger, pools: PoolSet, cluster: Callable[[], Cluster]) -> None:
        self._reader = reader
        self._ledger = ledger
        self._set = pools
        self._cluster = cluster
        self._missed: list[_Step] | None = None
        self._measured: set[tuple[str, str, str]] = set()
        self.known = False

    @property
    def pools(self) -> Pools:
        """What can be picked from: the pools that there are now."""
        self.describe()
        return self._set.pools

    @property
    def follows(self) -> bool:
        """Whether changes are of use to it: it is known, or being learnt."""
        return self.known or self._missed is not None

    def describe(self) -> bool:
        """Have the pools that there are now; answers whether any is another one than before."""
        return self._set.describe(self._cluster())

    @property
    def chooses_namespaces(self) -> bool:
        """Whether there is a pool that is not for every namespace."""
        return any(pool.namespaces is not None for pool in self._cluster().pools)

    async def learn(self) -> None:
        """Read all claims, and which addresses were released so lately that they rest.

        Raises:
            ServiceUnavailable: The database cannot be reached; nothing is known.
        """
        self.known = False
        self._set.clear()
        self.describe()
        # What changes meanwhile may be older or newer than the claims as they are read: it is brought in behind them.
        missed: list[_Step] = []
        self._missed = missed
        try:
            for table in POOLED_CLAIMS:
                async for claim in self._reader.claimed(table):
                    self._set.hold(table, claim.key, claim.owner)
            rest = max((pool.reuse_after_seconds for pool in self._cluster().pools), default=0)
            for address, ago in await self._ledger.released(LB_ADDRESSES, rest) if rest else ():
                self._set.rest(address, ago)
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

    def forget(self) -> None:
        """Changes were missed: it has to be learnt anew."""
        self.known = False

    def set_aside(self, pool: StockKey, most: int) -> Sequence[str | int]:
        """Set values of a pool aside for the stock of an API process."""
        self.describe()
        return self._set.set_aside(pool, most, SET_ASIDE_SECONDS)

    def give_back(self, picks: Picks) -> None:
        """Let go of everything that was picked: the Service was not stored with it."""
        self._set.give_back(picks)

    def held(self, outcome: ClaimHeld) -> None:
        """Note that a pick turned out to be somebody else's."""
        self._set.hold(outcome.claim.table, outcome.claim.key)

    def fills(self) -> Iterator[Fill]:
        """How full each pool is."""
        return self._set.fills()

    def measure(self) -> None:
        """Show how full the pools are; one that is gone has size 0."""
        gone, self._measured = self._measured, set()
        for fill in self.fills():
            labels = (fill.pool, fill.family, fill.scope)
            POOL_SIZE.labels(*labels).set(fill.size)
            POOL_FREE.labels(*labels).set(fill.free)
            self._measured.add(labels)
        for labels in gone - self._measured:
            POOL_SIZE.labels(*labels).set(0)
            POOL_FREE.labels(*labels).set(0)
