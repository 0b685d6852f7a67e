"""Whoever sends wrong credentials is slowed down, for as long as they do, with bounded memory."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.access import failures
from app.api.access.failures import Failures
from app.domain.errors import TooManyRequests


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def counting(**options):
    clock = Clock()
    return Failures(clock=clock, **options), clock


def test_some_failures_are_free_and_more_wait_longer_and_longer():
    found, clock = counting()
    assert [found.delay_after_failure("192.0.2.1") for _ in range(14)] == [0.0] * 10 + [1.0, 2.0, 2.0, 2.0]
    assert found.delay_after_failure("192.0.2.2") == 0.0
    clock.now += 5
    assert found.delay_after_failure("192.0.2.1") == 0.0
    clock.now += 1000
    assert [found.delay_after_failure("192.0.2.1") for _ in range(11)] == [0.0] * 10 + [1.0]


def test_the_addresses_of_a_site_are_one_source():
    found, _ = counting()
    for number in range(10):
        assert found.delay_after_failure(f"2001:db8:0:1::{number}") == 0.0
    assert found.delay_after_failure("2001:db8:0:1:ffff::1") == 1.0
    assert found.delay_after_failure("2001:db8:0:2::1") == 0.0
    for _ in range(10):
        found.delay_after_failure("::ffff:192.0.2.1")
    assert found.delay_after_failure("::ffff:192.0.2.2") == 0.0


def test_what_is_remembered_is_bounded():
    found, _ = counting()
    for number in range(3 * failures._REMEMBERED_SOURCES):
        found.delay_after_failure(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(found._sources) == failures._REMEMBERED_SOURCES


@given(st.lists(st.tuples(st.sampled_from(["a", "192.0.2.1", "::1", ""]), st.floats(0, 100)), max_size=50))
def test_nobody_waits_longer_than_the_longest(steps):
    found, clock = counting()
    for address, seconds in steps:
        clock.now += seconds
        assert 0 <= found.delay_after_failure(address) <= 2


async def test_of_those_who_would_wait_beyond_a_number_none_does():
    found, _ = counting(longest=3600, most_waiting=1)
    for _ in range(10):
        await found.slow_down("192.0.2.1")
    waiting = asyncio.create_task(found.slow_down("192.0.2.1"))
    while not found.waiting:
        await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await found.slow_down("192.0.2.1")
    await found.slow_down("192.0.2.2")
    waiting.cancel()
    await asyncio.wait([waiting])
    assert found.waiting == 0
