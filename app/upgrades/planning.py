"""What `fairlead migrate` would do to a database: tried on an empty scratch Postgres, so that nobody waits for it.

There the migrations run as they would, in one transaction. After each, Postgres says which locks it has taken on tables
that were there before, and which of these tables it has written anew. The database itself is only read.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.backups.restoring import ask
from app.store.compatibility import may_work
from app.store.migrating import Step, Way, oldest_of, way
from app.store.rehearsing import Lock, Tried, rehearse, sizes
from app.supervisor.postgres import EmbeddedPostgres

_READS_TOO = "AccessExclusiveLock"


@dataclass(frozen=True, slots=True)
class Plan:
    """What `migrate` would do.

    Attributes:
        way: From which schema to which.
        tried: Each migration, in order.
        sizes: Rows (about) and size of each table of the database.
    """

    way: Way
    tried: tuple[Tried, ...]
    sizes: Mapping[str, tuple[int, str]]


def plan(database_url: str, to: str | None) -> Plan:
    """What `migrate` would do to a database. Nothing is changed there.

    Args:
        database_url: libpq's connection URL.
        to: The schema to reach, None for the newest that this version knows.

    Raises:
        UnsuitableDatabaseError: Postgres is too old, or the schema is that of a newer version.
        ServiceUnavailable: The database cannot be reached.
        CannotStartError: The scratch Postgres does not start.
    """
    planned = way(database_url, to)
    if not planned.steps:
        return Plan(planned, (), {})
    return Plan(planned, tuple(_try(planned)), ask(database_url, sizes))


def _try(planned: Way) -> list[Tried]:
    with tempfile.TemporaryDirectory(prefix="fairlead-plan-") as directory:
        # The scratch Postgres may run as another user, who has to get there.
        Path(directory).chmod(0o711)
        with EmbeddedPostgres(Path(directory) / "data") as postgres:
            return rehearse(postgres.url(), planned)


def plan_text(planned: Plan) -> str:
    """The plan for a person."""
    steps = planned.way.steps
    if not steps:
        return "\n".join([f"nothing to migrate: the schema is {planned.way.found}", *_at_work(planned.way)])
    found, target = planned.way.found or "none", planned.way.target or "none"
    lines = [f"schema {found} -> {target}, all in one transaction, which gives up after 3 s behind a lock"]
    for tried in planned.tried:
        lines += ["", f"{'take back ' if planned.way.is_back else ''}{tried.step.schema}  {tried.step.title}"]
        lines += [f"    {statement}" for statement in tried.statements]
        lines += [f"  locks {_lock_text(lock, planned.sizes)}" for lock in tried.locks]
        lines += [f"  {fate}" for fate in _fates(planned.way, tried.step)]
    return "\n".join([*lines, "", *_at_work(planned.way)])


def _lock_text(lock: Lock, sizes: Mapping[str, tuple[int, str]]) -> str:
    rows, size = sizes.get(lock.table, (0, "empty"))
    waiting = "reads and writes wait" if lock.mode == _READS_TOO else "writes wait"
    anew = ", which is written anew" if lock.is_rewritten else ""
    return f"{lock.table} (about {rows} rows, {size}){anew}: {waiting} ({lock.mode})"


def _fates(planned: Way, step: Step) -> list[str]:
    """What becomes of older processes, or of data."""
    if planned.is_back:
        return [f"lost is: {step.loses}" if step.loses else "nothing is lost"]
    if planned.found is None:
        return []
    if step.oldest <= planned.found:
        return [f"processes that know schema {step.oldest} or newer go on, and may be started again"]
    return [f"only processes that know schema {step.oldest} or newer go on: replace the others before"]


def _at_work(planned: Way) -> list[str]:
    hindering = planned.hindered_by()
    oldest = None if planned.target is None or planned.is_back else oldest_of(planned.target)
    lines = []
    for peers in planned.peers:
        if peers in hindering:
            fate = "have to be replaced or stopped before"
        elif planned.steps and not may_work(planned.target or "", oldest, peers.schema):
            fate = "may go on, and cannot be started again afterwards"
        else:
            fate = "may go on"
        lines.append(f"at work: {peers}, which {fate}")
    return lines or ["at work: nobody"]
