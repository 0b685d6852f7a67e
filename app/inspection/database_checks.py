"""Whether the database can be reached and used, and whether its clock agrees with this machine's."""

import time
from collections.abc import AsyncIterator

from app.domain.errors import ApiError
from app.inspection.finding import Finding
from app.store.compatibility import HEAD
from app.store.database import Database
from app.store.schema import UnsuitableDatabaseError, check

_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"
_RIGHTS = "SELECT current_user, has_schema_privilege(current_schema(), 'CREATE')"
_SKEW_SECONDS = 2.0
"""As long as a lease lives. Leases follow the database's clock; ages and certificates follow this machine's."""


async def database_findings(url: str) -> AsyncIterator[Finding]:
    """What is found about the database at a URL."""
    database = Database(url)
    try:
        yield await _rights(database)
        yield await _schema(database)
        yield await _clock(database)
    except ApiError as error:
        advice = "check --database-url, whether Postgres runs, and what pg_hba.conf and firewalls let through"
        yield Finding("problem", "database", error.message, advice)
    finally:
        await database.close()


async def _rights(database: Database) -> Finding:
    ((user, may_create),) = await database.fetch(_RIGHTS)
    if may_create:
        return Finding("ok", "database", f"reached, as {user}, who may create tables")
    return Finding(
        "warning",
        "database",
        f"reached; {user} may not create tables, which `fairlead migrate` needs",
        f'GRANT CREATE, USAGE ON SCHEMA public TO "{user}", or migrate as another user',
    )


async def _schema(database: Database) -> Finding:
    try:
        await check(database)
    except UnsuitableDatabaseError as error:
        return Finding("problem", "schema", str(error), "`serve` migrates by itself; `api` and `reconciler` do not")
    return Finding("ok", "schema", f"{HEAD}, as this version needs it")


async def _clock(database: Database) -> Finding:
    before = time.time()
    ((there,),) = await database.fetch(_CLOCK)
    after = time.time()
    ahead = max(before - there, there - after, 0.0)
    if ahead > _SKEW_SECONDS:
        return Finding(
            "warning",
            "clock",
            f"this machine and the database differ by {ahead:.1f} seconds",
            "let NTP (chrony, systemd-timesyncd) set the clocks of both",
        )
    return Finding("ok", "clock", "agrees with the database's")
