"""Bringing the schema up to date, and refusing to work with another one."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import migrations
from app.domain.errors import FairleadError
from app.store.database import LOST, Database, unreachable

OLDEST_POSTGRES = 15


class UnsuitableDatabaseError(FairleadError):
    """The database cannot be worked with as it is; the message says what to do."""


def migrate(database_url: str) -> None:
    """Bring a database's schema up to date; several may try at once, they take turns.

    Args:
        database_url: libpq's connection URL.

    Raises:
        UnsuitableDatabaseError: Postgres is too old.
        ServiceUnavailable: The database cannot be reached.
        sqlalchemy.exc.DBAPIError: A migration failed, or waited too long for a lock. Nothing was changed.
    """
    asyncio.run(_run(database_url, partial(command.upgrade, revision="head")))


def downgrade(database_url: str, revision: str) -> None:
    """Take a database's schema back to an older revision, `base` to before the first; what it held goes with it.

    Raises:
        UnsuitableDatabaseError, ServiceUnavailable, sqlalchemy.exc.DBAPIError: As `migrate` does.
    """
    asyncio.run(_run(database_url, partial(command.downgrade, revision=revision)))


async def _run(database_url: str, migration: Callable[[Config], None]) -> None:
    database = Database(database_url)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=partial(_connect, database), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            _check_version((await connection.get_raw_connection()).driver_connection)
            await connection.run_sync(_with_connection, migration)
            await connection.commit()
    finally:
        await engine.dispose()
        await database.close()


def _with_connection(connection: Connection, migration: Callable[[Config], None]) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    migration(config)


async def _connect(database: Database) -> Any:
    try:
        return await database.connect()
    except LOST as error:
        raise unreachable(error) from error


def configuration() -> Config:
    """Alembic's configuration, with the migrations as they are installed."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def scripts() -> ScriptDirectory:
    """The migrations there are."""
    return ScriptDirectory.from_config(configuration())


async def check(database: Database) -> None:
    """Make sure that this version of Fairlead can work with the database.

    Raises:
        UnsuitableDatabaseError: Postgres is too old, or the schema is another version's.
        ServiceUnavailable: The database cannot be reached.
    """
    try:
        async with database.session() as session:
            _check_version(session)
            found = await _revision(session)
    except LOST as error:
        raise unreachable(error) from error
    wanted = scripts().get_current_head()
    if found == wanted:
        return
    if found is not None and found not in {script.revision for script in scripts().walk_revisions()}:
        raise UnsuitableDatabaseError(
            f"the database's schema {found} is a newer version's, this one knows {wanted}: use that version of Fairlead"
        )
    state = "has no schema yet" if found is None else f"has schema {found}, {wanted} is needed"
    raise UnsuitableDatabaseError(f"the database {state}: run `fairlead migrate` with the same --database-url")


def _check_version(session: Any) -> None:
    major = session.get_server_version().major
    if major < OLDEST_POSTGRES:
        raise UnsuitableDatabaseError(f"the database is Postgres {major}: {OLDEST_POSTGRES} or newer is needed")


async def _revision(session: Any) -> str | None:
    try:
        found: str | None = await session.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return found
