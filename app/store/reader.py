"""The one read path: the tail of the log, a snapshot of the whole store, and what the reconciler looks for."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.store import claim_queries
from app.store.database import LOST, Database, unreachable
from app.store.rows import ChangeRow, ClaimRow, Holder, LimitRow, ObjectRow, Tail
from app.store.sealing import PLAIN, Keyring
from app.store.steady import SteadyQuery

_PAGE = 2_000

_SEARCH = 15.0
"""Seconds that looking for what is free may take: a million held addresses in a row are a second or two."""

_FARTHEST = 2**62
"""How far a free address is looked for behind the first one. There can never be more claims than that."""

_CHANGE = """
    c.revision, c.kind, c.namespace, c.name, c.uid::text, c.type, c.body, c.previous_body, c.previous_revision, c.trace
"""
# Who follows the log has the states before: sending them again would nearly double what is sent.
_STEP = _CHANGE.replace("c.previous_body", "NULL::bytea")
_OBJECT = "kind, namespace, name, uid::text, revision, body, ordinal, trace"

# A log that compaction has emptied is as new as its compacted revision.
_TAIL = f"""
    SELECT {_STEP}, s.compacted,
        greatest(s.compacted, (SELECT revision FROM changes ORDER BY revision DESC LIMIT 1)) AS newest
    FROM compaction s
    LEFT JOIN LATERAL (SELECT * FROM changes WHERE revision > $1 ORDER BY revision LIMIT $2) c ON true
"""
_BETWEEN = f"""
    SELECT {_CHANGE} FROM changes c
    WHERE c.revision > $1 AND c.revision <= $2 AND c.kind = $3 AND ($4::text IS NULL OR c.namespace = $4)
    ORDER BY c.revision LIMIT $5
"""
_AGES = "SELECT revision, extract(epoch FROM clock_timestamp() - at) FROM changes WHERE revision = ANY ($1::bigint[])"
_NEWEST = "SELECT greatest(compacted, (SELECT max(revision) FROM changes)) FROM compaction"
_SNAPSHOT = f"SELECT {_OBJECT} FROM objects WHERE published"
_UNPUBLISHED = f"SELECT {_OBJECT} FROM objects WHERE NOT published AND ordinal > $2 ORDER BY ordinal LIMIT $1"
_UNPUBLISHED_NAMED = f"""
    SELECT {_OBJECT} FROM objects WHERE NOT published AND kind = $1 AND namespace = $2 AND name = $3
"""
_PENDING = f"""
    SELECT {_OBJECT} FROM objects
    WHERE pending AND published AND kind = $1 AND ordinal > $3 ORDER BY ordinal LIMIT $2
"""

_LIMITS = """
    SELECT u.namespace, u.measure, u.used, q.quota, q.resource, q.most, q.shown
    FROM quota_usage u JOIN quota_limits q ON q.namespace = u.namespace AND q.measure = u.measure
    WHERE u.namespace = ANY ($1::text[])
    ORDER BY q.quota, q.resource
"""
_COUNT = "SELECT count(*) FROM objects WHERE namespace = $1"


def _objects(rows: Sequence[Any], keyring: Keyring) -> list[ObjectRow]:
    """Rows with opened bodies. Nearly all bodies are not sealed, and one byte tells that."""
    read = map(ObjectRow._make, rows)
    return [
        row if row.body[0] == PLAIN else row._replace(body=keyring.open(row.body, row.kind, row.uid)) for row in read
    ]


def _changes(rows: Sequence[Any], keyring: Keyring) -> list[ChangeRow]:
    read = map(ChangeRow._make, rows)
    return [row if row.body[0] == PLAIN else _opened(row, keyring) for row in read]


def _opened(row: ChangeRow, keyring: Keyring) -> ChangeRow:
    previous = row.previous_body
    return row._replace(
        body=keyring.open(row.body, row.kind, row.uid),
        previous_body=None if previous is None else keyring.open(previous, row.kind, row.uid),
    )


class Snapshot:
    """All published objects at one revision.

    Attributes:
        revision: The newest revision in it.
    """

    def __init__(self, revision: int, session: Any, keyring: Keyring) -> None:
        self.revision = revision
        self._session = session
        self._keyring = keyring

    async def pages(self) -> AsyncIterator[Sequence[ObjectRow]]:
        """The objects, a few thousand at a time, in any order.

        Raises:
            ServiceUnavailable: The connection was lost meanwhile.
        """
        try:
            cursor = await self._session.cursor(_SNAPSHOT)
            while rows := await cursor.fetch(_PAGE):
                yield _objects(rows, self._keyring)
        except LOST as error:
            raise unreachable(error) from error


class Reader:
    """Reads what is committed. No method waits for a writer.

    Every method raises ServiceUnavailable when the database cannot be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keyring = database.keyring
        self._tail = SteadyQuery(database, "fairlead-tail", _TAIL, settled=True)
        self._unpublished = SteadyQuery(database, "fairlead-unpublished", _UNPUBLISHED)

    async def tail(self, after: int, limit: int) -> Tail:
        """The changes after a revision, in one round trip. All that was committed before the call is in it.

        The bodies of the states before are left out.
        """
        rows = await self._tail.rows(after, limit)
        first = rows[0]
        changes = _changes([row[:10] for row in rows], self._keyring) if first[0] is not None else []
        return Tail(changes, first["compacted"], first["newest"])

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """The whole store at one moment, read page by page. The tail goes on from its revision."""
        try:
            # The reader waits between two pages while the caller works on one.
            connection = await self._database.connect_settled({"idle_in_transaction_session_timeout": "60s"})
        except LOST as error:
            raise unreachable(error) from error
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield Snapshot(await connection.fetchval(_NEWEST), connection, self._keyring)
        except LOST as error:
            raise unreachable(error) from error
        finally:
            connection.terminate()

    async def changes_between(
        self, kind: str, namespace: str | None, after: int, until: int, limit: int
    ) -> Sequence[ChangeRow]:
        """The changes of a kind with `after` < revision <= `until`, in order. Compaction may have deleted some.

        Args:
            kind: Storage key.
            namespace: None for all.
            after: Only later revisions are read.
            until: The last revision that is read.
            limit: The most that are read.
        """
        rows = await self._database.fetch(_BETWEEN, after, until, kind, namespace, limit)
        return _changes(rows, self._keyring)

    async def ages(self, revisions: Sequence[int]) -> dict[int, float]:
        """The age of changes in seconds, by the clock of the database, without those that compaction has deleted."""
        return {row[0]: float(row[1]) for row in await self._database.fetch(_AGES, revisions)}

    async def unpublished(self, limit: int, after: int = 0) -> Sequence[ObjectRow]:
        """Unpublished objects with an ordinal after `after`, in the order in which they came."""
        return _objects(await self._unpublished.rows(limit, after), self._keyring)

    async def unpublished_named(self, kind: str, namespace: str, name: str) -> ObjectRow | None:
        """The unpublished object that holds a name, None if there is none."""
        rows = await self._database.fetch(_UNPUBLISHED_NAMED, kind, namespace, name)
        return ObjectRow._make(rows[0]) if rows else None

    async def pending(self, kind: str, limit: int | None = None, after: int = 0) -> Sequence[ObjectRow]:
        """Published objects with something left to allocate and a later ordinal, in the order in which they came."""
        return _objects(await self._database.fetch(_PENDING, kind, limit, after), self._keyring)

    async def claimed(self, table: str) -> AsyncIterator[ClaimRow]:
        """All claims of a table at one moment."""
        try:
            async with (
                self._database.session() as session,
                session.transaction(isolation="read_committed", readonly=True),
            ):
                # The reader waits between two pages while the caller works on one.
                await session.execute("SET LOCAL idle_in_transaction_session_timeout = '60s'")
                cursor = await session.cursor(claim_queries.claimed(table))
                while rows := await cursor.fetch(_PAGE):
                    for row in rows:
                        yield ClaimRow._make(row)
        except LOST as error:
            raise unreachable(error) from error

    async def claim_holders(self, table: str, keys: Sequence[str]) -> dict[str, Holder]:
        """The holders of these claims; of a shared address, any one of its holders."""
        rows = await self._database.fetch(claim_queries.holders(table), keys)
        return {row[0]: Holder._make(row[1:]) for row in rows}

    async def claimed_between(self, table: str, low: str, high: str, limit: int) -> Sequence[ClaimRow]:
        """Claims from address or port `low` to `high`, both included, in order."""
        rows = await self._database.fetch(claim_queries.claimed_between(table), low, high, limit)
        return [ClaimRow._make(row) for row in rows]

    async def holders_between(
        self, table: str, spans: Sequence[tuple[str, str]], limit: int
    ) -> Sequence[tuple[str, Holder]]:
        """The first held addresses within some spans, in order, each with its holder.

        Args:
            table: A table of claims on addresses.
            spans: First and last address of each span.
            limit: The most that are read.
        """
        lows, highs = [low for low, _ in spans], [high for _, high in spans]
        rows = await self._database.fetch(claim_queries.holders_between(table), lows, highs, limit, within=_SEARCH)
        return [(row[0], Holder._make(row[1:])) for row in rows]

    async def count_between(self, table: str, spans: Sequence[tuple[str, str]]) -> int:
        """The number of claims on addresses within some spans. A shared address has several."""
        lows, highs = [low for low, _ in spans], [high for _, high in spans]
        rows = await self._database.fetch(claim_queries.count_between(table), lows, highs, within=_SEARCH)
        return int(rows[0][0])

    async def free(self, table: str, low: str, high: str, limit: int) -> Sequence[str]:
        """Addresses or ports that nobody holds, from `low` to `high`, both included, in order.

        The database looks them up one after the other until there are enough. So the cost does not depend on the number
        of claims, unless nearly all of the range is held.
        """
        beyond = min(claim_queries.ranged(table).distance(low, high), _FARTHEST)
        rows = await self._database.fetch(claim_queries.free(table), low, beyond, limit, within=_SEARCH)
        return [row[0] for row in rows]

    async def quota_limits(self, namespaces: Sequence[str]) -> Sequence[LimitRow]:
        """The limits in some namespaces with what is used of each, in the order of the quotas' names."""
        return [LimitRow._make(row) for row in await self._database.fetch(_LIMITS, namespaces)]

    async def count_objects(self, namespace: str) -> int:
        """How many objects a namespace has, published or not."""
        rows = await self._database.fetch(_COUNT, namespace)
        return int(rows[0][0])

    async def close(self) -> None:
        """Close the sessions of this reader."""
        await self._tail.close()
        await self._unpublished.close()
