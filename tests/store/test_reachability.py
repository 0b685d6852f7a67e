"""A database that lets nobody in, as while it recovers from a crash, and one that is not there yet."""

import asyncio

import asyncpg
import pytest

from app.domain.errors import ServiceUnavailable
from app.store.database import Database
from app.store.migrating import way
from app.store.store import Store
from app.supervisor.postgres import EmbeddedPostgres


async def allow(postgres: EmbeddedPostgres, *, connections: bool) -> None:
    outside = await asyncpg.connect(postgres.url("postgres"))
    try:
        await outside.execute(f"ALTER DATABASE fairlead ALLOW_CONNECTIONS {connections}")
        await outside.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'fairlead'")
    finally:
        await outside.close()


async def test_whoever_is_not_let_in_is_told_to_come_again(store: Store, postgres: EmbeddedPostgres):
    await allow(postgres, connections=False)
    try:
        with pytest.raises(ServiceUnavailable) as told:
            await store.reader.unpublished(1)
        assert told.value.retry_after == 1
        with pytest.raises(ServiceUnavailable):
            await store.reader.tail(0, 1)
        with pytest.raises(ServiceUnavailable):
            await store.leases.acquire("one", "me", 1)
    finally:
        await allow(postgres, connections=True)
    assert await store.reader.unpublished(1) == []


SOCKET = ".s.PGSQL.5432"


@pytest.mark.usefixtures("migrated_url")
async def test_a_migration_waits_for_a_database_that_is_not_there_yet(
    postgres: EmbeddedPostgres, tmp_path, capsys, caplog
):
    migrating = asyncio.create_task(asyncio.to_thread(way, f"postgresql://fairlead@/fairlead?host={tmp_path}"))
    # Where the log goes depends on what the tests before have set up.
    while "waiting for the database" not in "".join((*capsys.readouterr(), caplog.text)):
        assert not migrating.done()
        await asyncio.sleep(0.01)
    (tmp_path / SOCKET).symlink_to(postgres.socket_dir / SOCKET)
    assert (await migrating).steps == ()


async def test_nobody_waits_for_a_database_that_refuses_them(postgres: EmbeddedPostgres):
    database = Database(postgres.url("nowhere"))
    with pytest.raises(ServiceUnavailable, match="does not exist"):
        await database.wait(float("inf"))
    await database.close()
