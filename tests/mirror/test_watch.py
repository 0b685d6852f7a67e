import asyncio
import json
import random
from datetime import timedelta

import pytest

from app.domain.errors import Expired, ServiceUnavailable
from app.store.compaction import compact
from tests.mirror.conftest import running_mirror, running_store
from tests.mirror.world import NAMESPACES, SERVICES, Chaos, committed, create, delete, note_of

pytestmark = pytest.mark.anyio


async def read_until(watcher, revision):
    """Everything up to a revision."""
    changes = []
    while watcher.revision < revision:
        changes += await watcher.next(30)
    return changes


def replay(changes):
    state = {}
    for change in changes:
        place = (change.entry.namespace, change.entry.name)
        assert change.revision == change.entry.revision
        assert change.previous is state.get(place) or change.previous.wire == state[place].wire
        assert (change.type == "ADDED") == (place not in state)
        if change.type == "DELETED":
            del state[place]
        else:
            state[place] = change.entry
    return {place: entry.wire for place, entry in state.items()}


async def test_watchers_from_any_moment_see_each_change_once_and_in_order(store, mirror, database_url):
    """Among them some from before the mirror's history, which read the log first."""
    async with running_store(database_url) as other, running_mirror(other) as second:
        start = mirror.revision
        await asyncio.gather(Chaos(store.writer, mirror, 1).run(60), Chaos(other.writer, second, 2).run(60))
        middle = await mirror.fresh()
        everything = await read_until(mirror.watch(SERVICES, None, start), middle)
        async with running_mirror(store) as late:
            starts = [start, *(change.revision for change in everything), middle]
            watchers = [(late.watch(SERVICES, scope, after), after) for after in starts for scope in (None, "blue")]
            writers = (Chaos(store.writer, mirror, seed).run(30) for seed in (3, 4))
            reading = asyncio.gather(*(read_until(watcher, middle) for watcher, _ in watchers))
            first_part, *_ = await asyncio.gather(reading, *writers)
            end = await mirror.fresh()
            await late.fresh()
            rest = await asyncio.gather(*(read_until(watcher, end) for watcher, _ in watchers))
        everything += await read_until(mirror.watch(SERVICES, None, middle), end)
    for (watcher, after), one, two in zip(watchers, first_part, rest, strict=True):
        scope = watcher.namespace
        expected = [c for c in everything if c.revision > after and scope in (None, c.entry.namespace)]
        assert [(c.revision, c.type, c.entry.wire) for c in one + two] == [
            (c.revision, c.type, c.entry.wire) for c in expected
        ]
    assert replay(everything) == {(e.namespace, e.name): e.wire for e in mirror.list(SERVICES, None)}


async def test_what_became_ready_comes_in_one_go_and_frames_are_shared(store, mirror):
    watchers = [mirror.watch(SERVICES, None, mirror.revision) for _ in range(2)]
    outcomes = await store.writer.write_all([create("blue", f"s{number}") for number in range(30)])
    await mirror.fresh()
    one, two = [await watcher.next(30) for watcher in watchers]
    assert [change.revision for change in one] == [outcome.revision for outcome in outcomes]
    assert all(mine.frame is yours.frame for mine, yours in zip(one, two, strict=True))
    frame = json.loads(one[0].frame)
    assert frame["type"] == "ADDED"
    assert frame["object"]["metadata"]["resourceVersion"] == str(one[0].revision)


async def test_a_deletion_shows_the_last_state_at_the_revision_of_the_deletion(store, mirror):
    await committed(store.writer, create("blue", "web"))
    await mirror.fresh()
    entry = mirror.get(SERVICES, "blue", "web")
    watcher = mirror.watch(SERVICES, "blue", mirror.revision)
    revision = await committed(store.writer, delete(entry))
    (change,) = await watcher.next(30)
    assert (change.type, change.revision, change.entry.revision) == ("DELETED", revision, revision)
    assert change.previous is entry
    assert note_of(change.entry) == "deleted"


async def test_nothing_comes_when_the_time_is_out_but_the_revision_goes_on(store, mirror):
    watcher = mirror.watch(SERVICES, "blue", mirror.revision)
    revision = await committed(store.writer, create("green", "web"))
    await mirror.at_least(revision, 5)
    assert list(await watcher.next(0.01)) == []
    assert watcher.revision == revision


async def test_a_watcher_of_a_quiet_namespace_is_not_dropped_by_the_noise_of_another(store):
    async with running_mirror(store, history=8) as mirror:
        waiting = asyncio.create_task(mirror.watch(SERVICES, "blue", mirror.revision).next(30))
        await asyncio.sleep(0)
        for number in range(5):
            await store.writer.write_all([create("green", f"s{number}-{more}") for more in range(5)])
            await mirror.fresh()
        revision = await committed(store.writer, create("blue", "web"))
        assert [change.revision for change in await waiting] == [revision]


async def test_a_watcher_that_does_not_read_is_dropped(store):
    async with running_mirror(store, history=8) as mirror:
        watcher = mirror.watch(SERVICES, None, mirror.revision)
        for number in range(20):
            await committed(store.writer, create("blue", f"s{number}"))
        await mirror.fresh()
        with pytest.raises(Expired, match="too slow"):
            await watcher.next(30)


async def test_slow_readers_that_resume_where_they_were_dropped_miss_nothing_and_repeat_nothing(store, database_url):
    """The history is far too short for them, so that they go from it to the log and back, again and again."""
    async with running_store(database_url) as other, running_mirror(other, history=16) as mirror:
        start = mirror.revision
        writing = asyncio.gather(*(Chaos(store.writer, mirror, seed).run(80) for seed in range(4)))
        readers = [asyncio.create_task(resuming(mirror, start, writing, seed)) for seed in range(6)]
        await writing
        end = await mirror.fresh()
        async with running_mirror(store) as late:
            everything = await read_until(late.watch(SERVICES, None, start), end)
        drops = 0
        for seen, dropped in await asyncio.gather(*readers):
            drops += dropped
            assert [(c.revision, c.type, c.entry.wire) for c in seen] == [
                (c.revision, c.type, c.entry.wire) for c in everything
            ]
    assert drops


async def resuming(mirror, start, writing, seed):
    """Read with pauses until everything written is there; answers it, and how often the reader was dropped."""
    pauses, seen, dropped = random.Random(seed), [], 0
    watcher = mirror.watch(SERVICES, None, start)
    while not writing.done() or watcher.revision < await mirror.fresh():
        try:
            seen += await watcher.next(0.01)
        except Expired:
            dropped += 1
            watcher = mirror.watch(SERVICES, None, watcher.revision)
        await asyncio.sleep(pauses.random() * 0.05)
    return seen, dropped


async def test_a_watch_from_before_compaction_is_expired(store, mirror):
    revision = mirror.revision
    for number in range(5):
        await committed(store.writer, create("blue", f"s{number}"))
    end = await mirror.fresh()
    await compact_all(store)
    async with running_mirror(store) as late:
        await late.fresh()
        with pytest.raises(Expired, match=f"too old resource version: {revision}"):
            late.watch(SERVICES, None, revision)
        assert list(await late.watch(SERVICES, None, end).next(0.01)) == []
    # One that had the changes in its memory still gives them.
    assert len(await mirror.watch(SERVICES, None, revision).next(30)) == 5


async def test_compaction_between_the_watch_and_its_first_read_is_noticed(store, mirror):
    revision = mirror.revision
    await committed(store.writer, create("blue", "web"))
    async with running_mirror(store) as late:
        watcher = late.watch(SERVICES, None, revision)
        await compact_all(store)
        with pytest.raises(Expired):
            await watcher.next(30)


async def test_a_single_change_wakes_those_it_concerns_and_closing_ends_the_waiting(store, mirror):
    watchers = {scope: mirror.watch(SERVICES, scope, mirror.revision) for scope in (None, *NAMESPACES)}
    waiting = {scope: asyncio.create_task(watcher.next(None)) for scope, watcher in watchers.items()}
    await asyncio.sleep(0)
    await committed(store.writer, create("blue", "web"))
    assert len(await waiting["blue"]) == len(await waiting[None]) == 1
    assert not waiting["green"].done()
    watchers["green"].close()
    assert list(await waiting["green"]) == []
    assert list(await watchers["green"].next(None)) == []


async def test_closing_the_mirror_ends_watches(store):
    async with running_mirror(store) as mirror:
        watcher = mirror.watch(SERVICES, None, mirror.revision)
        waiting = asyncio.create_task(watcher.next(None))
        await asyncio.sleep(0)
    with pytest.raises(ServiceUnavailable):
        await waiting
    with pytest.raises(ServiceUnavailable):
        await mirror.fresh()


async def test_a_watch_from_the_future_is_the_callers_mistake(mirror):
    with pytest.raises(ValueError, match="has not come yet"):
        mirror.watch(SERVICES, None, mirror.revision + 1)


async def test_a_list_beyond_the_history_is_expired_until_it_is_reached_back_for(store, mirror):
    await Chaos(store.writer, mirror, 6).run(40)
    middle = await mirror.fresh()
    then = list(mirror.list(SERVICES, None))
    await Chaos(store.writer, mirror, 7).run(40)
    await mirror.fresh()
    async with running_mirror(store) as late:
        with pytest.raises(Expired, match=f"too old resource version: {middle}"):
            late.list_at(SERVICES, None, middle)
        await late.reach_back(SERVICES, middle)
        assert [(e.uid, e.revision, e.wire) for e in late.list_at(SERVICES, None, middle)] == [
            (e.uid, e.revision, e.wire) for e in then
        ]
        with pytest.raises(Expired):
            late.list_at(SERVICES, None, late.revision + 1)


async def compact_all(store):
    """Empty the log."""
    await compact(store.database, timedelta(0), keep=0)
