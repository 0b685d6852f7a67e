"""`fairlead backup`."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from app.backups.base_backups import make_base_backup
from app.backups.making import back_up
from app.settings.backup import BackupSettings
from app.supervisor.reached_database import reached_database
from app.supervisor.wal_archive import WalArchive

_log = structlog.stdlib.get_logger(__name__)


def run(settings: BackupSettings) -> None:
    """Back up the database while everything goes on, and make sure that the backup can be restored.

    Raises:
        FairleadError: There is no backup; the message says why.
        CannotStartError: The scratch Postgres, with which the backup is checked, cannot be started.
    """
    with _database(settings) as url:
        if settings.wal_archive is not None:
            base = make_base_backup(url, WalArchive(settings.wal_archive))
            _log.info("the base backup is complete", path=str(base))
        elif settings.file is not None:
            made = back_up(url, settings.file, settings.backup_keys)
            _log.info(
                "backed up, and restored to compare",
                path=str(settings.file),
                bytes=made.size,
                encrypted=bool(settings.backup_keys),
                objects=made.contents.objects,
                revision=made.contents.revision,
            )


@contextmanager
def _database(settings: BackupSettings) -> Iterator[str]:
    """URL of the database; the embedded one is started if no `serve` runs it."""
    if settings.database_url is not None:
        yield settings.url
        return
    with reached_database(settings.data_dir, settings.wal_archive) as url:
        yield url
