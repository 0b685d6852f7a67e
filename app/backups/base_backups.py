"""Base backups of the embedded Postgres, and recovery to any moment since one of them."""

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from app.backups.errors import BackupError
from app.backups.making import note
from app.backups.programs import base_backup
from app.backups.restoring import Restored, ask, bring_keys, new_cluster, restored
from app.store.contents import contents_of
from app.store.database import Database
from app.store.migrating import migrate
from app.store.restoring import bump_revision
from app.supervisor.binaries import unprivileged_user
from app.supervisor.postgres import EmbeddedPostgres
from app.supervisor.wal_archive import WalArchive, quoted

_RECOVERY_SECONDS = 7 * 86400.0
"""Longer than anybody waits: when recovery fails, Postgres ends by itself."""


def make_base_backup(url: str, archive: WalArchive) -> Path:
    """Copy the cluster into the archive while everything goes on, and start a copy of that to see that it works.

    Raises:
        BackupError: It failed, or the cluster does not archive its log.
        PostgresFailedError: The copy does not start.
        ServiceUnavailable: The database cannot be reached.
    """
    if not ask(url, _archives):
        raise BackupError(
            "the database does not archive its write-ahead log: start `serve` with the same --wal-archive"
        )
    shutil.rmtree(archive.new_base(), ignore_errors=True)
    base_backup(url, archive.new_base())
    with tempfile.TemporaryDirectory(dir=archive.path, prefix=".verify-") as scratch:
        _copy(archive.new_base(), Path(scratch))
        with EmbeddedPostgres(Path(scratch)) as postgres:
            ask(postgres.url(), contents_of)
    kept = archive.keep_base()
    note(url, "base")
    return kept


async def _archives(database: Database) -> bool:
    return bool((await database.fetch("SELECT current_setting('archive_mode') = 'on'"))[0][0])


def restore_moment(data_dir: Path, archive: WalArchive, until: datetime | None, key_file: Path | None) -> Restored:
    """Recover the cluster as it was at a moment, in a data directory that has none yet.

    Args:
        data_dir: The data directory.
        archive: Has a base backup from before the moment, and the log since.
        until: The moment, None for the latest that the archive has.
        key_file: The keys of its Secrets, None if the data directory has them already.

    Returns:
        What became of it.

    Raises:
        BackupError: There is a Postgres already, or no base backup from before the moment, or keys are missing.
        PostgresFailedError: The archive does not reach the moment, or is damaged.
    """
    base = _base_before(archive, until)
    with new_cluster(data_dir) as unfinished:
        cluster = _copy(base, unfinished)
        kept = cluster / "postgresql.auto.conf"
        before = kept.read_text()
        settings = archive.restore_settings(until)
        kept.write_text(before + "".join(f"{name} = {quoted(value)}\n" for name, value in settings.items()))
        signal = cluster / "recovery.signal"
        signal.touch()
        shutil.chown(signal, cluster.stat().st_uid, cluster.stat().st_gid)
        postgres = EmbeddedPostgres(unfinished)
        try:
            postgres.start(_RECOVERY_SECONDS)
            migrate(postgres.url())
            ask(postgres.url(), bump_revision)
            result = restored(postgres.url())
        finally:
            postgres.stop()
        kept.write_text(before)
        bring_keys(data_dir, result.keys, key_file)
    return result


def _base_before(archive: WalArchive, until: datetime | None) -> Path:
    bases = archive.bases()
    if not bases:
        raise BackupError(f"{archive.path} has no base backup")
    usable = [path for time, path in bases.items() if until is None or time <= until.astimezone(UTC)]
    if not usable:
        raise BackupError(
            f"the oldest base backup of {archive.path} is of {min(bases).isoformat()}: choose a later moment"
        )
    return usable[-1]


def _copy(base: Path, directory: Path) -> Path:
    """Copy a base backup into a directory, as the cluster of the user that runs Postgres."""
    cluster = directory / "postgres"
    shutil.copytree(base, cluster)
    cluster.chmod(0o700)
    user = unprivileged_user(directory / "none")
    if user is not None:
        for path in (cluster, *cluster.rglob("*")):
            os.chown(path, *user)
    return cluster
