"""Ranges: what is in one, what is picked and in which order, and what picking costs."""

import random
import sys

import pytest

from app.domain.pools.bitmap import Bitmap
from app.domain.pools.family_pool import FamilyPool, RangePool
from app.domain.pools.number_pool import RESTING, NumberPool, PortPool
from app.domain.rules.address_ranges import bounds, pool_range, service_range, static_band


def lowest(_size):
    return 0


def highest(size):
    return size - 1


def drained(pool, random_below=lowest):
    found = []
    while (value := pool.pick(random_below)) is not None:
        found.append(value)
    return found


class TestBitmap:
    def test_holds_and_frees(self):
        bitmap = Bitmap(5000)
        assert bitmap.hold(4999)
        assert not bitmap.hold(4999)
        assert bitmap.holds(4999)
        assert not bitmap.holds(4998)
        assert bitmap.held == 1
        assert bitmap.free(4999)
        assert not bitmap.free(4999)
        assert bitmap.held == 0

    @pytest.mark.parametrize("index", [-1, 10, 1024])
    def test_refuses_what_is_outside(self, index):
        with pytest.raises(ValueError, match=f"^{index} is not in 0..9$"):
            Bitmap(10).hold(index)

    @pytest.mark.parametrize("size", [1, 1023, 1024, 1025, 1024**2, 1024**2 + 1, 2**64])
    def test_finds_the_first_free_across_full_words(self, size):
        bitmap = Bitmap(size)
        for index in range(min(size, 3000)):
            bitmap.hold(index)
        assert bitmap.first_free(0) == (3000 if size > 3000 else None)
        assert bitmap.first_free(size - 1) == (size - 1 if size > 3000 else None)

    def test_climbs_over_a_full_branch(self):
        bitmap = Bitmap(1024**2 * 2)
        for index in range(1024**2):
            bitmap.hold(index)
        assert bitmap.first_free(5) == 1024**2
        bitmap.free(1024**2 - 1)
        assert bitmap.first_free(5) == 1024**2 - 1
        assert bitmap.first_free(1024**2) == 1024**2

    def test_forgets_empty_words(self):
        bitmap = Bitmap(2**40)
        before = sum(map(len, bitmap._levels))
        for index in (0, 2**20, 2**39):
            bitmap.hold(index)
        for index in (0, 2**20, 2**39):
            bitmap.free(index)
        assert sum(map(len, bitmap._levels)) == before == 0


class TestServiceCidr:
    @pytest.mark.parametrize(
        ("cidr", "size", "first", "last"),
        [
            ("10.96.0.0/16", 65534, "10.96.0.1", "10.96.255.254"),
            ("10.96.0.0/12", 2**20 - 2, "10.96.0.1", "10.111.255.254"),
            ("10.0.0.0/29", 6, "10.0.0.1", "10.0.0.6"),
            ("10.0.0.0/30", 2, "10.0.0.1", "10.0.0.2"),
            ("fd00::/112", 65535, "fd00::1", "fd00::ffff"),
            ("fd00::/64", 2**64 - 1, "fd00::1", "fd00::ffff:ffff:ffff:ffff"),
            ("fd00::/127", 1, "fd00::1", "fd00::1"),
        ],
    )
    def test_leaves_out_the_base_and_the_broadcast(self, cidr, size, first, last):
        part = RangePool(service_range(cidr))
        assert (part.size, part.free, part.name) == (size, size, cidr)
        assert part.family == ("IPv6" if ":" in cidr else "IPv4")
        assert part.covers(first)
        assert part.covers(last)
        base, top = (str(address) for address in bounds(cidr))
        assert not part.covers(base)
        assert part.covers(top) == (":" in cidr)

    @pytest.mark.parametrize("cidr", ["10.0.0.0/31", "10.0.0.0/32", "255.255.255.255/32", "fd00::/128"])
    def test_may_have_nothing_to_give(self, cidr):
        part = RangePool(service_range(cidr))
        assert part.size == 0
        assert part.pick(lowest) is None

    def test_refuses_host_bits(self):
        with pytest.raises(ValueError, match="has host bits set"):
            RangePool(service_range("10.0.0.1/24"))

    @pytest.mark.parametrize(
        ("size", "share", "limit", "band"),
        [
            (16, 16, 256, 0),
            (17, 16, 256, 16),
            (254, 16, 256, 16),
            (1022, 16, 256, 63),
            (65534, 16, 256, 256),
            (16, 32, 128, 0),
            (600, 32, 128, 18),
            (2768, 32, 128, 86),
            (50000, 32, 128, 128),
        ],
    )
    def test_static_band(self, size, share, limit, band):
        assert static_band(size, share=share, limit=limit) == band

    def test_picks_above_the_band_first_and_from_it_last(self):
        part = RangePool(service_range("10.0.0.0/24"))
        found = drained(part)
        assert found[0] == "10.0.0.17"
        assert found[-16:] == [f"10.0.0.{index}" for index in range(1, 17)]
        assert len(set(found)) == 254

    def test_starts_anywhere_and_wraps(self):
        part = RangePool(service_range("10.0.0.0/24"))
        found = drained(part, highest)
        assert found[:3] == ["10.0.0.254", "10.0.0.17", "10.0.0.18"]
        starts = []
        part = RangePool(service_range("10.0.0.0/24"))
        part.hold("10.0.0.254")
        assert part.pick(lambda size: starts.append(size) or size - 1) == "10.0.0.17"
        assert starts == [238]

    def test_bands_of_the_largest_range(self):
        part = RangePool(service_range("10.96.0.0/12"))
        assert part.pick(lowest) == "10.96.1.1"


class TestPool:
    @pytest.mark.parametrize(
        ("text", "size", "name"),
        [
            ("10.240.0.0/22", 1022, "10.240.0.0/22"),
            ("10.0.0.4-10.0.0.9", 6, "10.0.0.4-10.0.0.9"),
            ("10.0.0.4 - 10.0.0.4", 1, "10.0.0.4 - 10.0.0.4"),
            ("10.0.0.0/31", 2, "10.0.0.0/31"),
            ("10.0.0.7", 1, "10.0.0.7"),
            ("fd00::/112", 65535, "fd00::/112"),
            ("fd00::1-fd00::2", 2, "fd00::1-fd00::2"),
        ],
    )
    def test_size(self, text, size, name):
        part = RangePool(pool_range(text))
        assert (part.size, part.name) == (size, name)

    @pytest.mark.parametrize("text", ["10.0.0.9-10.0.0.4", "10.0.0.1-fd00::1", "x", "10.0.0.1/24", "1-2-3"])
    def test_refuses_nonsense(self, text):
        with pytest.raises(ValueError, match=r"."):
            RangePool(pool_range(text))

    def test_says_what_is_wrong_with_a_range(self):
        with pytest.raises(
            ValueError, match=r"^'10.0.0.9-10.0.0.4' is no range: write the lower address first, both of"
        ):
            bounds("10.0.0.9-10.0.0.4")

    def test_has_no_band(self):
        assert RangePool(pool_range("10.240.0.0/22")).pick(lowest) == "10.240.0.1"


class TestExclusions:
    def test_are_never_picked(self):
        excluded = ["10.0.0.16/28", "10.0.0.20-10.0.0.40", "10.0.0.254", "10.0.1.0/24", "9.0.0.0/8", "fd00::/64"]
        part = RangePool(service_range("10.0.0.0/24"), exclusions=excluded)
        assert part.size == part.free == 254 - (40 - 16 + 1) - 1
        assert not part.covers("10.0.0.16")
        assert not part.covers("10.0.0.40")
        assert part.covers("10.0.0.15")
        assert part.covers("10.0.0.41")
        assert not part.covers("10.0.0.254")
        found = drained(part)
        assert len(found) == part.size
        assert part.free == 0
        assert {f"10.0.0.{index}" for index in [*range(1, 16), *range(41, 254)]} == set(found)

    def test_an_excluded_address_that_is_held_stays_held(self):
        part = RangePool(pool_range("10.0.0.1-10.0.0.3"), exclusions=["10.0.0.2"])
        assert part.hold("10.0.0.2")
        assert part.holds("10.0.0.2")
        assert part.free == 2
        assert part.release("10.0.0.2")
        assert part.free == 2

    def test_touching_exclusions_become_one(self):
        numbers = NumberPool(0, 9, exclusions=[(2, 3), (4, 5), (3, 6), (8, 7), (-5, -1)])
        assert numbers._exclusions == [(2, 7)]
        assert numbers.size == 5

    def test_a_start_inside_goes_on_behind(self):
        numbers = NumberPool(0, 9, exclusions=[(4, 6)])
        assert numbers.pick(lambda _size: 5) == 7

    def test_wraps_over_an_exclusion_at_the_end(self):
        numbers = NumberPool(0, 9, exclusions=[(7, 9)])
        assert numbers.pick(lambda _size: 8) == 0

    def test_everything_excluded(self):
        assert NumberPool(0, 9, exclusions=[(0, 9)]).pick(lowest) is None


class TestAddresses:
    def test_of_another_family_are_not_there(self):
        part = RangePool(service_range("10.96.0.0/16"))
        assert not part.covers("fd00::1")
        assert not part.hold("fd00::1")
        assert not part.holds("fd00::1")
        assert not part.release("fd00::1")

    def test_outside_are_not_there(self):
        part = RangePool(service_range("10.96.0.0/16"))
        for address in ("10.95.255.255", "10.97.0.0"):
            assert not part.covers(address)
            assert not part.hold(address)
            assert not part.holds(address)
            assert not part.release(address)
        assert part.free == 65534

    def test_are_held_once(self):
        part = RangePool(service_range("10.96.0.0/16"))
        assert part.hold("10.96.0.1")
        assert not part.hold("10.96.0.1")
        assert part.free == 65533
        assert part.release("10.96.0.1")
        assert not part.release("10.96.0.1")
        assert part.free == 65534


class TestPorts:
    def test_band(self):
        ports = PortPool(30000, 32767)
        assert ports.pick(lowest) == 30086
        assert ports.pick(highest) == 32767
        assert (ports.size, ports.free, ports.label) == (2768, 2766, "node ports 30000-32767")

    def test_one(self):
        ports = PortPool(30000, 30000)
        assert ports.pick(lowest) == 30000
        assert ports.pick(lowest) is None
        assert ports.release(30000)
        assert ports.pick(lowest) == 30000

    def test_covers(self):
        ports = PortPool(30000, 30001)
        assert [ports.covers(number) for number in (29999, 30000, 30001, 30002)] == [False, True, True, False]

    def test_empty(self):
        assert NumberPool(5, 4).pick(lowest) is None
        assert NumberPool(5, 4).size == 0
        assert not NumberPool(5, 4).hold(5)


class TestResting:
    """What was released last is picked last."""

    def test_is_not_picked_while_there_is_anything_else(self):
        numbers = NumberPool(1, 4)
        assert [numbers.pick(lowest), numbers.pick(lowest)] == [1, 2]
        assert numbers.release(1)
        assert not numbers.holds(1)
        assert numbers.free == 3
        assert drained(numbers) == [3, 4, 1]

    def test_is_picked_before_the_static_band(self):
        numbers = NumberPool(1, 4, band=2)
        assert [numbers.pick(lowest), numbers.pick(lowest)] == [3, 4]
        numbers.release(4)
        assert drained(numbers) == [4, 1, 2]

    def test_in_the_static_band(self):
        numbers = NumberPool(1, 3, band=2)
        assert numbers.hold(1)
        numbers.release(1)
        assert drained(numbers) == [3, 1, 2]

    def test_whoever_asks_for_it_gets_it(self):
        numbers = NumberPool(1, 4)
        numbers.pick(lowest)
        numbers.release(1)
        assert not numbers.release(1)
        assert numbers.hold(1)
        assert not numbers.hold(1)
        assert numbers.free == 3
        assert drained(numbers) == [2, 3, 4]

    def test_only_so_many_do(self):
        numbers = NumberPool(1, 1000)
        for number in range(1, RESTING + 3):
            numbers.hold(number)
        for number in range(1, RESTING + 3):
            numbers.release(number)
        assert [numbers.pick(lowest) for _ in range(3)] == [1, 2, RESTING + 3]

    def test_an_excluded_one_is_still_not_picked(self):
        numbers = NumberPool(1, 3, exclusions=[(2, 2)])
        numbers.hold(2)
        numbers.release(2)
        assert numbers.free == 2
        assert drained(numbers) == [1, 3]


class TestPoolOfRanges:
    def test_takes_the_first_range_that_has_one(self):
        pool = FamilyPool("ClusterIP", [RangePool(pool_range("10.0.0.1-10.0.0.2")), RangePool(pool_range("10.1.0.1"))])
        assert (pool.size, pool.free, pool.label) == (3, 3, "ClusterIP 10.0.0.1-10.0.0.2, 10.1.0.1")
        assert drained(pool) == ["10.0.0.1", "10.0.0.2", "10.1.0.1"]
        assert pool.free == 0

    def test_ranges_may_overlap(self):
        pool = FamilyPool("x", [RangePool(pool_range("10.0.0.1-10.0.0.4")), RangePool(pool_range("10.0.0.3-10.0.0.6"))])
        assert sorted(drained(pool)) == [f"10.0.0.{index}" for index in range(1, 7)]
        assert pool.release("10.0.0.3")
        assert pool.free == 2
        assert pool.pick(lowest) == "10.0.0.3"
        assert pool.free == 0

    def test_holds_wherever_it_lies(self):
        pool = FamilyPool("x", [RangePool(pool_range("10.0.0.1-10.0.0.4")), RangePool(pool_range("10.0.0.3-10.0.0.6"))])
        assert pool.hold("10.0.0.3")
        assert not pool.hold("10.0.0.3")
        assert [part.holds("10.0.0.3") for part in pool.ranges] == [True, True]
        assert pool.holds("10.0.0.3")
        assert not pool.holds("10.0.0.4")
        assert pool.covers("10.0.0.6")
        assert not pool.covers("10.0.0.7")
        assert not pool.hold("10.0.0.7")
        assert not pool.release("10.0.0.7")

    def test_without_ranges(self):
        pool = FamilyPool("x", [])
        assert pool.pick(lowest) is None
        assert not pool.covers("10.0.0.1")


def steps_of(action):
    """How many function calls and lines an action takes: a measure of cost that no other process disturbs."""
    steps = 0

    def tracer(*_event):
        nonlocal steps
        steps += 1
        return tracer

    sys.settrace(tracer)
    try:
        action()
    finally:
        sys.settrace(None)
    return steps


@pytest.mark.parametrize("fill", ["dense", "scattered", "alternating"])
def test_a_pick_costs_the_same_however_full(fill):
    """A /12 with 1,048,574 addresses, 99 % of them held, against an empty one."""
    size = 2**20 - 2
    numbers = NumberPool(1, size, band=256)
    chance = random.Random(1).randrange
    empty = max(steps_of(lambda: numbers.pick(chance)) for _ in range(20))
    order = list(range(1, size + 1))
    if fill == "scattered":
        random.Random(1).shuffle(order)
    if fill == "alternating":
        order = [*range(1, size + 1, 2), *range(2, size + 1, 2)]
    for number in order[: size * 99 // 100]:
        numbers.hold(number)
    full = max(steps_of(lambda: numbers.pick(chance)) for _ in range(20))
    assert full <= empty * 2


@pytest.mark.parametrize("bits", [20, 40, 64])
def test_a_pick_costs_little_more_in_a_larger_range(bits):
    small = steps_of(lambda: NumberPool(0, 2**16).pick(lowest))
    assert steps_of(lambda: NumberPool(0, 2**bits).pick(lowest)) <= small * 3
