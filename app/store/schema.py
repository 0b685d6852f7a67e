"""Bringing the schema up to date, and refusing to work with another one."""

import asyncio
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


def migrate(database_url: str, revision: str = "head") -> None:
    """Bring a database's schema to a revision; several may try at once, they take turns.

    Args:
        database_url: libpq's connection URL.
        revision: Alembic's name of it: `head`, or an older one to go back to (`base` removes everything).

    Raises:
        UnsuitableDatabaseError: Postgres is too old.
        ServiceUnavailable: The database cannot be reached.
        sqlalchemy.exc.DBAPIError: A migration failed, or waited too long for a lock. Nothing was changed.
    """
    asyncio.run(_migrate(database_url, revision))


async def _migrate(database_url: str, revision: str) -> None:
    database = Database(database_url)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=partial(_connect, database), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            _check_version((await connection.get_raw_connection()).driver_connection)
            await connection.run_sync(_run, revision)
            await connection.commit()
    finally:
        await engine.dispose()
        await database.close()


async def _connect(database: Database) -> Any:
    try:
        return await database.connect()
    except LOST as error:
        raise unreachable(error) from error


def _run(connection: Connection, revision: str) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if revision == "base" or (revision in known and revision != known[0]):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def configuration() -> Config:
    """Alembic's configuration, with the migrations as they are installed."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


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
    scripts = ScriptDirectory.from_config(configuration())
    wanted = scripts.get_current_head()
    if found == wanted:
        return
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
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
