"""Pools: what is in one, what is picked and in which order, and what picking costs."""

import random
import sys

import pytest

from app.domain.pools.address_pool import HeldAddresses
from app.domain.pools.bitmap import Bitmap
from app.domain.pools.number_pool import KEPT_BACK, MOST_SET_ASIDE, NumberPool, PortPool
from app.domain.pools.pool_set import PoolSet
from app.domain.rules.address_ranges import address_number, service_range, static_band
from app.domain.rules.pool_description import PoolDescription
from tests.unit.rules.builders import cluster


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def lowest(_size):
    return 0


def highest(size):
    return size - 1


def numbers(first, last, *, band=0, usable=None, **more):
    """A pool of one range over a bitmap of its own."""
    spans = [(first, last)] if usable is None else usable
    return NumberPool(Bitmap(last + 1), [(first, last, band)], spans, more.pop("clock", Clock()), **more)


def address_pool(*texts, exclude=(), **more):
    """The one pool over addresses of which none is held."""
    return laid([PoolDescription.of("pool", "external", texts, exclude, **more)])[0]


def service_pool(*cidrs):
    return laid([PoolDescription("ClusterIP", "", tuple(map(service_range, cidrs)))])[0]


def laid(descriptions, clock=None):
    held = HeldAddresses(clock or Clock())
    held.describe(descriptions)
    return list(held.pools.values())


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

    @pytest.mark.parametrize("size", [1, 1023, 1024, 1025, 1024**2, 1024**2 + 1, 2**64, 2**128])
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

    @pytest.mark.parametrize(
        ("first", "last", "count"),
        [
            (0, 2**40, 5),
            (0, 0, 1),
            (1, 1022, 0),
            (0, 1023, 2),
            (1023, 1024, 2),
            (1024, 2**30, 2),
            (2**30, 2**30, 1),
            (2**30 + 1, 2**40, 1),
            (9, 8, 0),
        ],
    )
    def test_counts_what_is_held_in_a_part(self, first, last, count):
        bitmap = Bitmap(2**41)
        for index in (0, 1023, 1024, 2**30, 2**40):
            bitmap.hold(index)
        assert bitmap.count(first, last) == count


class TestClusterIps:
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
    def test_leave_out_the_base_and_the_broadcast(self, cidr, size, first, last):
        pool = service_pool(cidr)
        assert (pool.size, pool.free, pool.label) == (size, size, f"ClusterIP {cidr}")
        version, low = address_number(first)
        assert [pool.covers(address) for address in (first, last)] == [True, True]
        assert not pool.numbers.covers(low - 1)
        assert not pool.numbers.covers(address_number(last)[1] + 1)
        assert pool.version == version

    @pytest.mark.parametrize("cidr", ["10.0.0.0/31", "10.0.0.0/32", "255.255.255.255/32", "fd00::/128"])
    def test_may_have_nothing_to_give(self, cidr):
        pool = service_pool(cidr)
        assert pool.size == 0
        assert pool.pick(lowest) is None

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

    def test_are_picked_above_the_band_first_and_from_it_last(self):
        found = drained(service_pool("10.0.0.0/24"))
        assert found[0] == "10.0.0.17"
        assert found[-16:] == [f"10.0.0.{index}" for index in range(1, 17)]
        assert len(set(found)) == 254

    def test_the_bands_of_all_ranges_come_last(self):
        found = drained(service_pool("10.0.0.0/27", "10.0.1.0/27"))
        assert found[:28] == [*(f"10.0.0.{n}" for n in range(17, 31)), *(f"10.0.1.{n}" for n in range(17, 31))]
        assert found[28:] == [*(f"10.0.0.{n}" for n in range(1, 17)), *(f"10.0.1.{n}" for n in range(1, 17))]

    def test_picks_start_anywhere_and_wrap(self):
        found = drained(service_pool("10.0.0.0/24"), highest)
        assert found[:3] == ["10.0.0.254", "10.0.0.17", "10.0.0.18"]
        starts = []
        pool = service_pool("10.0.0.0/24")
        pool.hold("10.0.0.254")
        assert pool.pick(lambda size: starts.append(size) or size - 1) == "10.0.0.17"
        assert starts == [238]

    def test_band_of_the_largest_range(self):
        assert service_pool("10.96.0.0/12").pick(lowest) == "10.96.1.1"


class TestAddressPool:
    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("10.240.0.0/22", 1022),
            ("10.0.0.4-10.0.0.9", 6),
            ("10.0.0.4 - 10.0.0.4", 1),
            ("10.0.0.0/31", 2),
            ("10.0.0.7", 1),
            ("fd00::/112", 65535),
            ("fd00::1-fd00::2", 2),
        ],
    )
    def test_size(self, text, size):
        pool = address_pool(text)
        assert (pool.size, pool.label) == (size, f"pool {text}")

    def test_the_label_names_few_ranges(self):
        pool = address_pool(*(f"10.0.{n}.0/24" for n in range(9)))
        assert pool.label == "pool 10.0.0.0/24, 10.0.1.0/24, 10.0.2.0/24, and 6 more"

    def test_has_no_band(self):
        assert address_pool("10.240.0.0/22").pick(lowest) == "10.240.0.1"

    def test_a_pool_of_both_families_is_two(self):
        one, other = laid([PoolDescription.of("pool", "external", ["10.0.0.1", "fd00::1"])])
        assert (one.pick(lowest), one.pick(lowest)) == ("10.0.0.1", None)
        assert (other.pick(lowest), other.pick(lowest)) == ("fd00::1", None)

    def test_takes_the_first_range_that_has_one(self):
        pool = address_pool("10.0.0.1-10.0.0.2", "10.1.0.1")
        assert (pool.size, pool.free, pool.label) == (3, 3, "pool 10.0.0.1-10.0.0.2, 10.1.0.1")
        assert drained(pool) == ["10.0.0.1", "10.0.0.2", "10.1.0.1"]
        assert pool.free == 0

    def test_ranges_may_overlap(self):
        pool = service_pool("10.0.0.0/29", "10.0.0.0/28")
        assert pool.size == 14
        assert sorted(drained(pool)) == sorted(f"10.0.0.{index}" for index in range(1, 15))
        assert pool.free == 0

    def test_of_another_family_are_not_there(self):
        pool = address_pool("10.96.0.0/16")
        assert not pool.covers("fd00::1")
        assert not pool.hold("fd00::1")
        assert not pool.holds("fd00::1")

    def test_outside_are_not_there(self):
        pool = address_pool("10.96.0.0/16")
        for address in ("10.95.255.255", "10.96.0.0", "10.97.0.0"):
            assert not pool.covers(address)
            assert not pool.hold(address)
            assert not pool.holds(address)
        assert pool.free == 65534


class TestExclusions:
    def test_are_never_picked(self):
        excluded = ["10.0.0.16/28", "10.0.0.20-10.0.0.40", "10.0.0.254", "10.0.1.0/24", "9.0.0.0/8", "fd00::/64"]
        pool = address_pool("10.0.0.0/24", exclude=excluded)
        assert pool.size == pool.free == 254 - (40 - 16 + 1) - 1
        covered = {last: pool.covers(f"10.0.0.{last}") for last in (15, 16, 40, 41, 254)}
        assert covered == {15: True, 16: False, 40: False, 41: True, 254: False}
        found = drained(pool)
        assert len(found) == pool.size
        assert pool.free == 0
        assert {f"10.0.0.{index}" for index in [*range(1, 16), *range(41, 254)]} == set(found)

    def test_a_start_inside_goes_on_behind(self):
        assert numbers(0, 9, usable=[(0, 3), (7, 9)]).pick(lambda _size: 5) == 7

    def test_wraps_over_an_exclusion_at_the_end(self):
        assert numbers(0, 9, usable=[(0, 6)]).pick(lambda _size: 8) == 0

    def test_everything_excluded(self):
        assert numbers(0, 9, usable=[]).pick(lowest) is None


class TestPorts:
    def test_band(self):
        ports = PortPool(30000, 32767, Clock())
        assert ports.pick(lowest) == 30086
        assert ports.pick(highest) == 32767
        assert (ports.size, ports.free, ports.label) == (2768, 2766, "node ports 30000-32767")

    def test_one(self):
        ports = PortPool(30000, 30000, Clock())
        assert ports.pick(lowest) == 30000
        assert ports.pick(lowest) is None
        assert ports.release(30000)
        assert ports.pick(lowest) == 30000

    def test_covers(self):
        ports = PortPool(30000, 30001, Clock())
        assert [ports.covers(number) for number in (29999, 30000, 30001, 30002)] == [False, True, True, False]

    def test_empty(self):
        ports = PortPool(5, 4, Clock())
        assert ports.pick(lowest) is None
        assert ports.size == 0
        assert not ports.hold(5)


class TestSetAside:
    """What is meant for somebody in particular is free, and picked by others last."""

    def test_it_is_free_and_not_picked_while_there_is_anything_else(self):
        pool = numbers(0, 31)
        assert pool.set_aside(5, lowest, 60.0) == [0, 1]
        assert (pool.free, pool.used) == (32, 0)
        assert not pool.holds(0)
        found = drained(pool)
        assert found[:30] == list(range(2, 32))
        assert set(found) == set(range(32))

    def test_a_client_that_asks_for_it_gets_it(self):
        pool = numbers(0, 31)
        assert pool.set_aside(1, lowest, 60.0) == [0]
        assert pool.hold(0)
        assert (pool.free, pool.used) == (31, 1)
        assert pool.release(0)
        assert pool.free == 32

    def test_it_was_not_held(self):
        pool = numbers(0, 31)
        assert pool.set_aside(1, lowest, 60.0) == [0]
        assert not pool.release(0)

    def test_it_is_picked_before_the_band(self):
        pool = numbers(0, 39, band=20)
        assert pool.set_aside(2, lowest, 60.0) == [20, 21]
        assert sorted(drained(pool)[:20]) == list(range(20, 40))

    def test_nothing_of_the_band(self):
        pool = numbers(0, 39, band=39)
        assert pool.set_aside(2, lowest, 60.0) == [39]

    def test_after_its_time_it_is_as_any_other(self):
        clock = Clock()
        pool = numbers(0, 31, clock=clock)
        assert pool.set_aside(2, lowest, 60.0) == [0, 1]
        clock.now += 59
        assert pool.set_aside(1, lowest, 60.0) == [2]
        clock.now += 1
        assert pool.set_aside(1, lowest, 60.0) == [0]

    def test_never_more_than_a_small_part(self):
        assert numbers(0, 14).set_aside(9, lowest, 60.0) == []
        pool = numbers(0, 10**6)
        assert len(pool.set_aside(10**6, lowest, 60.0)) == MOST_SET_ASIDE
        assert pool.set_aside(1, lowest, 60.0) == []

    def test_nothing_that_rests(self):
        pool = numbers(0, 31, rest=60.0)
        assert pool.hold(0)
        assert pool.release(0)
        assert pool.set_aside(1, lowest, 90.0) == [1]

    def test_another_pool_takes_it_over(self):
        clock = Clock()
        held = HeldAddresses(clock)
        held.describe([PoolDescription.of("a", "external", ["10.0.0.0-10.0.0.63"])])
        aside = held.pools["a", "IPv4"].set_aside(3, lowest, 60.0)
        assert len(aside) == 3
        held.describe([PoolDescription.of("b", "external", ["10.0.0.0-10.0.0.63"])])
        assert held.pools["b", "IPv4"].free == 64
        assert set(drained(held.pools["b", "IPv4"])) == {f"10.0.0.{number}" for number in range(64)}

    def test_no_stock_of_addresses_that_rest_nor_of_a_pool_that_gives_none(self):
        def aside(**more):
            pools = PoolSet(lowest, Clock())
            description = PoolDescription.of("a", "external", ["10.0.0.0-10.0.0.63"], **more)
            pools.describe(cluster(pools=(description,)))
            return pools.set_aside(("lb_addresses", "a", "IPv4"), 1, 60.0)

        assert aside() == ["10.0.0.0"]
        assert aside(reuse_after_seconds=1) == []
        assert aside(obstacle="it drains") == []


class TestKeptBack:
    """What was released last is picked last."""

    def test_is_not_picked_while_there_is_anything_else(self):
        pool = numbers(1, 4)
        assert [pool.pick(lowest), pool.pick(lowest)] == [1, 2]
        assert pool.release(1)
        assert not pool.holds(1)
        assert pool.free == 3
        assert drained(pool) == [3, 4, 1]

    def test_is_picked_before_the_static_band(self):
        pool = numbers(1, 4, band=2)
        assert [pool.pick(lowest), pool.pick(lowest)] == [3, 4]
        pool.release(4)
        assert drained(pool) == [4, 1, 2]

    def test_in_the_static_band(self):
        pool = numbers(1, 3, band=2)
        assert pool.hold(1)
        pool.release(1)
        assert drained(pool) == [3, 1, 2]

    def test_whoever_asks_for_it_gets_it(self):
        pool = numbers(1, 4)
        pool.pick(lowest)
        pool.release(1)
        assert not pool.release(1)
        assert pool.hold(1)
        assert not pool.hold(1)
        assert pool.free == 3
        assert drained(pool) == [2, 3, 4]

    def test_only_so_many_are(self):
        pool = numbers(1, 1000)
        for number in range(1, KEPT_BACK + 3):
            pool.hold(number)
        for number in range(1, KEPT_BACK + 3):
            pool.release(number)
        assert [pool.pick(lowest) for _ in range(3)] == [1, 2, KEPT_BACK + 3]


class TestResting:
    """Where a pool says so, nobody is given what was released a moment ago."""

    def test_is_not_picked_even_if_nothing_else_is_left(self):
        clock = Clock()
        pool = numbers(1, 3, clock=clock, rest=60)
        assert drained(pool) == [1, 2, 3]
        pool.release(2)
        clock.now += 30
        pool.release(1)
        assert (pool.used, pool.resting, pool.free, pool.pick(lowest)) == (1, 2, 0, None)
        clock.now += 30
        assert (pool.used, pool.resting, pool.free, pool.pick(lowest)) == (1, 1, 1, 2)
        assert pool.pick(lowest) is None
        clock.now += 30
        assert drained(pool) == [1]

    def test_whoever_asks_for_it_gets_it(self):
        pool = numbers(1, 3, rest=60)
        pool.pick(lowest)
        pool.release(1)
        assert pool.hold(1)
        assert (pool.used, pool.resting, pool.free) == (1, 0, 2)

    def test_what_nobody_used_need_not_rest(self):
        pool = numbers(1, 1, rest=60)
        pool.pick(lowest)
        assert pool.release(1, unused=True)
        assert (pool.resting, pool.free, pool.pick(lowest)) == (0, 1, 1)


ONE, TWO = "10.0.0.1-10.0.0.4", "10.0.0.5-10.0.0.8"


class TestChangingPools:
    """What is held stays held, whatever becomes of the pools."""

    def fills(self, held):
        return {key: (pool.size, pool.numbers.used, pool.free) for key, pool in held.pools.items()}

    def test_they_come_over_what_is_held(self):
        held = HeldAddresses(Clock())
        for address in ("10.0.0.2", "10.0.0.6", "fd00::1"):
            assert held.hold(address)
            assert not held.hold(address)
        held.describe([PoolDescription.of("one", "external", [ONE, "fd00::/120"])])
        assert self.fills(held) == {("one", "IPv4"): (4, 1, 3), ("one", "IPv6"): (255, 1, 254)}
        held.describe([PoolDescription.of("two", "external", [ONE, TWO], ["10.0.0.2"])])
        assert self.fills(held) == {("two", "IPv4"): (7, 1, 6)}
        assert drained(held.pools["two", "IPv4"]) == [f"10.0.0.{n}" for n in (1, 3, 4, 5, 7, 8)]

    def test_what_lies_in_none_is_held_and_released(self):
        held = HeldAddresses(Clock())
        assert held.hold("10.0.0.2")
        assert held.release("10.0.0.2")
        assert not held.release("10.0.0.2")
        held.describe([PoolDescription.of("one", "external", [ONE])])
        assert self.fills(held) == {("one", "IPv4"): (4, 0, 4)}

    def test_one_that_stays_as_it_was_stays_the_same(self):
        held = HeldAddresses(Clock())
        one, two = PoolDescription.of("one", "external", [ONE]), PoolDescription.of("two", "external", [TWO])
        held.describe([one, two])
        before = dict(held.pools)
        held.describe([one, PoolDescription.of("two", "external", [TWO], reuse_after_seconds=9)])
        assert held.pools["one", "IPv4"] is before["one", "IPv4"]
        assert held.pools["two", "IPv4"] is not before["two", "IPv4"]

    def test_what_rests_goes_on_resting(self):
        clock = Clock()
        held = HeldAddresses(clock)
        held.describe([PoolDescription.of("one", "external", [ONE, TWO], reuse_after_seconds=60)])
        for address in ("10.0.0.2", "10.0.0.6", "10.0.0.8"):
            held.hold(address)
            held.release(address)
        held.describe([PoolDescription.of("two", "external", [ONE], reuse_after_seconds=5)])
        assert self.fills(held) == {("two", "IPv4"): (4, 0, 3)}
        held.clear()
        assert self.fills(held) == {("two", "IPv4"): (4, 0, 3)}
        clock.now += 5
        assert self.fills(held) == {("two", "IPv4"): (4, 0, 4)}
        held.describe([PoolDescription.of("three", "external", [ONE, TWO])])
        assert self.fills(held) == {("three", "IPv4"): (8, 0, 8)}
        assert len(drained(held.pools["three", "IPv4"])) == 8

    def test_forgetting_forgets_what_is_held(self):
        held = HeldAddresses(Clock())
        held.describe([PoolDescription.of("one", "external", [ONE])])
        held.hold("10.0.0.2")
        held.clear()
        assert self.fills(held) == {("one", "IPv4"): (4, 0, 4)}


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
    pool = numbers(1, size, band=256)
    chance = random.Random(1).randrange
    empty = max(steps_of(lambda: pool.pick(chance)) for _ in range(20))
    order = list(range(1, size + 1))
    if fill == "scattered":
        random.Random(1).shuffle(order)
    if fill == "alternating":
        order = [*range(1, size + 1, 2), *range(2, size + 1, 2)]
    for number in order[: size * 99 // 100]:
        pool.hold(number)
    full = max(steps_of(lambda: pool.pick(chance)) for _ in range(20))
    assert full <= empty * 2


@pytest.mark.parametrize("text", ["10.0.0.0/12", "fd00::/64"])
def test_a_pick_costs_little_more_in_a_larger_pool(text):
    small, large = address_pool("10.0.0.0/24"), address_pool(text)
    assert steps_of(lambda: large.pick(lowest)) <= steps_of(lambda: small.pick(lowest)) * 3


def test_a_change_of_pools_costs_little_however_much_is_held():
    """Counted by words of 1024 numbers, not by number."""
    held = HeldAddresses(Clock())
    for number in range(2**18):
        held._held[4].hold(number)
    described = [PoolDescription.of("one", "external", ["0.0.0.0/12"])]
    assert steps_of(lambda: held.describe(described)) < 2_000
    assert held.pools["one", "IPv4"].numbers.used == 2**18 - 1
