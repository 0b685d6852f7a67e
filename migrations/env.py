"""What Alembic runs: all migrations in one transaction, one migrator at a time, never waiting long for a table."""

from alembic import context
from sqlalchemy import text

from app.store.compatibility import OLDEST
from app.store.migrating import OBSERVERS, oldest_of
from app.store.tables import metadata

_LOCK = 4_712_303_101
"""Key of the advisory lock that migrators take."""

_NOTE = """
    INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


def _migrate() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        on_version_apply=context.config.attributes[OBSERVERS],
    )
    with context.begin_transaction():
        connection.execute(text("SET LOCAL statement_timeout = '10min'"))
        connection.execute(text("SET LOCAL lock_timeout = '2min'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        # From here on it waits for tables, behind whose lock everybody else would queue.
        connection.execute(text("SET LOCAL lock_timeout = '3s'"))
        context.run_migrations()
        reached = context.get_context().get_current_revision()
        if reached is not None:
            connection.execute(text(_NOTE), {"name": OLDEST, "value": oldest_of(reached)})


_migrate()
