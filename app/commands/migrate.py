"""`fairlead migrate`."""

import structlog

from app.settings import DatabaseSettings
from app.store.migrating import migrate
from app.store.schema import HEAD

_log = structlog.stdlib.get_logger(__name__)


def run(settings: DatabaseSettings) -> None:
    """Bring the schema of the database to that of this version.

    Raises:
        FairleadError: The database cannot be used.
    """
    migrate(settings.url)
    _log.info("migrated", schema=HEAD)
