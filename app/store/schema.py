"""Checks that the schema and Postgres are those that this version works with."""

from typing import Any

import asyncpg
import structlog

from app.domain.errors import FairleadError
from app.store.compatibility import HEAD, OLDEST, may_work
from app.store.database import LOST, Database, unreachable

OLDEST_POSTGRES = 15

_FOUND = f"SELECT version_num, (SELECT value FROM settings WHERE name = '{OLDEST}') FROM alembic_version"
_MARK = "SELECT coalesce(current_setting('fairlead.session', true), '')"


_log = structlog.stdlib.get_logger(__name__)


class UnsuitableDatabaseError(FairleadError):
    """This version cannot work with the database. The message says what to do."""


async def check(database: Database) -> None:
    """Make sure that this version of Fairlead can work with the database.

    Raises:
        UnsuitableDatabaseError: Postgres is too old, or the schema is that of another version, or a pooler is between.
        ServiceUnavailable: The database cannot be reached.
    """
    try:
        async with database.session() as session:
            check_version(session)
            found = await revision(session)
    except LOST as error:
        raise unreachable(error) from error
    check_found(*found)
    if found[0] != HEAD:
        _log.info("the database has been migrated by a newer version; this one may go on", schema=found[0], known=HEAD)
    await _check_sessions(database)


def check_found(found: str | None, oldest: str | None) -> None:
    """Make sure that processes of this version may work with a schema.

    Args:
        found: The database's schema, None if it has none.
        oldest: The oldest schema whose processes may work with it, None if the database does not say.

    Raises:
        UnsuitableDatabaseError: They may not. The message says what to do.
    """
    if found is not None and may_work(found, oldest):
        return
    if found is not None and found > HEAD:
        still = f", which processes that know schema {oldest} or newer work with" if oldest is not None else ""
        raise UnsuitableDatabaseError(
            f"the database's schema {found} is a newer version's{still}, this one knows {HEAD}: use that version of "
            "Fairlead, or have it take the schema back with `fairlead migrate --to`"
        )
    state = "has no schema yet" if found is None else f"has schema {found}, {HEAD} is needed"
    raise UnsuitableDatabaseError(f"the database {state}: run `fairlead migrate` with the same --database-url")


def check_version(session: Any) -> None:
    """Make sure that Postgres is recent enough.

    Raises:
        UnsuitableDatabaseError: Postgres is too old.
    """
    major = session.get_server_version().major
    if major < OLDEST_POSTGRES:
        raise UnsuitableDatabaseError(f"the database is Postgres {major}: {OLDEST_POSTGRES} or newer is needed")


async def _check_sessions(database: Database) -> None:
    """Make sure that a session is one session of Postgres: settings, notifications and waits for locks depend on it.

    Raises:
        UnsuitableDatabaseError: A pooler hands out another session for each transaction.
        ServiceUnavailable: The database cannot be reached.
    """
    sessions = []
    try:
        sessions = [await database.connect() for _ in range(2)]
        await sessions[0].execute("SET fairlead.session = 'first'")
        async with sessions[1].transaction():
            # If the first session's turn is over for a pooler, this one has its place now.
            found = [await session.fetchval(_MARK) for session in reversed(sessions)]
    except asyncpg.InvalidSQLStatementNameError:
        found = []
    except LOST as error:
        raise unreachable(error) from error
    finally:
        for session in sessions:
            session.terminate()
    if found != ["", "first"]:
        raise UnsuitableDatabaseError(
            "a connection pooler between this process and Postgres shares sessions among clients: let --database-url "
            "name Postgres itself, or a pooler whose pool mode is `session`"
        )


async def revision(session: Any) -> tuple[str | None, str | None]:
    """The database's schema, and the oldest one whose processes may work with it."""
    try:
        found = await session.fetchrow(_FOUND)
    except asyncpg.UndefinedTableError:
        return None, None
    return (None, None) if found is None else (found[0], found[1])
