"""What holds of pools whatever is held, released, excluded, picked and changed."""

from ipaddress import ip_address
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.pools.address_pool import HeldAddresses
from app.domain.pools.bitmap import Bitmap
from app.domain.pools.number_pool import SHARE_SET_ASIDE, NumberPool
from app.domain.rules.address_ranges import AddressRange, address_text, service_range
from app.domain.rules.address_sets import AddressSet, merged
from app.domain.rules.pool_description import PoolDescription

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["hold", "release", "pick", "set aside", "seek"]), st.integers(-2, 45), st.integers(0, 10**6)
    ),
    max_size=80,
)
SPANS = st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45)), max_size=5)
RANGES = st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45), st.integers(0, 20)), min_size=1, max_size=3)


def chance(seed):
    return lambda size: seed % size


def numbers_of(spans):
    return {number for low, high in spans for number in range(low, high + 1)}


def pool_of(ranges, excluded):
    """A pool over numbers 100 and up, and the numbers that it covers."""
    moved = [(low + 100, high + 100, band) for low, high, band in ranges]
    covered = numbers_of([(low, high) for low, high, _ in moved]) - {number + 100 for number in numbers_of(excluded)}
    usable = merged((number, number) for number in covered)
    return NumberPool(Bitmap(1000), moved, usable, lambda: 0.0), covered, moved


@given(RANGES, SPANS, OPERATIONS)
@settings(max_examples=300, deadline=None)
def test_a_pool_behaves_like_a_set(ranges, excluded, operations):
    """Against a model that knows every number by itself."""
    pool, available, moved = pool_of(ranges, excluded)
    held, aside = set(), set()
    assert pool.size == len(available)
    for action, at, seed in operations:
        number = 100 + at
        if action == "hold":
            assert pool.hold(number) == (number in available - held)
            held |= {number} & available
            aside.discard(number)
        elif action == "release":
            assert pool.release(number) == (number in held)
            held.discard(number)
        elif action == "pick":
            picked = pool.pick(chance(seed))
            if picked is None:
                assert available <= held
            else:
                assert picked in available - held
                above = {n for low, high, band in moved for n in range(low + band, high + 1)} & (available - held)
                assert picked in above or not above
                assert picked not in aside or above <= aside
                aside = aside - {picked} if picked not in aside and picked in above else set()
                held.add(picked)
        elif action == "set aside":
            found = pool.set_aside(number, chance(seed), 60.0)
            assert len(found) <= len(available - held - aside) // SHARE_SET_ASIDE
            assert len(set(found)) == len(found)
            assert set(found) <= available - held - aside
            assert all(any(low + band <= each <= high for low, high, band in moved) for each in found)
            aside |= set(found)
        else:
            assert pool.holds(number) == (number in held)
            assert pool.covers(number) == (number in available)
        assert pool.free == len(available - held)
        assert pool.used == len(held)


@given(st.sets(st.integers(0, 3000), max_size=60), st.integers(0, 3100), st.sampled_from([3001, 2**20, 2**64]))
@settings(max_examples=200, deadline=None)
def test_the_first_free_is_the_first_free(held, start, size):
    bitmap = Bitmap(size)
    for index in held:
        bitmap.hold(index)
    expected = next((index for index in range(start, 3200) if index not in held), None)
    assert bitmap.first_free(start) == (expected if expected is not None and expected < size else None)
    assert bitmap.held == len(held)


@given(st.sets(st.integers(0, 9000), max_size=60), st.integers(0, 9000), st.integers(0, 9000))
@settings(max_examples=200, deadline=None)
def test_counting_a_part_counts_what_is_held_there(held, first, last):
    bitmap = Bitmap(2**32)
    for index in held:
        bitmap.hold(index)
    assert bitmap.count(first, last) == sum(first <= index <= last for index in held)


@given(st.integers(0, 2**20), st.sampled_from([24, 28, 30, 31, 32]), st.lists(st.integers(0, 10**6), max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_cluster_ip_is_base_broadcast_or_given_twice(block, prefix, seeds):
    base = ip_address((10 << 24) + block * 2 ** (32 - prefix) % 2**24)
    held = HeldAddresses(lambda: 0.0)
    held.describe([PoolDescription("ClusterIP", "", (service_range(f"{base}/{prefix}"),))])
    pool = held.pools["ClusterIP", "IPv4"]
    found = [picked for seed in seeds if (picked := pool.pick(chance(seed))) is not None]
    assert len(set(found)) == len(found)
    offsets = [int(ip_address(text)) - int(base) for text in found]
    assert all(0 < offset < 2 ** (32 - prefix) - 1 for offset in offsets)
    assert len(found) == min(len(seeds), pool.size)


@given(RANGES, SPANS, st.integers(0, 10**6))
def test_the_parts_of_a_pool_are_what_it_covers_in_the_order_of_picks(ranges, excluded, seed):
    pool, available, _ = pool_of(ranges, excluded)
    looked_through = [number for low, high in pool.parts(chance(seed)) for number in range(low, high + 1)]
    assert set(looked_through) == available
    assert (looked_through or [None])[0] == pool.pick(chance(seed))


@given(SPANS, SPANS)
def test_sets_of_addresses_behave_like_sets(one, other):
    def made(spans):
        return AddressSet.of(AddressRange(4, low, high, 0, "") for low, high in spans)

    def numbers(some):
        return numbers_of(some.of_version(4))

    a, b = made(one), made(other)
    assert numbers(a) == numbers_of(one)
    assert numbers(a - b) == numbers_of(one) - numbers_of(other)
    assert numbers(a & b) == numbers_of(one) & numbers_of(other)
    assert numbers(a | b) == numbers_of(one) | numbers_of(other)
    assert bool(a) == bool(numbers_of(one))
    assert a.size(4) == len(numbers_of(one))
    assert {number for number in range(50) if address_text(4, number) in a} == numbers_of(one)
    for each in (a - b, a & b, a | b):
        spans = each.of_version(4)
        assert all(high + 1 < low for (_, high), (low, _) in pairwise(spans))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.integers(0, 40)),
        st.tuples(st.just("release"), st.integers(0, 40)),
        st.tuples(st.just("pick"), st.integers(0, 10**6)),
        st.tuples(st.just("set aside"), st.integers(0, 10**6)),
        st.tuples(st.just("describe"), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), max_size=3)),
        st.tuples(st.just("wait"), st.integers(1, 50)),
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=300, deadline=None)
def test_whatever_becomes_of_the_pools_what_is_held_is_never_given(steps):
    """Disjoint pools come, go and change; held, picked and released are followed by a plain model."""
    now = [0.0]
    held = HeldAddresses(lambda: now[0])
    model: set[str] = set()
    for action, value in steps:
        if action == "hold":
            held.hold(f"10.0.0.{value}")
            model.add(f"10.0.0.{value}")
        elif action == "release":
            address = f"10.0.0.{value}"
            assert held.release(address) == (address in model)
            model.discard(address)
        elif action == "wait":
            now[0] += value
        elif action == "describe":
            held.describe(disjoint(value))
        elif action == "set aside":
            assert not {each for pool in held.pools.values() for each in pool.set_aside(3, chance(value), 60.0)} & model
        else:
            picked = [pool.pick(chance(value)) for pool in held.pools.values()]
            assert not model & set(picked)
            model |= set(picked) - {None}
        for pool in held.pools.values():
            members = {address for address in map("10.0.0.{}".format, range(60)) if pool.covers(address)}
            assert pool.numbers.used == len(members & model)
            assert pool.size == pool.numbers.used + pool.numbers.resting + pool.free


def disjoint(spans):
    """One pool a span, each without what the ones before it have."""
    found, taken = [], set()
    for index, (first, length) in enumerate(spans):
        numbers = set(range(first, first + length + 1)) - taken
        taken |= numbers
        texts = [f"10.0.0.{low}-10.0.0.{high}" for low, high in merged((n, n) for n in numbers)]
        if texts:
            found.append(PoolDescription.of(f"pool-{index}", "external", texts, reuse_after_seconds=30 * (index % 2)))
    return found
