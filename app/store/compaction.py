"""Trimming the log: what is old and beyond the number to keep goes, and the store remembers up to where."""

from datetime import timedelta

from app.store.database import Database

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


async def compact(database: Database, older_than: timedelta, keep: int) -> int:
    """Delete changes that are older than an age and not among the latest `keep`, and forget settled batches.

    Args:
        database: Where.
        older_than: Younger changes stay.
        keep: So many changes stay, however old.

    Returns:
        The compacted revision: the log no longer holds it and those before it.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    boundary = await database.fetch(_BOUNDARY, keep)
    if boundary:
        deleted = _CHANGES_AT_ONCE
        while deleted == _CHANGES_AT_ONCE:
            deleted = (await database.fetch(_DELETE, boundary[0][0], older_than, _CHANGES_AT_ONCE))[0][0]
    await database.fetch(_TRIM, _BATCHES_KEPT)
    compacted: int = (await database.fetch(_COMPACTED))[0][0]
    return compacted
