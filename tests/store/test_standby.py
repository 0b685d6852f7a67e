"""With a synchronous standby: what is acknowledged or shown is on it, whatever becomes of the primary."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from app.domain.errors import ApiError, ServiceUnavailable
from app.store.migrating import migrate
from app.store.store import Store
from app.store.writes import Committed
from app.supervisor.postgres import EmbeddedPostgres
from tests.conftest import empty
from tests.store.standby import NAME, Standby
from tests.store.witnesses import Witnesses, logged
from tests.store.writing import eventually, running, service, session, shop, uid

pytestmark = pytest.mark.anyio


async def let_replicate(primary: EmbeddedPostgres) -> None:
    """Let whoever can open the socket replicate: the standby's user is another one than this process."""
    (primary.directory.path / "postgres" / "pg_hba.conf").write_text("local all,replication all trust\n")
    connection = await asyncpg.connect(primary.url("postgres"))
    try:
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


async def require_standby(primary: EmbeddedPostgres, name: str) -> None:
    connection = await asyncpg.connect(primary.url("postgres"))
    try:
        await connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("primary")) as primary:
        asyncio.run(let_replicate(primary))
        migrate(primary.url())
        yield primary


@pytest.fixture
async def standby(primary: EmbeddedPostgres) -> AsyncIterator[Standby]:
    """A standby that every commit of the primary waits for."""
    await empty(primary.url())
    directory = Path(tempfile.mkdtemp(prefix="standby-"))
    standby = Standby(primary, directory)
    await require_standby(primary, NAME)
    yield standby
    standby.close()
    shutil.rmtree(directory)
    await require_standby(primary, "")


@pytest.fixture
async def pair(primary: EmbeddedPostgres, standby: Standby) -> AsyncIterator[Store]:
    """A store on the primary, whose standby is asleep. The namespace of the tests is there."""
    async with running(primary.url(), deadline=1) as store:
        await shop(store)
        await logged(store)
        standby.pause()
        yield store
        standby.resume()


async def waiting_for_standby(primary: EmbeddedPostgres, statement: str) -> list[int]:
    """The backends that have committed and wait until the standby has that, too."""
    connection = await asyncpg.connect(primary.url("postgres"))
    try:
        rows = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%' || $1 || '%'", statement
        )
    finally:
        await connection.close()
    return [row["pid"] for row in rows]


async def kill(primary: EmbeddedPostgres) -> None:
    assert primary.pid is not None
    os.kill(primary.pid, signal.SIGKILL)
    assert primary._process is not None
    await asyncio.to_thread(primary._process.wait)


async def end_wait(primary: EmbeddedPostgres) -> None:
    """End a commit that waits for the standby, as an administrator would: everybody sees it from now on."""
    (pid,) = await eventually(lambda: waiting_for_standby(primary, "fairlead_write"))
    connection = await asyncpg.connect(primary.url("postgres"))
    try:
        await connection.execute("SELECT pg_terminate_backend($1)", pid)
    finally:
        await connection.close()


async def promoted(standby: Standby) -> Store:
    """A store on the standby, which has become a primary."""
    store = Store(standby.url())
    with pytest.raises(ServiceUnavailable, match="every host of the database is a standby"):
        await store.start()
    standby.promote()

    async def started() -> bool:
        try:
            await store.start()
        except ServiceUnavailable:
            return False
        return True

    await eventually(started)
    return store


async def test_a_batch_that_is_found_after_a_lost_connection_waits_for_the_standby(
    pair: Store, primary: EmbeddedPostgres, standby: Standby
):
    owner = uid()
    writing = asyncio.create_task(pair.writer.write(service("create", "web", owner)))
    await end_wait(primary)
    await eventually(lambda: waiting_for_standby(primary, "fairlead_settle"))
    assert not writing.done()
    standby.resume()
    outcome = await writing
    assert await logged(pair) == {owner: outcome.revision}


async def test_a_batch_that_is_lost_with_the_primary_was_not_answered_as_stored(
    pair: Store, primary: EmbeddedPostgres, standby: Standby
):
    writing = asyncio.create_task(pair.writer.write(service("create", "web", uid())))
    await end_wait(primary)
    await eventually(lambda: waiting_for_standby(primary, "fairlead_settle"))
    await kill(primary)
    with pytest.raises(ApiError):
        await writing
    standby.restart()
    store = await promoted(standby)
    assert await logged(store) == {}
    await store.close()
    primary.start()
    await let_replicate(primary)


async def test_nobody_sees_what_only_a_primary_that_came_back_has(
    pair: Store, primary: EmbeddedPostgres, standby: Standby
):
    """After a crash Postgres shows what it had committed, and has still to send to its standby."""
    owner = uid()
    writing = asyncio.create_task(pair.writer.write(service("create", "web", owner)))
    await eventually(lambda: waiting_for_standby(primary, "fairlead_write"))
    await kill(primary)
    primary.start()
    with pytest.raises(ApiError):
        await writing
    async with session(pair) as connection:
        assert await connection.fetchval("SELECT count(*) FROM changes WHERE name = 'web'") == 1
    with pytest.raises(ServiceUnavailable, match="no synchronous standby has acknowledged"):
        await pair.reader.tail(0, 100)
    with pytest.raises(ServiceUnavailable):
        async with pair.reader.snapshot():
            pass
    await let_replicate(primary)
    standby.resume()

    async def shown() -> bool:
        try:
            return owner in await logged(pair)
        except ServiceUnavailable:
            return False

    await eventually(shown)


async def test_a_writer_that_gives_up_makes_nothing_visible_that_no_standby_has(
    pair: Store, primary: EmbeddedPostgres, standby: Standby
):
    owner = uid()
    before = await logged(pair)
    with pytest.raises(ApiError):
        await pair.writer.write(service("create", "web", owner))
    assert await waiting_for_standby(primary, "fairlead_write")
    assert await logged(pair) == before
    standby.resume()

    async def shown() -> bool:
        return owner in await logged(pair)

    await eventually(shown)


@pytest.mark.parametrize("rounds", [1, pytest.param(30, marks=pytest.mark.soak)])
async def test_a_standby_that_is_promoted_while_writes_are_in_flight_has_all_that_was_acknowledged(
    primary: EmbeddedPostgres, rounds: int
):
    for _ in range(rounds):
        await empty(primary.url())
        directory = Path(tempfile.mkdtemp(prefix="standby-"))
        standby = Standby(primary, directory)
        await require_standby(primary, NAME)
        async with running(primary.url(), deadline=1) as store:
            await shop(store)
            witnesses = Witnesses(store)
            async with asyncio.TaskGroup() as group:
                for _ in range(8):
                    group.create_task(witnesses.work())
                await witnesses.more(Committed, 200)
                await kill(primary)
                await witnesses.more(ApiError, 8)
                witnesses.stop()
        after = await promoted(standby)
        await witnesses.compare(after)
        await after.close()
        standby.close()
        shutil.rmtree(directory)
        primary.start()
        await let_replicate(primary)
        await require_standby(primary, "")
