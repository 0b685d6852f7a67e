"""How old the last backup is, told to scrapers."""

import asyncio
from contextlib import suppress

from app.domain.errors import ApiError
from app.store.backups_made import last_backups
from app.store.database import Database
from app.telemetry.metrics import BACKUP_TIME

_LOOK_SECONDS = 10.0


async def watch_backups(database: Database) -> None:
    """Put the times of the last backups into the metrics, until cancelled."""
    while True:
        # While the database cannot be reached, what was known stays true.
        with suppress(ApiError):
            for type_, when in (await last_backups(database)).items():
                BACKUP_TIME.labels(type_).set(when)
        await asyncio.sleep(_LOOK_SECONDS)
