"""A connection pooler between the store and Postgres: one that shares sessions is refused, any other one works."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from app.store.migrating import migrate
from app.store.notifications import CHANGES
from app.store.schema import UnsuitableDatabaseError
from app.store.store import Store
from app.supervisor.binaries import unprivileged_user
from app.supervisor.children import spawn
from app.supervisor.postgres import EmbeddedPostgres
from tests.ports import free_port
from tests.store.writing import committed, eventually, running, service, shop, uid

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not shutil.which("pgbouncer"), reason="needs the Debian package pgbouncer"),
]


@pytest.fixture(scope="module")
def open_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A Postgres that lets in whoever can open its socket: the pooler is another user."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("pooled")) as postgres:
        (postgres.directory.path / "postgres" / "pg_hba.conf").write_text("local all all trust\n")
        assert postgres.pid is not None
        os.kill(postgres.pid, signal.SIGHUP)
        migrate(postgres.url())
        yield postgres


def configured(directory: Path, port: int, postgres: EmbeddedPostgres, mode: str) -> Path:
    directory.chmod(0o755)
    (directory / "pgbouncer.ini").write_text(
        f"[databases]\nfairlead = host={postgres.socket_dir} user=fairlead\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = any\nunix_socket_dir =\npool_mode = {mode}\n"
    )
    return directory


@asynccontextmanager
async def pooled(postgres: EmbeddedPostgres, mode: str) -> AsyncIterator[str]:
    """PgBouncer as it comes, with a pool mode; gives the URL behind it."""
    user = unprivileged_user(Path("/nonexistent"))
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        directory = configured(Path(name), port, postgres, mode)
        with (directory / "log").open("wb") as log:
            process = spawn([shutil.which("pgbouncer") or "", directory / "pgbouncer.ini"], user=user, output=log)
        url = f"postgresql://fairlead@127.0.0.1:{port}/fairlead?sslmode=disable"
        try:
            await eventually(lambda: answers(url))
            yield url
        finally:
            process.kill()
            process.wait()


async def answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except OSError:
        return False
    connection.terminate()
    return True


async def test_a_pooler_that_shares_sessions_is_refused(open_postgres: EmbeddedPostgres):
    async with pooled(open_postgres, "transaction") as url:
        store = Store(url)
        with pytest.raises(UnsuitableDatabaseError, match="a pooler whose pool mode is `session`"):
            await store.start()
        await store.close()


async def test_a_pooler_of_whole_sessions_works(open_postgres: EmbeddedPostgres):
    heard = asyncio.Event()
    async with pooled(open_postgres, "session") as url, running(url) as store:
        store.notifications.subscribe(CHANGES, lambda payload: heard.set() if payload else None)
        await shop(store)
        revision = await committed(store, service("create", "web", uid()))
        assert (await store.reader.tail(0, 100)).newest == revision
        await asyncio.wait_for(heard.wait(), 15)
        limits = await store.database.fetch("SHOW idle_in_transaction_session_timeout")
        assert limits[0][0] == "2s"
