"""Addresses from which one is picked that nobody holds yet."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.domain.pools.bitmap import Bitmap
from app.domain.pools.number_pool import Clock, NumberPool, RandomBelow
from app.domain.rules.address_ranges import IPV4, IPV6, VERSIONS, address_number, address_text
from app.domain.rules.pool_description import PoolDescription

PoolKey = tuple[str, str]
"""Name and IP family of a pool."""

_BITS = {IPV4: 32, IPV6: 128}


class FamilyPool:
    """The addresses of one family of a pool, spoken of in canonical text.

    Attributes:
        description: What it was made from.
        version: 4 or 6.
        numbers: The addresses as numbers.
        label: How a shortage names it.
    """

    def __init__(self, description: PoolDescription, version: int, held: Bitmap, clock: Clock) -> None:
        self.description = description
        self.version = version
        ranges = [each for each in description.ranges if each.version == version]
        self.numbers = NumberPool(
            held,
            [(each.first, each.last, each.band) for each in ranges],
            description.usable.of_version(version),
            clock,
            description.reuse_after_seconds,
        )
        self.label = description.label(f"IPv{version}")

    @property
    def size(self) -> int:
        """How many addresses there are to pick from when none is held."""
        return self.numbers.size

    @property
    def free(self) -> int:
        """How many addresses can be picked now."""
        return self.numbers.free

    def covers(self, address: str) -> bool:
        """Whether an address is one of the pool's."""
        version, number = address_number(address)
        return version == self.version and self.numbers.covers(number)

    def holds(self, address: str) -> bool:
        """Whether an address is held here."""
        version, number = address_number(address)
        return version == self.version and self.numbers.holds(number)

    def hold(self, address: str) -> bool:
        """Hold an address; False when it is not the pool's, or held already."""
        version, number = address_number(address)
        return version == self.version and self.numbers.hold(number)

    def parts(self, random_below: RandomBelow) -> Iterator[tuple[str, str]]:
        """First and last of each part of the pool, in the order in which a pick looks through them."""
        for low, high in self.numbers.parts(random_below):
            yield address_text(self.version, low), address_text(self.version, high)

    def pick(self, random_below: RandomBelow) -> str | None:
        """Hold an address that nobody held and return it; None when there is none."""
        found = self.numbers.pick(random_below)
        return None if found is None else address_text(self.version, found)

    def set_aside(self, most: int, random_below: RandomBelow, seconds: float) -> list[str]:
        """Set addresses aside; see `NumberPool.set_aside`."""
        return [address_text(self.version, number) for number in self.numbers.set_aside(most, random_below, seconds)]


class HeldAddresses:
    """All addresses that are held in one table of claims, and the pools that lie over them.

    What is held is remembered wherever it lies, so that pools can come, go and change without anything being read.

    Attributes:
        pools: By name and family.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.pools: Mapping[PoolKey, FamilyPool] = {}
        self._held: dict[int, Bitmap] = {}
        self._descriptions: Sequence[PoolDescription] = ()
        self._index: dict[int, tuple[list[int], list[int], list[NumberPool]]] = {}
        self.clear()

    def clear(self) -> None:
        """Forget what is held, not what rests."""
        resting = self._take_rest(self.pools.values())
        self._held = {version: Bitmap(1 << bits) for version, bits in _BITS.items()}
        for _, version, number in resting:
            self._held[version].hold(number)
        self.pools = {}
        self.describe(self._descriptions)
        self._give_rest(resting)

    def describe(self, descriptions: Sequence[PoolDescription]) -> None:
        """Have other pools from here on, over what is held. Those that stay as they were stay the same objects."""
        before = self.pools
        self._descriptions = tuple(descriptions)
        self.pools = {
            (each.name, family): self._pool(each, VERSIONS[family], before.get((each.name, family)))
            for each in descriptions
            for family in each.families
        }
        for version in _BITS:
            self._reindex(version)
        self._give_rest(self._take_rest(pool for key, pool in before.items() if self.pools.get(key) is not pool))

    def hold(self, address: str) -> bool:
        """Note that an address is held; False when that was known."""
        version, number = address_number(address)
        pool = self._pool_of(version, number)
        return self._held[version].hold(number) if pool is None else pool.hold(number)

    def holds(self, address: str) -> bool:
        """Whether an address is held; one that rests is not."""
        version, number = address_number(address)
        pool = self._pool_of(version, number)
        return self._held[version].holds(number) if pool is None else pool.holds(number)

    def release(self, address: str, *, unused: bool = False) -> bool:
        """Note that an address is held no longer; False when that was known. See `NumberPool.release`."""
        version, number = address_number(address)
        pool = self._pool_of(version, number)
        return self._held[version].free(number) if pool is None else pool.release(number, unused=unused)

    def rest(self, address: str, ago: float) -> None:
        """Let an address rest that was released some seconds ago, as long as its pool says."""
        version, number = address_number(address)
        pool = self._pool_of(version, number)
        if pool is not None:
            pool.rest_since(number, ago)

    def _pool(self, description: PoolDescription, version: int, before: FamilyPool | None) -> FamilyPool:
        if before is not None and before.description == description:
            return before
        return FamilyPool(description, version, self._held[version], self._clock)

    def _pool_of(self, version: int, number: int) -> NumberPool | None:
        firsts, lasts, pools = self._index[version]
        index = bisect_right(firsts, number) - 1
        return pools[index] if index >= 0 and number <= lasts[index] else None

    def _reindex(self, version: int) -> None:
        spans = sorted(
            (first, last, key)
            for key, pool in self.pools.items()
            if pool.version == version
            for first, last in pool.description.usable.of_version(version)
        )
        numbers = [self.pools[key].numbers for _, _, key in spans]
        self._index[version] = ([first for first, _, _ in spans], [last for _, last, _ in spans], numbers)

    def _take_rest(self, pools: Iterable[FamilyPool]) -> list[tuple[float, int, int]]:
        """What rests in pools that will be no more: until when, version and number."""
        return sorted((until, pool.version, number) for pool in pools for number, until in pool.numbers.take_rest())

    def _give_rest(self, resting: Iterable[tuple[float, int, int]]) -> None:
        """Let it rest in the pools that have it now."""
        heirs: dict[NumberPool, list[tuple[int, float]]] = {}
        for until, version, number in resting:
            heir = self._pool_of(version, number)
            if heir is None:
                self._held[version].free(number)
            else:
                heirs.setdefault(heir, []).append((number, until))
        for heir, numbers in heirs.items():
            heir.give_rest(numbers)
