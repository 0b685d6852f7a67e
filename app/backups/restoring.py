"""Restoring a backup, whole or not at all."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.backups.archive import read_archive
from app.backups.errors import BackupError
from app.backups.programs import restore
from app.backups.progress import told
from app.credentials.encryption_keys import read_keys
from app.store.contents import Contents, contents_of, is_empty
from app.store.database import Database
from app.store.encryption import needed_keys
from app.store.migrating import migrate
from app.store.restoring import bump_if_restored
from app.store.sealing import Keyring
from app.supervisor.data_directory import DataDirectory
from app.supervisor.postgres import EmbeddedPostgres

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Restored:
    """What was restored.

    Attributes:
        contents: What the database holds now.
        keys: Fingerprints of the keys with which Secrets in it are encrypted.
    """

    contents: Contents
    keys: frozenset[str]


def restored(url: str) -> Restored:
    """What the database holds, after it was restored."""
    return Restored(ask(url, contents_of), frozenset(ask(url, needed_keys)))


def restore_into_database(url: str, path: Path, keys: Sequence[bytes]) -> Restored:
    """Restore a backup into an empty database, bring its schema up to date, and let revisions go on far beyond.

    Args:
        url: The database.
        path: The file of the backup.
        keys: Any that it may be encrypted with.

    Returns:
        What became of it.

    Raises:
        BackupError: The database is not empty, or the backup cannot be restored. Nothing was changed.
        ServiceUnavailable: The database cannot be reached.
    """
    if not ask(url, is_empty):
        raise BackupError("the database is not empty: stop all processes, and restore into a new, empty database")
    restore(url, told(read_archive(path, keys), _size_of(path), "restoring"))
    migrate(url)
    ask(url, bump_if_restored)
    return restored(url)


def _size_of(path: Path) -> int:
    """Bytes of a file; 0 if it cannot be looked at, which reading it tells."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def restore_into_directory(data_dir: Path, path: Path, keys: Sequence[bytes], key_file: Path | None) -> Restored:
    """Do the same in the embedded Postgres of a data directory that has none yet.

    Args:
        data_dir: The data directory.
        path: The file of the backup.
        keys: Any that it may be encrypted with.
        key_file: The keys of its Secrets, None if the data directory has them already.

    Raises:
        BackupError: There is a Postgres already, or the backup cannot be restored, or keys are missing. Nothing was
            changed.
        CannotStartError: The directory cannot be used, or Postgres does not start.
    """
    with new_cluster(data_dir) as unfinished:
        with EmbeddedPostgres(unfinished) as postgres:
            result = restore_into_database(postgres.url(), path, keys)
        bring_keys(data_dir, result.keys, key_file)
    return result


def bring_keys(data_dir: Path, needed: Collection[str], key_file: Path | None) -> None:
    """Make sure that a data directory has the keys of what was restored there, from a file if one is given.

    Raises:
        BackupError: Keys are missing, or the directory has others.
    """
    own = data_dir / "encryption-keys"
    source = key_file or own
    known = Keyring(read_keys(source)).fingerprints if source.exists() else ()
    if missing := sorted(set(needed).difference(known)):
        raise BackupError(
            f"the backup holds what is encrypted with the key {', '.join(missing)}: give --encryption-key-file with a "
            "copy of the file that the old data directory has as encryption-keys"
        )
    if key_file is None or not known:
        return
    if own.exists() and own.read_bytes() != key_file.read_bytes():
        raise BackupError(f"{own} has other keys than {key_file}: move it away")
    with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(key_file.read_bytes())


@contextmanager
def new_cluster(data_dir: Path) -> Iterator[Path]:
    """A directory for the embedded Postgres, which becomes that of `data_dir` when the block ends without an error.

    Raises:
        BackupError: There is a Postgres already.
        DataDirectoryUnusableError: The directory is in use, or cannot be used.
    """
    directory = DataDirectory(data_dir)
    directory.acquire()
    cluster, unfinished = directory.path / "postgres", directory.path / "restoring"
    try:
        if cluster.exists():
            raise BackupError(f"{data_dir} has a database already: move it away, or choose another --data-dir")
        shutil.rmtree(unfinished, ignore_errors=True)
        yield unfinished
        (unfinished / "postgres").rename(cluster)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        directory.release()


def ask(url: str, question: Callable[[Database], Awaitable[Answer]]) -> Answer:
    """The answer of a database."""

    async def asked() -> Answer:
        database = Database(url)
        try:
            return await question(database)
        finally:
            await database.close()

    return asyncio.run(asked())
