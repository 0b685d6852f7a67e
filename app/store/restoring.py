"""What a database needs that was restored from a backup: revisions that no client has seen.

A database notes which one it is: the identity of its Postgres cluster, of the database and of its main table. All of
these are others after a dump was restored, and the same on a standby that was promoted. So the first process that
starts on a restored dump finds out by itself. Recovery to a point in time keeps the identity; whoever does that calls
`bump_revision`.
"""

import asyncpg
import structlog

from app.store.database import LOST, Database, unreachable

STEP = 1_000_000_000
"""More revisions than anybody can have been given since the backup."""

_BUMP = f"""
    DELETE FROM changes;
    PERFORM setval('revisions', nextval('revisions') + {STEP});
    UPDATE compaction SET compacted = (SELECT last_value FROM revisions);
"""
_IDENTITY = """
    SELECT (SELECT system_identifier FROM pg_control_system()) || '/'
        || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || 'objects'::regclass::oid
"""
_NOTED = f"SELECT ({_IDENTITY}), (SELECT value FROM settings WHERE name = 'database')"

# Each is one statement: the write lock is never held while a client thinks.
_BUMP_NOW = f"""DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(4712303102);
    {_BUMP}
END $$"""
_BUMP_IF_RESTORED = f"""DO $$
DECLARE
    identity text := ({_IDENTITY});
    noted text;
BEGIN
    PERFORM pg_advisory_xact_lock(4712303102);
    SELECT value INTO noted FROM settings WHERE name = 'database';
    IF noted <> identity THEN
        {_BUMP}
    END IF;
    INSERT INTO settings (name, value) VALUES ('database', identity)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value;
END $$"""
_NOTE = f"""
    INSERT INTO settings (name, value) VALUES ('database', ({_IDENTITY}))
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_COMPACTED = "SELECT compacted FROM compaction"

_log = structlog.stdlib.get_logger(__name__)


async def bump_revision(database: Database) -> int:
    """Let revisions go on far beyond those that were given out, and forget the log.

    Without it the revisions between the backup and its restoring are given out again, for other states: a client that
    kept one would watch from it as if nothing had happened (`etcdutl snapshot restore --bump-revision
    --mark-compacted` is the same for etcd). With it, a watch from an earlier revision is told to list again.
    Processes that run meanwhile read everything anew.

    Returns:
        The revision that lists have now.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    try:
        async with database.session() as session:
            await session.execute(_BUMP_NOW)
            compacted: int = await session.fetchval(_COMPACTED)
    except LOST as error:
        raise unreachable(error) from error
    return compacted


async def bump_if_restored(database: Database) -> int | None:
    """Do as `bump_revision` does if the database is a restored dump, and note which database it is now.

    Returns:
        The revision that lists have now; None if the database is the one that it was.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    try:
        async with database.session() as session:
            try:
                identity, noted = await session.fetchrow(_NOTED)
            except asyncpg.InsufficientPrivilegeError as error:
                _log.warning("a restored backup would not be noticed: run bump-revision after each", error=str(error))
                return None
            if noted == identity:
                return None
            await session.execute(_BUMP_IF_RESTORED)
            compacted: int = await session.fetchval(_COMPACTED)
    except LOST as error:
        raise unreachable(error) from error
    return None if noted is None else compacted


async def note_identity(database: Database) -> None:
    """Note which database it is now, after it was moved whole: nobody was given a revision that it lacks.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    try:
        async with database.session() as session:
            await session.execute(_NOTE)
    except LOST as error:
        raise unreachable(error) from error
