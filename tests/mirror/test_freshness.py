import asyncio
import contextlib

import pytest

from app.domain.errors import ServiceUnavailable
from app.mirror.mirror import Mirror
from tests.mirror.conftest import running_store
from tests.mirror.world import SERVICES, committed, create, held, stored
from tests.store.writing import eventually

pytestmark = pytest.mark.anyio


async def test_a_caller_joins_the_next_fetch_and_never_one_already_sent(store, reader, quiet):
    reader.hold()
    early = asyncio.create_task(quiet.fresh())
    await reader.answered.wait()
    revision = await committed(store.writer, create("blue", "web"))
    late = [asyncio.create_task(quiet.fresh()) for _ in range(200)]
    await asyncio.sleep(0)
    sent = reader.tails
    reader.release()
    assert await early < revision
    assert set(await asyncio.gather(*late)) == {revision}
    assert reader.tails == sent + 1


async def test_callers_that_come_together_cost_one_query(reader, quiet):
    before = reader.tails
    await asyncio.gather(*(quiet.fresh() for _ in range(500)))
    assert reader.tails - before <= 2  # one, and a poll that happened to fall in between


async def test_the_poll_finds_what_no_hint_told(store, quiet):
    write = create("blue", "web")
    waiting = asyncio.create_task(quiet.wait_for(write.uid, 30))
    await committed(store.writer, write)
    assert (await waiting).uid == write.uid


async def test_a_cancelled_caller_does_not_take_the_others_with_it(reader, quiet):
    reader.hold()
    tasks = [asyncio.create_task(quiet.fresh()) for _ in range(3)]
    await reader.answered.wait()
    tasks[1].cancel()
    await asyncio.wait([tasks[1]])
    reader.release()
    await asyncio.gather(tasks[0], tasks[2])
    assert tasks[1].cancelled()


async def test_a_backlog_of_many_fetches_is_in_when_fresh_returns(reader, quiet, database_url):
    reader.hold()
    async with running_store(database_url) as other:
        for start in range(0, 2500, 500):
            await other.writer.write_all([create("blue", f"s{number}") for number in range(start, start + 500)])
    reader.release()
    await quiet.fresh()
    assert len(quiet.list(SERVICES, "blue")) == 2500
    assert held(quiet) == await stored(database_url)


async def test_before_it_has_started_nothing_is_fresh(store):
    with pytest.raises(ServiceUnavailable):
        await Mirror(store.reader, store.notifications).fresh()


class Hints:
    """Hints that a test gives itself."""

    def subscribe(self, _channel, callback):
        self.give = callback

    def unsubscribe(self, _channel, _callback):
        pass


@contextlib.asynccontextmanager
async def hinted(reader, **options):
    hints = Hints()
    mirror = Mirror(reader, hints, **options)
    await mirror.start()
    yield mirror, hints.give
    await mirror.close()


async def test_a_hint_of_what_is_in_already_costs_no_query(store, reader):
    async with hinted(reader) as (mirror, give):
        write = create("blue", "web")
        await committed(store.writer, write)
        revision = await mirror.fresh()
        before = reader.tails
        for _ in range(20):
            give(str(revision))
            await asyncio.sleep(0.005)
        assert reader.tails - before <= 2, "one, and a poll that happened to fall in between"
        give("")
        await eventually(lambda: reader.tails > before)


async def test_a_hint_that_comes_alone_is_followed_at_once(reader):
    async with hinted(reader, gathering=3600.0) as (mirror, give):
        mirror._follower._fetched_at -= 3600.0
        before = reader.tails
        give("1000")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert reader.tails == before + 1


async def test_hints_that_follow_each_other_cost_one_query(store, reader):
    async with hinted(reader, gathering=0.5) as (mirror, give):
        before = reader.tails
        for number in range(20):
            await committed(store.writer, create("blue", f"s{number}"))
            give(str(number + 10))
        assert reader.tails - before < 10
        await eventually(lambda: len(mirror.list(SERVICES, "blue")) == 20)
        give("1000")
        assert await mirror.fresh() == mirror.revision, "who asks does not wait for others"


async def test_a_hint_that_a_request_waits_for_is_followed_at_once(store, reader):
    async with hinted(reader, gathering=3600.0) as (mirror, give):
        write = create("blue", "web")
        waiting = asyncio.create_task(mirror.wait_for(write.uid, 60))
        await asyncio.sleep(0)
        revision = await committed(store.writer, write)
        before = reader.tails
        give(str(revision))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert reader.tails == before + 1
        assert (await waiting).uid == write.uid


async def test_who_begins_to_wait_does_not_wait_for_others(store, reader):
    async with hinted(reader, gathering=3600.0) as (mirror, give):
        write = create("blue", "web")
        revision = await committed(store.writer, write)
        before = reader.tails
        give(str(revision))
        waiting = asyncio.create_task(mirror.wait_for(write.uid, 60))
        for _ in range(3):
            await asyncio.sleep(0)
        assert reader.tails == before + 1
        assert (await waiting).uid == write.uid
