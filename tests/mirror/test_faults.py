"""The mirror while Postgres is away, comes back, or has forgotten what the mirror has not read."""

import asyncio
import os
import signal
import sys
from datetime import timedelta

import asyncpg
import pytest

from app.domain.errors import Expired, ServiceUnavailable
from app.mirror.mirror import Mirror
from app.store.compaction import compact
from app.store.store import Store
from tests.mirror.conftest import running_mirror
from tests.mirror.world import SERVICES, Chaos, committed, create, held, note_of, stored, update

pytestmark = pytest.mark.anyio

OTHERS = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


async def sql(url, statement, *arguments):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


async def reached_again(mirror):
    """Be turned away until the mirror has found its way back by itself."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await mirror.fresh()
            except ServiceUnavailable:
                await asyncio.sleep(0.01)


async def test_lost_sessions_are_replaced_without_anybody_noticing(store, mirror, database_url):
    watcher = mirror.watch(SERVICES, None, mirror.revision)
    for number in range(3):
        await sql(database_url, f"SELECT pg_terminate_backend(pid) {OTHERS}")
        await mirror.fresh()
        revision = await committed(store.writer, create("blue", f"s{number}"))
        assert [change.revision for change in await watcher.next(30)] == [revision]


async def test_postgres_away_and_back(store, postgres, database_url):
    async with running_mirror(store, patience=0.3) as mirror:
        revision = await committed(store.writer, create("blue", "web"))
        await mirror.fresh()
        entry = mirror.get(SERVICES, "blue", "web")
        watcher = mirror.watch(SERVICES, None, revision)
        postgres.stop()
        try:
            with pytest.raises(ServiceUnavailable) as refused:
                await mirror.fresh()
            assert refused.value.retry_after == 1
            async with asyncio.timeout(30):
                while mirror.ready:
                    await asyncio.sleep(0.01)
            assert mirror.get(SERVICES, "blue", "web") is entry
            with pytest.raises(ServiceUnavailable):
                await mirror.at_least(revision + 1, 10)
        finally:
            postgres.start()
        await reached_again(mirror)
        later = await committed(store.writer, update(entry, "after the restart"))
        assert await mirror.fresh() == later
        (change,) = await watcher.next(30)
        assert change.previous is entry
        assert held(mirror) == await stored(database_url)


async def test_it_starts_as_soon_as_postgres_does(database_url, postgres):
    store = Store(database_url)
    mirror = Mirror(store.reader, store.notifications, patience=0.1)
    postgres.stop()
    try:
        starting = asyncio.create_task(mirror.start())
        await asyncio.sleep(0)
        with pytest.raises(ServiceUnavailable):
            await mirror.fresh()
        assert not mirror.ready
        assert not starting.done()
    finally:
        postgres.start()
    await starting
    await mirror.fresh()
    assert mirror.ready
    await mirror.close()
    await store.close()


async def test_a_session_that_hangs_is_given_up(mirror, database_url):
    """As when the machine of the database vanishes: nothing answers, and nothing is refused either."""
    await mirror.fresh()
    hanging = await sql(database_url, f"SELECT pid {OTHERS} AND query LIKE '%LATERAL%'")
    for row in hanging:
        os.kill(row["pid"], signal.SIGSTOP)
    try:
        await mirror.fresh()
        assert mirror.ready
    finally:
        for row in hanging:
            os.kill(row["pid"], signal.SIGCONT)
    assert hanging


async def test_below_the_compacted_revision_it_reloads_whole(store, reader, quiet, database_url):
    await committed(store.writer, create("blue", "web", "before"))
    start = await quiet.fresh()
    told = []
    quiet.subscribe(told.extend, lambda: told.append("reloaded"))
    watcher = quiet.watch(SERVICES, None, start)
    waiting = asyncio.create_task(watcher.next(None))
    awaited = create("green", "awaited")
    published = asyncio.create_task(quiet.wait_for(awaited.uid, 30))
    reader.hold()
    missing = asyncio.create_task(quiet.fresh())
    await reader.answered.wait()
    async with running_mirror(store) as current:
        await Chaos(store.writer, current, 1).run(30)
    await committed(store.writer, awaited)
    await compact(store.database, timedelta(0), keep=2)
    reader.release()
    await missing
    await quiet.fresh()
    assert held(quiet) == await stored(database_url)
    assert (await published).uid == awaited.uid
    with pytest.raises(Expired, match="everything anew"):
        await waiting
    with pytest.raises(Expired):
        await watcher.next(None)
    with pytest.raises(Expired):
        quiet.list_at(SERVICES, None, start)
    assert told == ["reloaded"]
    revision = await committed(store.writer, create("blue", "after"))
    await quiet.fresh()
    assert [change.revision for change in await quiet.watch(SERVICES, None, revision - 1).next(30)] == [revision]


async def test_a_database_put_back_to_an_earlier_state_is_read_anew(store, quiet, database_url):
    await committed(store.writer, create("blue", "web", "first"))
    kept = await quiet.fresh()
    entry = quiet.get(SERVICES, "blue", "web")
    await committed(store.writer, create("blue", "lost"))
    await quiet.fresh()
    await sql(database_url, "DELETE FROM objects WHERE name = 'lost'")
    await sql(database_url, "DELETE FROM changes WHERE revision > $1", kept)
    await sql(database_url, "SELECT setval('revisions', $1)", kept)
    assert await quiet.fresh() == kept
    assert held(quiet) == await stored(database_url)
    await committed(store.writer, update(entry, "second"))
    await quiet.fresh()
    assert note_of(quiet.get(SERVICES, "blue", "web")) == "second"


async def test_whoever_knows_revisions_from_before_a_restore_is_told_to_list_again(store, mirror, database_url):
    before = await committed(store.writer, create("blue", "web", "backed up"))
    await mirror.fresh()
    entry = mirror.get(SERVICES, "blue", "web")
    lost = before + 1_000  # given out after the backup
    watcher = mirror.watch(SERVICES, None, before)
    waiting = asyncio.create_task(watcher.next(None))

    command = [sys.executable, "-m", "app.cli", "bump-revision", "--database-url", database_url]
    assert await (await asyncio.create_subprocess_exec(*command)).wait() == 0

    newest = await mirror.fresh()
    assert newest > lost
    with pytest.raises(Expired):
        await waiting
    for known in (before, lost):
        with pytest.raises(Expired):
            mirror.watch(SERVICES, None, known)
    assert held(mirror) == await stored(database_url)
    assert mirror.get(SERVICES, "blue", "web").revision == entry.revision
    async with running_mirror(store) as restarted:
        assert await restarted.fresh() == newest
        assert held(restarted) == await stored(database_url)

    watcher = mirror.watch(SERVICES, None, newest)
    revision = await committed(store.writer, update(entry, "after", expected_revision=entry.revision))
    assert revision > newest
    await mirror.fresh()
    assert [change.revision for change in await watcher.next(30)] == [revision]
