"""Two versions on one database: who may go on after a migration, and who is asked to be replaced before.

The next version is this one with one more migration.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from app import __version__
from app.store import compatibility, migrating, notifications
from app.store.compatibility import HEAD, Peers, peers
from app.store.migrating import MigrationRefusedError, migrate, steps
from app.store.schema import UnsuitableDatabaseError
from app.store.store import Store
from app.supervisor.postgres import EmbeddedPostgres
from app.upgrades.planning import plan, plan_text
from tests.upgrades.next_version import NEXT, become_next

FORWARD = (
    "ALTER TABLE leases ADD COLUMN colour text",
    "ALTER TABLE changes ALTER COLUMN revision TYPE numeric",
    "CREATE INDEX batches_at ON batches (at)",
)
BACK = (
    "ALTER TABLE leases DROP COLUMN colour",
    "ALTER TABLE changes ALTER COLUMN revision TYPE bigint",
    "DROP INDEX batches_at",
)


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the migrator that of the next version, whose migration lets processes of a schema go on."""
    return lambda oldest: become_next(tmp_path, monkeypatch, oldest, FORWARD, BACK)


@pytest.fixture
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database of this version's schema."""

    async def administer(*statements: str) -> None:
        connection = await asyncpg.connect(postgres.url("postgres"))
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    drop = "DROP DATABASE IF EXISTS versions WITH (FORCE)"
    asyncio.run(administer(drop, "CREATE DATABASE versions"))
    migrate(postgres.url("versions"))
    yield postgres.url("versions")
    asyncio.run(administer(drop))


def beside_a_process(url: str, work: Callable[[], None]) -> None:
    """Do something while a process of this version works on the database."""

    async def run() -> None:
        store = Store(url)
        try:
            await store.start()
            while not await peers_of(url):
                await asyncio.sleep(0.01)
            await asyncio.to_thread(work)
        finally:
            await store.close()

    asyncio.run(run())


async def peers_of(url: str) -> list[Peers]:
    connection = await asyncpg.connect(url)
    try:
        return await compatibility.at_work(connection)
    finally:
        await connection.close()


def start(url: str) -> None:
    beside_a_process(url, lambda: None)


def test_an_older_process_works_on_while_migrations_let_it(url: str, next_version: Callable[[str], None]):
    next_version(HEAD)

    def upgrade() -> None:
        done = migrate(url)
        assert (done.found, done.target) == (HEAD, NEXT)
        assert done.peers == (Peers(HEAD, __version__, 1),)

    beside_a_process(url, upgrade)
    start(url)


def test_an_older_version_migrates_nothing_that_a_newer_one_has_migrated(
    url: str, next_version: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as newer:
        newer.setattr(migrating, "HEAD", HEAD)
        next_version(HEAD)
        migrate(url)
    monkeypatch.undo()
    assert migrate(url).steps == ()
    with pytest.raises(UnsuitableDatabaseError, match="only that version can take it back"):
        migrate(url, "0004")


def test_a_migration_waits_until_processes_that_cannot_go_on_are_replaced(
    url: str, next_version: Callable[[str], None]
):
    next_version(NEXT)

    def refused() -> None:
        with pytest.raises(MigrationRefusedError, match=rf"is not for 1 process of {__version__} \(schema {HEAD}\)"):
            migrate(url)

    beside_a_process(url, refused)
    start(url)
    migrate(url)
    with pytest.raises(UnsuitableDatabaseError, match=f"processes that know schema {NEXT} or newer work with"):
        start(url)


def test_a_process_whose_time_is_over_says_so(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(notifications, "_CHECK_SECONDS", 0.05)

    async def outdate() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.execute("UPDATE settings SET value = '9999' WHERE name = 'oldest-schema'")
        await connection.close()

    async def run() -> None:
        store = Store(url)
        await store.start()
        await outdate()
        while not any(line["event"] == "this process has to be replaced" for line in logged):
            await asyncio.sleep(0.01)
        await store.close()

    with capture_logs() as logged:
        asyncio.run(run())
    assert any("9999 is a newer version's" in line.get("error", "") for line in logged)


def test_the_way_back_says_what_is_lost_and_waits_for_newer_processes(
    url: str, next_version: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
):
    next_version(HEAD)
    migrate(url)
    with pytest.raises(MigrationRefusedError, match=f"lost: which colour a lease has .schema {NEXT}"):
        migrate(url, HEAD)
    monkeypatch.setattr(notifications, "LISTENER_NAME", f"fairlead-listen {NEXT} 9.0.0")

    def refused() -> None:
        with pytest.raises(MigrationRefusedError, match=f"1 process of 9.0.0 .schema {NEXT}"):
            migrate(url, HEAD, accept_loss=True)

    beside_a_process(url, refused)
    done = migrate(url, HEAD, accept_loss=True)
    assert (done.found, done.target, done.is_back) == (NEXT, HEAD, True)
    start(url)


def test_a_schema_that_does_not_exist_is_named_with_those_that_do(url: str):
    with pytest.raises(UnsuitableDatabaseError, match=rf"there is no schema 7; known are 0001, .*{HEAD}"):
        migrate(url, "7")


def test_a_plan_names_statements_locks_and_who_may_go_on(url: str, next_version: Callable[[str], None]):
    assert plan_text(plan(url, None)) == f"nothing to migrate: the schema is {HEAD}\nat work: nobody"
    next_version(HEAD)
    told: list[str] = []
    beside_a_process(url, lambda: told.extend(plan_text(plan(url, None)).splitlines()))
    assert told[0].startswith(f"schema {HEAD} -> {NEXT}, all in one transaction")
    assert f"{NEXT}  Colours of leases." in told
    assert "    ALTER TABLE leases ADD COLUMN colour text" in told
    locks = {line.split()[1]: line for line in told if line.startswith("  locks")}
    assert locks.keys() == {"leases", "changes", "batches"}
    assert locks["leases"].endswith("): reads and writes wait (AccessExclusiveLock)")
    assert "which is written anew: reads and writes wait" in locks["changes"]
    assert locks["batches"].endswith("): writes wait (ShareLock)")
    assert f"  processes that know schema {HEAD} or newer go on, and may be started again" in told
    assert told[-1] == f"at work: 1 process of {__version__} (schema {HEAD}), which may go on"
    assert migrate(url).found == HEAD, "the plan has changed something"


def test_a_plan_names_who_has_to_go_first_and_what_a_way_back_loses(url: str, next_version: Callable[[str], None]):
    next_version(NEXT)
    told: list[str] = []
    beside_a_process(url, lambda: told.extend(plan_text(plan(url, None)).splitlines()))
    assert f"  only processes that know schema {NEXT} or newer go on: replace the others before" in told
    assert told[-1].endswith("which have to be replaced or stopped before")
    migrate(url)
    told = plan_text(plan(url, HEAD)).splitlines()
    assert f"take back {NEXT}  Colours of leases." in told
    assert "  lost is: which colour a lease has" in told


def test_every_role_sees_who_works(url: str):
    """`migrate` need not run as the role of the processes, nor as one that may look into their sessions."""

    async def seen() -> list[Peers]:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("CREATE ROLE stranger; SET ROLE stranger")
            return await compatibility.at_work(connection)
        finally:
            await connection.execute("RESET ROLE; DROP ROLE stranger")
            await connection.close()

    found: list[Peers] = []
    beside_a_process(url, lambda: found.extend(asyncio.run(seen())))
    assert found == [Peers(HEAD, __version__, 1)]


def test_processes_are_counted_by_version_and_those_that_do_not_tell_are_the_oldest():
    names = ["fairlead-listen 0007 1.2.0", "fairlead-listen", "fairlead-listen 0007 1.2.0"]
    assert peers(names) == [Peers("", "", 1), Peers("0007", "1.2.0", 2)]
    assert list(map(str, peers(names))) == [
        "1 process of a version that does not tell its schema",
        "2 processes of 1.2.0 (schema 0007)",
    ]


def test_what_a_migration_says_of_older_processes_is_a_schema():
    known = [step.schema for step in steps()]
    assert all(step.oldest in known and step.oldest <= step.schema for step in steps())
