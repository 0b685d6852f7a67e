"""`fairlead migrate`."""

import structlog

from app.settings.migrate import MigrateSettings
from app.store.migrating import migrate
from app.telemetry.logs import set_level
from app.upgrades.planning import plan, plan_text

_log = structlog.stdlib.get_logger(__name__)


def run(settings: MigrateSettings) -> None:
    """Bring the database to this version's schema or the one that is asked for, or tell what that takes.

    Raises:
        FairleadError: The database cannot be used, or the migration is refused.
        CannotStartError: The scratch Postgres, in which a plan is tried, does not start.
    """
    if settings.plan:
        set_level("warning")  # what the scratch Postgres migrates is no news
        print(plan_text(plan(settings.url, settings.to)))  # noqa: T201 - the answer of the command
        return
    done = migrate(settings.url, settings.to, accept_loss=settings.accept_loss)
    if done.steps and done.found is not None:  # that a new database gets its tables is no news
        _log.info("migrated", schema=done.target)
