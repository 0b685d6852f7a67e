"""`fairlead restore`."""

import structlog

from app.backups.base_backups import restore_moment
from app.backups.restoring import Restored, restore_into_database, restore_into_directory
from app.settings.backup import RestoreSettings
from app.supervisor.wal_archive import WalArchive

_log = structlog.stdlib.get_logger(__name__)


def run(settings: RestoreSettings) -> None:
    """Restore a backup into an empty database, or into a data directory without one.

    Raises:
        FairleadError: Nothing was restored; the message says why.
        CannotStartError: The embedded Postgres cannot be started.
    """
    restored = _restore(settings)
    contents = restored.contents
    _log.info(
        "restored; clients that know what came later list again", objects=contents.objects, revision=contents.revision
    )
    if restored.keys and settings.database_url is not None:
        _log.warning("give all processes --encryption-key-file with the keys of that time", keys=sorted(restored.keys))


def _restore(settings: RestoreSettings) -> Restored:
    if settings.wal_archive is not None:
        return restore_moment(
            settings.data_dir, WalArchive(settings.wal_archive), settings.until, settings.encryption_key_file
        )
    if settings.file is None:
        raise ValueError("this command was started without a backup")
    if settings.database_url is not None:
        return restore_into_database(settings.url, settings.file, settings.backup_keys)
    return restore_into_directory(settings.data_dir, settings.file, settings.backup_keys, settings.encryption_key_file)
