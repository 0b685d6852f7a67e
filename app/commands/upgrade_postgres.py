"""`fairlead upgrade-postgres`."""

import structlog

from app.settings.postgres_upgrade import PostgresUpgradeSettings
from app.upgrades.postgres import upgrade

_log = structlog.stdlib.get_logger(__name__)


def run(settings: PostgresUpgradeSettings) -> None:
    """Bring the embedded Postgres of a data directory to the major version that is run.

    Raises:
        FairleadError, CannotStartError: The database is as it was; the message says why.
    """
    done = upgrade(settings.data_dir, settings.file, settings.backup_keys, settings.old_programs)
    if done.before == done.now:
        _log.info("nothing to upgrade", postgres=done.now)
        return
    _log.info(
        "upgraded; start `serve`, and delete what was before once all is well",
        postgres=done.now,
        before=done.before,
        kept=str(done.kept),
        backup=str(done.backup),
    )
    _log.warning("a --wal-archive holds the old Postgres: give `serve` another directory, and make a base backup there")
