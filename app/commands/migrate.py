"""`fairlead migrate`."""

import structlog

from app.settings import DatabaseSettings
from app.store.migrating import migrate
from app.store.schema import HEAD

_log = structlog.stdlib.get_logger(__name__)


def run(settings: DatabaseSettings) -> None:
    """Brings the database's schema to this version's.

    Raises:
        FairleadError: The database cannot be worked with.
    """
    migrate(settings.url)
    _log.info("migrated", schema=HEAD)
