"""What a database needs that was restored from a backup: revisions that no client has seen."""

from app.store.database import LOST, Database, unreachable

STEP = 1_000_000_000
"""More revisions than anybody can have been given since the backup."""

# Sent as one text, which is one transaction and one round trip: the write lock is never held while a client thinks.
_BUMP = f"""
    SELECT pg_advisory_xact_lock(4712303102);
    DELETE FROM changes;
    SELECT setval('revisions', nextval('revisions') + {STEP});
    UPDATE compaction SET compacted = (SELECT last_value FROM revisions);
"""
_COMPACTED = "SELECT compacted FROM compaction"


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
            await session.execute(_BUMP)
            compacted: int = await session.fetchval(_COMPACTED)
    except LOST as error:
        raise unreachable(error) from error
    return compacted
