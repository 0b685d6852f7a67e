"""The reconciler's queue: each key at most once, those that failed after their delay."""

import asyncio
import itertools

from app.domain.errors import Permanent, Requeue, Temporary
from app.reconciler.work_queue import WorkQueue

ONE, TWO = ("shop", "one"), ("shop", "two")
SOON = Temporary("later", 0.01)
LATE = Temporary("much later", 60.0)


async def test_a_key_is_taken_once_however_often_it_was_added():
    queue = WorkQueue()
    queue.add([ONE, TWO])
    queue.add([ONE])
    assert await queue.take(10, 5) == [ONE, TWO]
    assert await queue.take(10, 0) == []


async def test_no_more_than_the_limit_is_taken():
    queue = WorkQueue()
    queue.add([ONE, TWO])
    assert await queue.take(1, 5) == [ONE]
    assert await queue.take(1, 5) == [TWO]


async def test_what_failed_comes_back_once():
    queue = WorkQueue()
    queue.add([ONE])
    await queue.take(10, 5)
    queue.failed(ONE, SOON)
    assert await queue.take(10, 5) == [ONE]
    assert await queue.take(10, 0) == []


async def test_a_change_brings_it_back_before_its_delay_and_replaces_that():
    queue = WorkQueue()
    for _ in range(3):
        queue.failed(ONE, LATE)
        queue.add([ONE])
        assert await queue.take(10, 5) == [ONE]
    assert len(queue) == 0
    queue.failed(ONE, SOON)
    assert len(queue) == 1
    assert await queue.take(10, 5) == [ONE]


async def test_delays_grow_until_it_succeeds():
    queue = WorkQueue()
    delays = [queue.failed(ONE, Temporary("again")) for _ in range(4)]
    assert all(later > earlier * 1.2 for earlier, later in itertools.pairwise(delays))
    queue.succeeded(ONE)
    assert queue.failed(ONE, Temporary("again")) < delays[1]


async def test_a_key_that_fails_for_days_still_comes_back():
    queue = WorkQueue()
    delays = [queue.failed(ONE, Temporary("again")) for _ in range(2000)]
    assert max(delays) <= 300 * 1.2
    assert min(delays[-1000:]) >= 300 * 0.8


async def test_keys_that_cannot_be_ordered_wait_for_the_same_moment(monkeypatch):
    queue = WorkQueue()
    keys = [frozenset({"one"}), None, ("two",)]
    with monkeypatch.context() as patch:
        patch.setattr("app.reconciler.work_queue.time", Moment())
        for key in keys:
            queue.failed(key, Requeue("again", 0.0))
    assert await queue.take(10, 5) == keys


class Moment:
    """A clock that stands still."""

    @staticmethod
    def monotonic():
        return 1.0


async def test_what_cannot_succeed_does_not_come_back():
    queue = WorkQueue()
    assert queue.failed(ONE, Permanent("Wrong", "no")) is None
    assert await queue.take(10, 0) == []


async def test_a_cancellation_that_comes_with_a_key_is_not_lost():
    queue = WorkQueue()
    taking = asyncio.create_task(queue.take(10, 60))
    await asyncio.sleep(0)
    queue.add([ONE])
    taking.cancel()
    await asyncio.wait([taking])
    assert taking.cancelled()
    assert await queue.take(10, 5) == [ONE]
