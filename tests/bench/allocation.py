"""What one allocation costs, whatever the range and its fill: /12 and IPv6 /108, empty, half and 99 % full.

Run with `python -m tests.bench.allocation`.
"""

import random
import time

from app.domain.pools.address_pool import HeldAddresses
from app.domain.rules.address_ranges import service_range
from app.domain.rules.pool_description import PoolDescription

_RANGES = ("10.96.0.0/12", "fd00:10:96::/108")
_FILLS = (0.0, 0.5, 0.99)
_PICKS = 20_000


def main():
    print(f"{'range':<20}{'layout':<12}{'full':>6}{'us a pick and release':>24}{'of empty':>10}")
    for cidr in _RANGES:
        for layout in ("dense", "scattered"):
            empty = 0.0
            for fill in _FILLS:
                cost = _cost(cidr, layout, fill)
                empty = empty or cost
                print(f"{cidr:<20}{layout:<12}{fill:>6.0%}{cost * 1e6:>24.2f}{cost / empty:>10.2f}")


def _cost(cidr, layout, fill):
    """Seconds for one pick and the release of an older one, so that the fill stays."""
    chance = random.Random(7)
    ranges = (service_range(cidr),)
    held = HeldAddresses(time.monotonic)
    held.describe([PoolDescription("ClusterIP", "", ranges)])
    (pool,) = held.pools.values()
    numbers, first, size = pool.numbers, ranges[0].first, pool.size
    count = int(size * fill)
    taken = range(count) if layout == "dense" else chance.sample(range(size), count)
    for offset in taken:
        numbers.hold(first + offset)
    best = float("inf")
    for _ in range(3):
        picked = []
        started = time.perf_counter()
        for turn in range(_PICKS):
            number = numbers.pick(chance.randrange)
            assert number is not None
            picked.append(number)
            if turn >= 100:
                numbers.release(picked[turn - 100])
        best = min(best, (time.perf_counter() - started) / _PICKS)
        for number in picked[-100:]:
            numbers.release(number)
    return best


if __name__ == "__main__":
    main()
