"""The schema's way up and down, and what runs against the wrong one."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from app.domain.errors import ServiceUnavailable
from app.store import schema
from app.store.compatibility import HEAD
from app.store.database import Database
from app.store.migrating import BASE, migrate, scripts
from app.store.schema import UnsuitableDatabaseError
from app.store.store import Store
from app.store.tables import metadata
from app.supervisor.postgres import EmbeddedPostgres

MIGRATE = "import sys; from app.store.migrating import migrate; migrate(sys.argv[1])"


def run(url: str, *statements: str) -> Any:
    async def execute() -> Any:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetch(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(execute())


@pytest.fixture
def fresh_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database without a schema."""
    administration = postgres.url("postgres")
    run(administration, "DROP DATABASE IF EXISTS fresh WITH (FORCE)", "CREATE DATABASE fresh")
    yield postgres.url("fresh")
    run(administration, "DROP DATABASE fresh WITH (FORCE)")


def relations(url: str) -> set[str]:
    rows = run(
        url,
        """
        SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        """,
    )
    return {row["name"] for row in rows}


def differences(url: str) -> list[Any]:
    async def compare() -> list[Any]:
        database = Database(url)
        async with database.engine.connect() as connection:
            found = await connection.run_sync(_differences)
        await database.close()
        return found

    return asyncio.run(compare())


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, metadata))


def start(url: str) -> None:
    async def starting() -> None:
        store = Store(url)
        try:
            await store.start()
        finally:
            await store.close()

    asyncio.run(starting())


def test_up_is_the_model_and_down_leaves_nothing(fresh_url: str):
    migrate(fresh_url)
    assert differences(fresh_url) == []
    whole = relations(fresh_url)
    assert {"objects", "changes", "fairlead_write", "revisions"} <= whole
    migrate(fresh_url)
    assert relations(fresh_url) == whole
    migrate(fresh_url, BASE, accept_loss=True)
    assert relations(fresh_url) == {"alembic_version", "alembic_version_pkc"}
    migrate(fresh_url)
    assert relations(fresh_url) == whole
    start(fresh_url)


def test_each_step_down_can_be_taken_up_again(fresh_url: str):
    migrate(fresh_url)
    whole = relations(fresh_url)
    for script in list(scripts().walk_revisions()):
        migrate(fresh_url, str(script.down_revision or BASE), accept_loss=True)
        migrate(fresh_url)
        assert relations(fresh_url) == whole


def test_it_is_told_how_far_a_migration_has_come(fresh_url: str):
    migrate(fresh_url)
    migrate(fresh_url, "0003", accept_loss=True)
    with capture_logs() as logged:
        migrate(fresh_url)
    assert [(each["event"], each.get("schema"), each.get("step")) for each in logged] == [
        ("migrating", None, None),
        *(("migrated a step", script.revision, number) for number, script in enumerate(newer_than("0003"), 1)),
    ]
    assert logged[0]["steps"] == logged[1]["of"] == len(newer_than("0003"))


def newer_than(revision: str) -> list[Any]:
    return [script for script in reversed(list(scripts().walk_revisions())) if script.revision > revision]


def test_the_newest_migration_is_the_one_that_processes_ask_for_and_has_the_greatest_number():
    assert scripts().get_current_head() == HEAD
    newest_first = [script.revision for script in scripts().walk_revisions()]
    assert newest_first == sorted(newest_first, reverse=True)


def test_a_difference_would_be_found(fresh_url: str):
    migrate(fresh_url)
    run(fresh_url, "ALTER TABLE leases ADD COLUMN surplus text", "SELECT 1")
    assert differences(fresh_url)


def test_several_migrators_take_turns(fresh_url: str):
    migrators = [subprocess.Popen([sys.executable, "-c", MIGRATE, fresh_url]) for _ in range(2)]
    assert [migrator.wait() for migrator in migrators] == [0] * 2
    start(fresh_url)


def test_a_migration_that_cannot_have_a_table_gives_up_and_changes_nothing(fresh_url: str):
    migrate(fresh_url)
    whole = relations(fresh_url)
    asyncio.run(_migrate_while_locked(fresh_url))
    assert relations(fresh_url) == whole


async def _migrate_while_locked(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE changes IN ACCESS SHARE MODE")
            with pytest.raises(DBAPIError, match="lock timeout"):
                await asyncio.to_thread(migrate, url, BASE, accept_loss=True)
    finally:
        await connection.close()


def test_nothing_runs_without_the_schema_and_the_command_is_named(fresh_url: str):
    with pytest.raises(UnsuitableDatabaseError, match="no schema yet: run `fairlead migrate`"):
        start(fresh_url)
    assert relations(fresh_url) == set()


def test_nothing_runs_with_an_older_or_a_newer_schema(fresh_url: str):
    migrate(fresh_url)
    migrate(fresh_url, "0001", accept_loss=True)
    with pytest.raises(UnsuitableDatabaseError, match=r"has schema 0001, .* is needed: run `fairlead migrate`"):
        start(fresh_url)
    migrate(fresh_url)
    run(
        fresh_url,
        "UPDATE alembic_version SET version_num = '9999'",
        "UPDATE settings SET value = '9998' WHERE name = 'oldest-schema'",
        "SELECT 1",
    )
    with pytest.raises(UnsuitableDatabaseError, match="which processes that know schema 9998 or newer"):
        start(fresh_url)


def test_an_old_postgres_is_refused(fresh_url: str, monkeypatch: pytest.MonkeyPatch):
    migrate(fresh_url)
    monkeypatch.setattr(schema, "OLDEST_POSTGRES", 99)
    with pytest.raises(UnsuitableDatabaseError, match="99 or newer is needed"):
        start(fresh_url)
    with pytest.raises(UnsuitableDatabaseError, match="99 or newer is needed"):
        migrate(fresh_url)


def test_an_unreachable_database_is_told_of(tmp_path: Path):
    url = f"postgresql://fairlead@/fairlead?host={tmp_path}"
    for run_it in (start, migrate):
        with pytest.raises(ServiceUnavailable, match="cannot be reached"):
            run_it(url)


def test_migrations_are_found_from_anywhere(fresh_url: str, tmp_path: Path):
    root = str(Path(schema.__file__).parents[2])
    subprocess.run([sys.executable, "-c", MIGRATE, fresh_url], cwd=tmp_path, env={"PYTHONPATH": root}, check=True)
    start(fresh_url)
