"""What a database holds, in figures that are the same in a faithful copy."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from app.store.database import LOST, Database, unreachable

_TABLES = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1
"""
# The sum of a part of each row's hash, so that the order of the rows does not matter.
_FIGURES = "SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint), 0)::text FROM {table} t"
_NEWEST = "SELECT greatest(compacted, (SELECT max(revision) FROM changes)) FROM compaction"
_IS_EMPTY = "SELECT to_regclass('objects') IS NULL AND to_regclass('alembic_version') IS NULL"


@dataclass(frozen=True)
class Contents:
    """What a database holds at one moment.

    Attributes:
        revision: The newest one.
        tables: Number of rows of each table, and a checksum of them.
    """

    revision: int
    tables: Mapping[str, tuple[int, str]]

    @property
    def objects(self) -> int:
        """How many objects there are."""
        return self.tables["public.objects"][0] if "public.objects" in self.tables else 0

    def differences(self, other: "Contents") -> list[str]:
        """The tables that differ."""
        names = sorted(self.tables.keys() | other.tables.keys())
        return [name for name in names if self.tables.get(name) != other.tables.get(name)]


@asynccontextmanager
async def snapshot_of(database: Database) -> AsyncIterator[tuple[str, int, Contents]]:
    """A moment of the database, which others can look at while the block runs.

    Yields:
        Its name for `SET TRANSACTION SNAPSHOT`, the major version of the server, and what the database holds then.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    try:
        # Others take as long as they need, and so does counting.
        connection = await database.connect({"idle_in_transaction_session_timeout": "0", "statement_timeout": "0"})
    except LOST as error:
        raise unreachable(error) from error
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            name = await connection.fetchval("SELECT pg_export_snapshot()")
            yield name, connection.get_server_version().major, await _contents(connection)
    finally:
        connection.terminate()


async def contents_of(database: Database) -> Contents:
    """What the database holds now.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    async with snapshot_of(database) as (_, _, contents):
        return contents


async def is_empty(database: Database) -> bool:
    """Whether the database has nothing of Fairlead's.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    return bool((await database.fetch(_IS_EMPTY))[0][0])


async def _contents(connection: Any) -> Contents:
    tables = {}
    for (table,) in await connection.fetch(_TABLES):
        row = await connection.fetchrow(_FIGURES.format(table=table))
        tables[table] = (row[0], row[1])
    return Contents(await connection.fetchval(_NEWEST), tables)
