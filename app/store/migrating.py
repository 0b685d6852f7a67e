"""Bringing the schema up to date, and back; Alembic takes half a second to import, so only who migrates does."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import migrations
from app.store.database import LOST, Database, unreachable
from app.store.schema import check_version


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
            check_version((await connection.get_raw_connection()).driver_connection)
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
