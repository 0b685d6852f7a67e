"""`fairlead bump-revision`."""

import asyncio

import structlog

from app.settings.base import DatabaseSettings
from app.store import schema
from app.store.database import Database
from app.store.restoring import bump_revision

_log = structlog.stdlib.get_logger(__name__)


def run(settings: DatabaseSettings) -> None:
    """Let revisions of a restored database go on beyond all that clients have seen, so that they list again.

    Raises:
        FairleadError: The database cannot be used.
    """
    revision = asyncio.run(_bump(settings.url))
    _log.info("the next revision is higher than any before the restore", revision=revision)


async def _bump(url: str) -> int:
    database = Database(url)
    try:
        await schema.check(database)
        return await bump_revision(database)
    finally:
        await database.close()
