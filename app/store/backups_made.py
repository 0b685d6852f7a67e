"""When backups were made, as the database itself knows: in its settings, by the type of the backup."""

from collections.abc import Mapping

from app.store.database import Database

_PREFIX = "last-backup/"
_NOTE = """
    INSERT INTO settings (name, value) VALUES ($1, extract(epoch FROM clock_timestamp())::text)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_LAST = "SELECT substr(name, $2), value FROM settings WHERE starts_with(name, $1)"


async def note_backup(database: Database, type_: str) -> None:
    """Note that a backup has just been made.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    await database.fetch(_NOTE, f"{_PREFIX}{type_}")


async def last_backups(database: Database) -> Mapping[str, float]:
    """When the last backup of each type was made, in Unix time by the clock of the database.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    rows = await database.fetch(_LAST, _PREFIX, len(_PREFIX) + 1)
    return {row[0]: float(row[1]) for row in rows}
