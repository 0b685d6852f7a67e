"""`fairlead bump-revision`."""

import asyncio

import structlog

from app.settings import DatabaseSettings
from app.store import schema
from app.store.database import Database
from app.store.restoring import bump_revision

_log = structlog.stdlib.get_logger(__name__)


def run(settings: DatabaseSettings) -> None:
    """Makes a database that was restored from a backup fit for the clients of before.

    Raises:
        FairleadError: The database cannot be worked with.
    """
    revision = asyncio.run(_bump(settings.url))
    _log.info("revisions go on beyond those of before", revision=revision)


async def _bump(url: str) -> int:
    database = Database(url)
    try:
        await schema.check(database)
        return await bump_revision(database)
    finally:
        await database.close()
