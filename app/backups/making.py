"""Making a backup, and making sure that it can be restored."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from app.backups.archive import read_archive, write_archive
from app.backups.errors import BackupError
from app.backups.programs import check_version, dump, restore
from app.backups.progress import told
from app.backups.restoring import ask
from app.domain.errors import ServiceUnavailable
from app.store import schema
from app.store.backups_made import note_backup
from app.store.contents import Contents, contents_of, snapshot_of
from app.store.database import Database
from app.supervisor.postgres import EmbeddedPostgres

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Made:
    """A backup that was made.

    Attributes:
        size: Of the file, in bytes.
        contents: What it holds.
    """

    size: int
    contents: Contents


def back_up(url: str, path: Path, keys: Sequence[bytes]) -> Made:
    """Write the database, as it is at one moment, into a file, and restore it into a scratch Postgres to compare.

    Everything goes on working meanwhile. The scratch Postgres is beside the file, where there must be room for it.

    Args:
        url: The database.
        path: The file, which must not be there.
        keys: The first one encrypts; without any, the backup is not encrypted.

    Raises:
        BackupError: It failed. There is no file then.
        UnsuitableDatabaseError: The database has another version's schema, or none.
        ServiceUnavailable: The database cannot be reached.
    """
    size, contents = ask(url, partial(_write, path=path, keys=keys))
    try:
        _verify(path, keys, contents)
    except BaseException:
        path.unlink()
        raise
    note(url, "dump")
    return Made(size, contents)


def note(url: str, type_: str) -> None:
    """Have the database know that a backup was made; the backup is as good where it cannot be told."""
    try:
        ask(url, partial(note_backup, type_=type_))
    except ServiceUnavailable as error:
        _log.warning("the time of the backup is not noted", error=error.message)


async def _write(database: Database, path: Path, keys: Sequence[bytes]) -> tuple[int, Contents]:
    await schema.check(database)
    return await write_dump(database, path, keys, "backing up")


async def write_dump(database: Database, path: Path, keys: Sequence[bytes], what: str) -> tuple[int, Contents]:
    """Write a database of any schema, as it is at one moment, into a file.

    Args:
        database: The database.
        path: The file, which must not be there.
        keys: The first one encrypts; without any, the file is not encrypted.
        what: The work, for who waits for it.

    Returns:
        The size of the file in bytes, and what the database held at that moment.

    Raises:
        BackupError: It failed. There is no file then.
        ServiceUnavailable: The database cannot be reached.
    """
    async with snapshot_of(database) as (snapshot, major, contents):
        check_version(major)
        pieces = told(dump(database.url, snapshot), None, what)
        size = await asyncio.to_thread(write_archive, path, pieces, keys[0] if keys else None)
    return size, contents


def _verify(path: Path, keys: Sequence[bytes], contents: Contents) -> None:
    scratch = tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".verify-")
    with scratch as directory, EmbeddedPostgres(Path(directory)) as postgres:
        restore(postgres.url(), read_archive(path, keys))
        differing = contents.differences(ask(postgres.url(), contents_of))
    if differing:
        raise BackupError(f"what can be restored from {path} is not what was backed up: {', '.join(differing)} differ")
