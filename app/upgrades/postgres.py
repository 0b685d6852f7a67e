"""The embedded Postgres from one major version to the one that is run.

A dump of the old cluster is restored into a new one beside it, and compared. Only then the new one takes the place of
the old one, which is kept. Whenever this is ended, there is one whole cluster: the old one until the last step, which
two renames make, and between these the new one, which a mark in the data directory says is complete.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from app.backups.archive import read_archive
from app.backups.errors import BackupError
from app.backups.making import write_dump
from app.backups.programs import restore
from app.backups.progress import told
from app.backups.restoring import ask
from app.store.contents import Contents, contents_of
from app.store.migrating import migrate
from app.store.restoring import note_identity
from app.supervisor.binaries import POSTGRES_MAJOR, binaries, programs_in, unprivileged_user
from app.supervisor.cluster_version import UPGRADED, check_cluster, major_of
from app.supervisor.errors import BinariesMissingError, DataDirectoryUnusableError
from app.supervisor.postgres import EmbeddedPostgres

_START_SECONDS = 300.0
"""For the old Postgres, which may have to recover from a crash first."""

_SPARE_BYTES = 512 * 2**20

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done.

    Attributes:
        before: The major version before.
        now: The major version that the data directory has now.
        kept: The old cluster, None if there is none.
        backup: The backup that was made of it, None if none was.
    """

    before: int
    now: int
    kept: Path | None = None
    backup: Path | None = None


def upgrade(data_dir: Path, backup: Path | None, keys: Sequence[bytes], old_programs: Path | None) -> Upgraded:
    """Bring the cluster of a data directory to the major version that is run.

    It may be ended at any time, and repeated. Clients notice nothing but the time that it takes: the database holds
    what it held, revisions included.

    Args:
        data_dir: The data directory, which no `serve` uses.
        backup: The file of the backup, None for one in the data directory.
        keys: The first one encrypts the backup; without any, it is not encrypted.
        old_programs: The programs of the old Postgres, None for those of the package.

    Raises:
        BackupError: The database could not be moved. It is as it was.
        CannotStartError: The data directory is in use or not usable, or one of both Postgres does not start.
        ServiceUnavailable: The same, while it ran.
    """
    data_dir = data_dir.absolute()
    cluster = data_dir / "postgres"
    if not cluster.exists() and not (data_dir / UPGRADED).exists():
        raise DataDirectoryUnusableError(f"{data_dir} has no database: name another --data-dir")
    before = major_of(cluster) if cluster.exists() else POSTGRES_MAJOR
    postgres = EmbeddedPostgres(data_dir, programs=_programs(cluster, before, old_programs))
    postgres.directory.acquire()
    try:
        if not cluster.exists():
            kept = _take_place(data_dir)
            return Upgraded(major_of(kept), POSTGRES_MAJOR, kept)
        if before >= POSTGRES_MAJOR:
            check_cluster(data_dir)
            shutil.rmtree((data_dir / UPGRADED).parent, ignore_errors=True)
            return Upgraded(before, before)
        place = _room_for(cluster, backup or data_dir / f"postgres-{before}.backup", own=backup is None)
        contents = _dump(postgres, place, keys)
        _fill(data_dir, place, contents, keys)
        return Upgraded(before, POSTGRES_MAJOR, _take_place(data_dir), place)
    finally:
        postgres.directory.release()


def _programs(cluster: Path, major: int, old_programs: Path | None) -> Path | None:
    """The programs of an old cluster; None if it is none.

    Raises:
        BinariesMissingError: They are not there, or do not run.
    """
    if major >= POSTGRES_MAJOR:
        return None
    user = unprivileged_user(cluster)
    if old_programs is not None:
        return programs_in(old_programs, user, major)
    try:
        return binaries(user, major)
    except BinariesMissingError as error:
        raise BinariesMissingError(f"{error}: name a directory that has with --old-programs") from error


def _room_for(cluster: Path, backup: Path, *, own: bool) -> Path:
    """The path of the backup, after a look whether there is room for it and for a second cluster.

    Raises:
        BackupError: There is not.
    """
    size = sum(path.stat().st_size for path in cluster.rglob("*") if path.is_file())
    free = shutil.disk_usage(cluster.parent).free
    if free < size + _SPARE_BYTES:
        raise BackupError(
            f"there are {free // 2**20} MiB free in {cluster.parent}, and {(size + _SPARE_BYTES) // 2**20} MiB are "
            "needed: the old database stays beside the new one until you delete it"
        )
    if own:
        backup.unlink(missing_ok=True)  # of an attempt that was ended
    return backup


def _dump(old: EmbeddedPostgres, backup: Path, keys: Sequence[bytes]) -> Contents:
    """Make the backup with the old programs, and stop them."""
    _log.info("step 1 of 3: a backup of the old Postgres", file=str(backup))
    try:
        old.start(_START_SECONDS)
        size, contents = ask(old.url(), partial(write_dump, path=backup, keys=keys, what="backing up"))
    finally:
        old.halt()
    _log.info("backed up", bytes=size, objects=contents.objects, revision=contents.revision)
    return contents


def _fill(data_dir: Path, backup: Path, contents: Contents, keys: Sequence[bytes]) -> None:
    """Restore the backup into a new cluster beside the old one, and compare them; mark it as complete.

    Raises:
        BackupError: It is not the same.
    """
    _log.info("step 2 of 3: a new Postgres with what the backup holds", postgres=POSTGRES_MAJOR)
    mark = data_dir / UPGRADED
    shutil.rmtree(mark.parent, ignore_errors=True)
    with EmbeddedPostgres(mark.parent) as new:
        restore(new.url(), told(read_archive(backup, keys), backup.stat().st_size, "restoring"))
        _log.info("comparing")
        differing = contents.differences(ask(new.url(), contents_of))
        if differing:
            raise BackupError(f"the new database is not what the old one is: {', '.join(differing)} differ")
        migrate(new.url())
        ask(new.url(), note_identity)
    _sync(mark.parent / "postgres")
    mark.touch()
    _sync(mark.parent)


def _take_place(data_dir: Path) -> Path:
    """Have the new cluster take the place of the old one, if need be from where an earlier attempt was ended.

    Returns:
        Where the old one is kept.
    """
    _log.info("step 3 of 3: the new Postgres takes the place of the old one")
    cluster, mark = data_dir / "postgres", data_dir / UPGRADED
    if cluster.exists():
        kept = data_dir / f"postgres-{major_of(cluster)}"
        if kept.exists():
            raise BackupError(f"{kept} is there from an earlier upgrade: move it away")
        cluster.rename(kept)
        _sync(data_dir)
    (mark.parent / "postgres").rename(cluster)
    _sync(data_dir)
    shutil.rmtree(mark.parent)
    return max(data_dir.glob("postgres-[0-9][0-9]"), key=major_of)


def _sync(directory: Path) -> None:
    """Have the names in a directory on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
