"""Migrations tried on a scratch database: what each of them runs, and what it locks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, event, text

from app.store.database import Database
from app.store.migrating import BASE, Step, Way, connected, migrate, run_migrations

_TABLES = "SELECT oid, relname, relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
_LOCKS = """
    SELECT relation, mode FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype = 'relation'
"""
_SIZES = """
    SELECT relname, greatest(reltuples, 0)::bigint, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""
LOCKING = ("AccessExclusiveLock", "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock")
"""Locks for which writes wait, as `pg_locks` calls them, the strongest first: for that one reads wait, too."""

_OWN = {"alembic_version", "settings"}
"""Tables of which every migration writes a row or two."""

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a table that was there before, until the end of the migration.

    Attributes:
        table: Its name.
        mode: As `pg_locks` calls it.
        is_rewritten: Whether all rows of the table are written anew, which takes as long as that takes.
    """

    table: str
    mode: str
    is_rewritten: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What one migration does.

    Attributes:
        step: The migration.
        statements: Its statements.
        locks: What it locks that does not let everything else go on.
    """

    step: Step
    statements: tuple[str, ...]
    locks: tuple[Lock, ...]


def rehearse(scratch_url: str, planned: Way) -> list[Tried]:
    """Go a way on an empty scratch database: in one transaction, as it would be, which is then rolled back.

    Args:
        scratch_url: A database without a schema.
        planned: From which schema to which.
    """
    if planned.found is not None:
        migrate(scratch_url, planned.found)
    observer = _Observer(planned.steps)
    asyncio.run(_rehearse(scratch_url, planned, observer))
    return observer.tried


async def sizes(database: Database) -> dict[str, tuple[int, str]]:
    """Rows (about) and size of each table of a database.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    return {row[0]: (row[1], row[2]) for row in await database.fetch(_SIZES)}


async def _rehearse(url: str, planned: Way, observer: "_Observer") -> None:
    back_to = (planned.target or BASE) if planned.is_back else None
    async with connected(url) as connection:
        await connection.run_sync(observer.begin)
        run = partial(run_migrations, back_to=back_to, up_to=planned.target, observers=[observer.after])
        await connection.run_sync(run)


@dataclass
class _Observer:
    """Notes what each migration does, while all of them run."""

    steps: Sequence[Step]
    tried: list[Tried] = field(default_factory=list)
    _statements: list[str] = field(default_factory=list)
    _tables: dict[int, tuple[str, int]] = field(default_factory=dict)
    _locked: set[tuple[int, str]] = field(default_factory=set)

    def begin(self, connection: Connection) -> None:
        """Look at the tables that are there before."""
        self._tables = {row[0]: (row[1], row[2]) for row in connection.execute(text(_TABLES))}
        connection.rollback()
        event.listen(connection, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._statements.append(statement)

    def after(self, ctx: Any, **_: Any) -> None:
        """A migration has ended, in the transaction of all."""
        statements = tuple(_told(statement) for statement in self._statements if _is_its_own(statement))
        nodes = {row[0]: row[2] for row in ctx.connection.execute(text(_TABLES))}
        locked = {
            (oid, mode) for oid, mode in ctx.connection.execute(text(_LOCKS)) if oid in self._tables and mode in LOCKING
        }
        strongest: dict[str, Lock] = {}
        for oid, mode in sorted(locked - self._locked, key=lambda lock: LOCKING.index(lock[1])):
            name, node = self._tables[oid]
            strongest.setdefault(name, Lock(name, mode, is_rewritten=nodes.get(oid, node) != node))
        locks = [lock for name, lock in sorted(strongest.items()) if name not in _OWN]
        self._locked |= locked
        self.tried.append(Tried(self.steps[len(self.tried)], statements, tuple(locks)))
        self._statements.clear()


def _is_its_own(statement: str) -> bool:
    """Whether a statement is the migration's, and none with which Alembic and its surroundings keep their books."""
    words = statement.split()
    return words[0] not in {"SELECT", "SET"} and "alembic_version" not in words


def _told(statement: str) -> str:
    """The statement in one line of some length."""
    words = " ".join(statement.split())
    return words if len(words) <= _WIDTH else f"{words[:_WIDTH]} ..."
