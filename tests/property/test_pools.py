"""What holds of ranges whatever is held, released, excluded and picked."""

from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.pools.bitmap import Bitmap
from app.domain.pools.family_pool import RangePool
from app.domain.pools.number_pool import NumberPool
from app.domain.rules.address_ranges import service_range

OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["hold", "release", "pick", "seek"]), st.integers(-2, 45), st.integers(0, 10**6)),
    max_size=80,
)
PARTS = st.lists(st.tuples(st.integers(-3, 45), st.integers(-3, 45)), max_size=4)


def chance(seed):
    return lambda size: seed % size


@given(st.integers(-1, 40), st.integers(0, 45), PARTS, OPERATIONS)
@settings(max_examples=300, deadline=None)
def test_a_range_behaves_like_a_set(size, band, parts, operations):
    """Against a model that knows every number by itself."""
    first = 100
    numbers = NumberPool(
        first, first + size - 1, band=band, exclusions=[(low + first, high + first) for low, high in parts]
    )
    everything = set(range(first, first + size))
    excluded = {n for n in everything if any(low <= n - first <= high for low, high in parts)}
    available = everything - excluded
    held = set()
    assert numbers.size == len(available)
    for action, at, seed in operations:
        number = first + at
        if action == "hold":
            assert numbers.hold(number) == (number in everything and number not in held)
            held |= {number} & everything
        elif action == "release":
            assert numbers.release(number) == (number in held)
            held.discard(number)
        elif action == "pick":
            picked = numbers.pick(chance(seed))
            if picked is None:
                assert available <= held
            else:
                assert picked in available - held
                above = {n for n in available - held if n >= first + band}
                assert picked in above or not above
                held.add(picked)
        else:
            assert numbers.holds(number) == (number in held)
            assert numbers.covers(number) == (number in available)
        assert numbers.free == len(available - held)


@given(st.sets(st.integers(0, 3000), max_size=60), st.integers(0, 3100), st.sampled_from([3001, 2**20, 2**64]))
@settings(max_examples=200, deadline=None)
def test_the_first_free_is_the_first_free(held, start, size):
    bitmap = Bitmap(size)
    for index in held:
        bitmap.hold(index)
    expected = next((index for index in range(start, 3200) if index not in held), None)
    assert bitmap.first_free(start) == (expected if expected is not None and expected < size else None)
    assert bitmap.held == len(held)


@given(st.integers(0, 2**20), st.sampled_from([24, 28, 30, 31, 32]), st.lists(st.integers(0, 10**6), max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_cluster_ip_is_base_broadcast_or_given_twice(block, prefix, seeds):
    base = ip_address((10 << 24) + block * 2 ** (32 - prefix) % 2**24)
    part = RangePool(service_range(f"{base}/{prefix}"))
    found = [picked for seed in seeds if (picked := part.pick(chance(seed))) is not None]
    assert len(set(found)) == len(found)
    offsets = [int(ip_address(text)) - int(base) for text in found]
    assert all(0 < offset < 2 ** (32 - prefix) - 1 for offset in offsets)
    assert len(found) == min(len(seeds), part.size)


@given(st.integers(-1, 40), st.integers(0, 45), PARTS, st.integers(0, 10**6))
def test_the_parts_of_a_range_are_what_it_covers_in_the_order_of_picks(size, band, parts, seed):
    numbers = NumberPool(100, 99 + size, band=band, exclusions=[(low + 100, high + 100) for low, high in parts])
    looked_through = [number for low, high in numbers.parts(chance(seed)) for number in range(low, high + 1)]
    assert sorted(looked_through) == [number for number in range(100, 100 + max(size, 0)) if numbers.covers(number)]
    first = numbers.pick(chance(seed))
    assert (looked_through or [None])[0] == first
