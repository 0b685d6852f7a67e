"""What becomes of a process' work when the road to Postgres, its places or its name are gone for a while."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.domain.errors import ApiError, ServiceUnavailable
from app.store.migrating import migrate
from app.store.store import Store
from app.store.writes import Committed
from app.supervisor.postgres import EmbeddedPostgres
from tests.e2e.roads import Roads
from tests.store.test_hosts import port_of
from tests.store.writing import eventually, running, service, session, shop, uid

pytestmark = pytest.mark.anyio


@pytest.fixture
def roads() -> Iterator[Any]:
    roads = Roads()
    yield roads
    roads.close()


@pytest.fixture
async def port(postgres: EmbeddedPostgres, database_url: str) -> AsyncIterator[int]:
    """A port of the test's Postgres, whose database is empty."""
    assert database_url
    async with port_of(postgres) as port:
        yield port


def url_of(port: int, host: str = "127.0.0.1") -> str:
    return f"postgresql://fairlead@{host}:{port}/fairlead?sslmode=disable"


async def works(store: Store) -> bool:
    """Whether a write is stored and then read."""
    owner = uid()
    try:
        outcome = await store.writer.write(service("create", owner, owner))
        changes = (await store.reader.tail(0, 100_000)).changes
    except ApiError:
        return False
    assert isinstance(outcome, Committed)
    return owner in {change.uid for change in changes}


async def test_connections_that_lead_nowhere_are_given_up(port: int, roads: Any):
    """Half open: the other side is gone, and no packet says so."""
    road = roads.to(port)
    async with running(url_of(road), deadline=1) as store:
        await shop(store)
        assert await works(store)
        roads.cut(road)
        with pytest.raises(ApiError):
            await store.writer.write(service("create", "lost", uid()))
        with pytest.raises(ServiceUnavailable):
            await store.reader.tail(0, 1)
        roads.mend(road)
        await eventually(lambda: works(store))


async def test_a_slow_road_makes_writes_slow_and_nothing_else(port: int, roads: Any):
    road = roads.to(port)
    async with running(url_of(road)) as store:
        await shop(store)
        roads.slow_down(road, 0.05)
        outcomes = await store.writer.write_all([service("create", f"{n}", uid()) for n in range(50)])
        assert all(isinstance(outcome, Committed) for outcome in outcomes)
        assert len((await store.reader.tail(0, 100)).changes) == 51


@pytest.fixture
def small_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A Postgres with few places for sessions, all of which anybody may take."""
    with EmbeddedPostgres(tmp_path / "data") as postgres:
        (postgres.directory.path / "postgres" / "postgresql.auto.conf").write_text(
            "max_connections = 16\nsuperuser_reserved_connections = 0\nautovacuum = off\n"
        )
        postgres.stop()
        postgres.start()
        migrate(postgres.url())
        yield postgres


async def test_when_there_is_no_place_for_a_session_everybody_tries_again(small_postgres: EmbeddedPostgres):
    """Who comes back after all sessions were lost finds others in their places."""
    url = small_postgres.url()
    async with running(url, deadline=1) as store:
        await shop(store)
        assert await works(store)
        async with session(store) as connection:
            await cut_others(connection)
            others = await all_places(url)
            with pytest.raises(ServiceUnavailable, match="too many clients"):
                await store.reader.tail(0, 1)
            with pytest.raises(ServiceUnavailable):
                await store.writer.write(service("create", "nowhere", uid()))
        for other in others:
            other.terminate()
        await eventually(lambda: works(store))
        assert "nowhere" not in {change.name for change in (await store.reader.tail(0, 100)).changes}


async def all_places(url: str) -> list[Any]:
    """Open sessions until no more are let in; those that come back meanwhile are cut."""
    others: list[Any] = []
    while True:
        try:
            others.append(await asyncpg.connect(url))
        except asyncpg.TooManyConnectionsError:
            mine = [other.get_server_pid() for other in others]
            cut = await others[0].fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name LIKE 'fairlead%' AND pid <> ALL ($1)",
                mine,
            )
            if not cut:
                return others


async def cut_others(connection: Any) -> None:
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def may_mount() -> bool:
    """Whether this machine lets us have files of our own for a process."""
    if shutil.which("unshare") is None:
        return False
    process = await asyncio.create_subprocess_exec("unshare", "--mount", "true", stderr=subprocess.DEVNULL)
    return await process.wait() == 0


async def test_a_name_that_is_gone_keeps_only_new_sessions_away(store: Store, port: int):
    """The names of hosts are in a file of the process' own, from which the name of the database goes away."""
    if not await may_mount():
        pytest.skip("needs the right to mount files, as root has it")
    await shop(store)
    names = Path(tempfile.mkdtemp()) / "hosts"
    there = "127.0.0.1 localhost\n127.0.0.1 database.example\n"
    names.write_text(there)
    script = f"mount --bind {names} /etc/hosts && exec {sys.executable} -m tests.store.stopped_writer $0"
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--mount", "sh", "-c", script, url_of(port, "database.example")), stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"writing\n"
        names.write_text("127.0.0.1 localhost\n")
        before = await count(store)
        await eventually(lambda: more_than(store, before + 50))
        async with session(store) as connection:
            await cut_others(connection)
        before = await settled_count(store)
        names.write_text(there)
        await eventually(lambda: more_than(store, before + 50))
    finally:
        process.kill()
        await process.wait()
        shutil.rmtree(names.parent)


async def count(store: Store) -> int:
    return int((await store.database.fetch("SELECT count(*) FROM changes"))[0][0])


async def more_than(store: Store, number: int) -> bool:
    return await count(store) > number


async def settled_count(store: Store) -> int:
    """How many changes there are when nobody writes any more."""
    async with session(store) as connection:

        async def alone() -> bool:
            writers = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fairlead-writer' AND state <> ''"
            return int(await connection.fetchval(writers)) <= 1

        await eventually(alone)
    return await count(store)
