"""Refusing to work with another schema or another Postgres than this version's."""

from typing import Any

import asyncpg

from app.domain.errors import FairleadError
from app.store.database import LOST, Database, unreachable

OLDEST_POSTGRES = 15

HEAD = "0004"
"""The newest migration. They are numbered in their order, so that a greater number is a newer version's."""


class UnsuitableDatabaseError(FairleadError):
    """The database cannot be worked with as it is; the message says what to do."""


async def check(database: Database) -> None:
    """Make sure that this version of Fairlead can work with the database.

    Raises:
        UnsuitableDatabaseError: Postgres is too old, or the schema is another version's.
        ServiceUnavailable: The database cannot be reached.
    """
    try:
        async with database.session() as session:
            check_version(session)
            found = await _revision(session)
    except LOST as error:
        raise unreachable(error) from error
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise UnsuitableDatabaseError(
            f"the database's schema {found} is a newer version's, this one knows {HEAD}: use that version of Fairlead"
        )
    state = "has no schema yet" if found is None else f"has schema {found}, {HEAD} is needed"
    raise UnsuitableDatabaseError(f"the database {state}: run `fairlead migrate` with the same --database-url")


def check_version(session: Any) -> None:
    """Make sure that Postgres is recent enough.

    Raises:
        UnsuitableDatabaseError: It is not.
    """
    major = session.get_server_version().major
    if major < OLDEST_POSTGRES:
        raise UnsuitableDatabaseError(f"the database is Postgres {major}: {OLDEST_POSTGRES} or newer is needed")


async def _revision(session: Any) -> str | None:
    try:
        found: str | None = await session.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return found
