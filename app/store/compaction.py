"""Compaction of the log: old changes beyond the number to keep are deleted, and the store remembers the revision."""

from datetime import timedelta

from app.store.database import LOST, Database, unreachable

_CHANGES_AT_ONCE = 2_000
"""Rows deleted in one transaction, so that none lasts long."""

_BATCHES_KEPT = timedelta(minutes=10)
"""How long a batch's outcomes are kept; its writer asks within seconds."""

_BOUNDARY = "SELECT revision FROM changes ORDER BY revision DESC OFFSET $1 LIMIT 1"
# One statement is one transaction: nobody sees the rows gone and the compacted revision not advanced. The row lock
# makes several compactors take turns. What goes is always the beginning of the log, whatever clocks did meanwhile.
_DELETE = """
    WITH state AS (SELECT compacted FROM compaction FOR UPDATE),
    first AS (
        SELECT revision, at >= now() - $2::interval AS young FROM changes, state
        WHERE revision <= $1 AND revision > state.compacted ORDER BY revision LIMIT $3
    ),
    gone AS (
        DELETE FROM changes USING first WHERE changes.revision = first.revision
            AND first.revision < coalesce((SELECT min(revision) FROM first WHERE young), $1 + 1)
        RETURNING changes.revision
    ),
    advanced AS (
        UPDATE compaction SET compacted = (SELECT max(revision) FROM gone) WHERE EXISTS (SELECT FROM gone)
    )
    SELECT count(*) FROM gone
"""
_COMPACTED = "SELECT compacted FROM compaction"
_TRIM = "DELETE FROM batches WHERE at < now() - $1::interval"
# From then on the room of what is gone is used again. Autovacuum would come only when a fifth of a table is dead. A
# table that is being vacuumed already is left alone.
_VACUUM = "VACUUM (SKIP_LOCKED) changes, batches"
_GENTLE = {
    "application_name": "fairlead-compaction",
    # It may take long: nobody waits for it.
    "statement_timeout": "0",
    # Autovacuum's own pace, so that no commit has to queue behind it at the disk.
    "vacuum_cost_delay": "2ms",
}


async def compact(database: Database, older_than: timedelta, keep: int) -> int:
    """Delete changes that are older than an age and not among the latest `keep`, and forget settled batches.

    The tables do not grow: the space of deleted rows is used again.

    Args:
        database: Where.
        older_than: Younger changes stay.
        keep: Number of changes that stay, however old they are.

    Returns:
        The compacted revision: the log does not hold it and earlier ones any more.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    deleted = await _delete(database, older_than, keep)
    try:
        connection = await database.connect(_GENTLE)
        try:
            trimmed = await connection.execute(_TRIM, _BATCHES_KEPT)
            if deleted or trimmed != "DELETE 0":
                await connection.execute(_VACUUM)
            compacted: int = await connection.fetchval(_COMPACTED)
        finally:
            connection.terminate()
    except LOST as error:
        raise unreachable(error) from error
    return compacted


async def _delete(database: Database, older_than: timedelta, keep: int) -> int:
    """Delete old changes beyond the number to keep; return how many they were."""
    boundary = await database.fetch(_BOUNDARY, keep)
    total = 0
    deleted = _CHANGES_AT_ONCE if boundary else 0
    while deleted == _CHANGES_AT_ONCE:
        deleted = (await database.fetch(_DELETE, boundary[0][0], older_than, _CHANGES_AT_ONCE))[0][0]
        total += deleted
    return total
