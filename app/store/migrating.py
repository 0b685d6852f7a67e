"""Migrations of the schema, forward and back. Alembic takes half a second to import, so only migrations import it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationInfo
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

import migrations
from app.domain.errors import FairleadError
from app.store.compatibility import HEAD, Peers, at_work
from app.store.database import LOST, STARTING_SECONDS, Database, unreachable
from app.store.schema import UnsuitableDatabaseError, check_found, check_version, revision

OBSERVERS = "observers"
"""Attribute of the configuration: what is called after each migration, as Alembic's `on_version_apply` is."""

BASE = "base"
"""The name of the schema before the first migration, which has nothing."""

Answer = TypeVar("Answer")
Observer = Callable[..., None]

_log = structlog.stdlib.get_logger("migrations")


class MigrationRefusedError(FairleadError):
    """A migration would harm what works on the database, or what is in it. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """One migration.

    Attributes:
        schema: The schema after it.
        title: What it brings.
        oldest: The oldest schema whose processes may go on after it.
        loses: What is lost when it is taken back; "" for nothing.
    """

    schema: str
    title: str
    oldest: str
    loses: str


@dataclass(frozen=True, slots=True)
class Way:
    """How to come from the schema that a database has to another.

    Attributes:
        found: The schema that it has, None for none.
        target: The schema at the end, None for none.
        steps: The migrations in the order in which they run.
        is_back: Whether they are taken back.
        peers: The processes that work on the database.
    """

    found: str | None
    target: str | None
    steps: tuple[Step, ...]
    is_back: bool
    peers: tuple[Peers, ...]

    def hindered_by(self) -> list[Peers]:
        """The processes that could not go on, and so have to be replaced before."""
        if not self.steps:
            return []
        if self.is_back:
            return [peers for peers in self.peers if peers.schema > (self.target or "")]
        oldest = max(step.oldest for step in self.steps)
        return [peers for peers in self.peers if peers.schema < oldest]


def migrate(database_url: str, to: str | None = None, *, accept_loss: bool = False) -> Way:
    """Bring the schema of a database up to date. Several processes may call this at once: they take turns.

    Args:
        database_url: libpq's connection URL.
        to: The schema to reach, which may be an older one; None for the newest that this version knows. A database that
            a newer version has migrated is left as it is then, if processes of this version may work on it.
        accept_loss: Whether data may be lost on the way back.

    Returns:
        What was done.

    Raises:
        MigrationRefusedError: Processes are at work that could not go on, or data would be lost.
        UnsuitableDatabaseError: Postgres is too old, or the schema is that of a newer version.
        ServiceUnavailable: The database cannot be reached.
        sqlalchemy.exc.DBAPIError: A migration failed, or waited too long for a lock. Nothing was changed.
    """
    return asyncio.run(_with_connection(database_url, partial(_migrate, to=to, accept_loss=accept_loss)))


def way(database_url: str, to: str | None = None) -> Way:
    """What `migrate` would do.

    Raises:
        UnsuitableDatabaseError, ServiceUnavailable: See `migrate`.
    """
    return asyncio.run(_with_connection(database_url, partial(_way, to=to)))


async def _migrate(connection: AsyncConnection, to: str | None, *, accept_loss: bool) -> Way:
    planned = await _way(connection, to)
    if hindering := planned.hindered_by():
        raise MigrationRefusedError(
            f"schema {planned.target} is not for {', '.join(map(str, hindering))} at work on the database: replace "
            "or stop these first, and migrate again; `fairlead migrate --plan` shows each step"
        )
    losses = [f"{step.loses} (schema {step.schema})" for step in planned.steps if planned.is_back and step.loses]
    if losses and not accept_loss:
        raise MigrationRefusedError(
            f"on the way back to schema {planned.target} is lost: {'; '.join(losses)}. Make a backup first, and give "
            "--accept-loss. Processes of an older version may not need it: `fairlead migrate --plan` tells which work "
            "with the schema as it is"
        )
    if planned.steps:
        # A database that was empty takes a moment, and nobody waits for its steps.
        observers = [] if planned.found is None else [_told(len(planned.steps))]
        back_to = (planned.target or BASE) if planned.is_back else None
        await connection.run_sync(run_migrations, back_to=back_to, up_to=planned.target, observers=observers)
        await connection.commit()
    return planned


async def _way(connection: AsyncConnection, to: str | None) -> Way:
    session = await driver_session(connection)
    found, oldest = await revision(session)
    peers = tuple(await at_work(session))
    if found is not None and found > HEAD:
        if to is not None:
            raise UnsuitableDatabaseError(
                f"the database's schema {found} is a newer version's, and only that version can take it back; this one "
                f"knows {HEAD}"
            )
        check_found(found, oldest)
        return Way(found, found, (), is_back=False, peers=peers)
    known = {step.schema: step for step in steps()}
    target = HEAD if to is None else to
    if target not in known and target != BASE:
        raise UnsuitableDatabaseError(f"there is no schema {target}; known are {', '.join(known)}")
    reached, wanted = found or "", "" if target == BASE else target
    forward = tuple(step for schema, step in known.items() if reached < schema <= wanted)
    back = tuple(step for schema, step in reversed(known.items()) if wanted < schema <= reached)
    return Way(found, wanted or None, back or forward, is_back=bool(back), peers=peers)


def run_migrations(
    connection: Connection, *, back_to: str | None, up_to: str | None, observers: Sequence[Observer]
) -> None:
    """Run migrations in one transaction.

    Args:
        connection: A connection to the database.
        back_to: The schema to take it back to; None to go forward.
        up_to: The schema to go forward to, None for the newest.
        observers: Called after each migration, with the arguments of Alembic's `on_version_apply`.

    Raises:
        sqlalchemy.exc.DBAPIError: A migration failed, or waited too long for a lock. Nothing was changed.
    """
    config = configuration()
    config.attributes |= {"connection": connection, OBSERVERS: observers}
    if back_to is not None:
        command.downgrade(config, back_to)
    else:
        command.upgrade(config, up_to or "head")


def _told(of: int) -> Observer:
    """Tells of each of so many migrations: together they are one transaction, which may take minutes."""
    numbers = count(1)

    def tell(ctx: Any, step: MigrationInfo, heads: Any, run_args: Any) -> None:
        del ctx, heads, run_args
        number = next(numbers)
        _log.info("migrated a step", schema=step.up_revision_id, forward=step.is_upgrade, step=number, of=of)

    _log.info("migrating", steps=of)
    return tell


async def _with_connection(database_url: str, work: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
    async with connected(database_url) as connection:
        check_version(await driver_session(connection))
        return await work(connection)


@asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[AsyncConnection]:
    """A connection for migrations.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    database = Database(database_url)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=partial(_connect, database), poolclass=NullPool)
    try:
        await database.wait(STARTING_SECONDS)
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
        await database.close()


async def driver_session(connection: AsyncConnection) -> Any:
    """The session of asyncpg below a connection."""
    return (await connection.get_raw_connection()).driver_connection


async def _connect(database: Database) -> Any:
    try:
        return await database.connect()
    except LOST as error:
        raise unreachable(error) from error


def configuration() -> Config:
    """The configuration of Alembic for the installed migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def scripts() -> ScriptDirectory:
    """All migrations."""
    return ScriptDirectory.from_config(configuration())


def steps() -> list[Step]:
    """All migrations, the first one first."""
    return [_step(script) for script in reversed(list(scripts().walk_revisions()))]


def oldest_of(schema: str) -> str:
    """The oldest schema whose processes may work on a database that has a schema."""
    return max(step.oldest for step in steps() if step.schema <= schema)


def _step(script: Script) -> Step:
    """What a migration's module says: it may have `oldest`, without which no older process goes on, and `loses`."""
    return Step(
        schema=script.revision,
        title=str(script.doc),
        oldest=getattr(script.module, "oldest", script.revision),
        loses=getattr(script.module, "loses", ""),
    )
