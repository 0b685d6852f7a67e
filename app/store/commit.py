"""Commits one batch in a single round trip, and finds out what happened when the connection is lost meanwhile."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog

from app.domain.errors import InternalError, ServiceUnavailable, Timeout
from app.store.batch import arguments, outcomes
from app.store.database import LOST, Database, Session, is_passing
from app.store.writes import Outcome, QuotaExceeded, Write
from app.telemetry.metrics import COMMIT_LOCK_SECONDS, COMMIT_SECONDS, COMMIT_WRITES, COMMITS, QUOTA_REFUSALS

_PARAMETERS = ", ".join(f"${number}" for number in range(1, 22))
_WRITE = f"SELECT * FROM fairlead_write({_PARAMETERS})"
_SETTLE = "SELECT * FROM fairlead_settle($1)"

_PAUSE_SECONDS = 0.05
"""Seconds before a batch that was certainly not stored is tried again."""

_SCARCITY_PAUSE_SECONDS = 0.5
"""The same where Postgres lacks disk, memory or sessions, which comes back less quickly (SQLSTATE class 53)."""

_LOCK_TRIES = 15
"""Times that the lock is waited for before a batch is given up: while others write, the database works."""

_SETTLING_SECONDS = 2.0
"""Seconds beyond the deadline in which an unknown outcome is still looked up."""

_ABORTED = {"22", "23", "25", "40", "42", "53", "55", "FL", "P0"}
"""Classes of SQLSTATE that end a statement before its commit; others, 57 (intervention) for one, may come after it."""

_log = structlog.stdlib.get_logger(__name__)


class RefusedBatchError(Exception):
    """Postgres refuses these arguments. Nothing was stored, and a retry cannot help."""


class Committer:
    """Commits batches, one after the other, on its own session.

    Args:
        database: Where.
        lock_timeout: Seconds that one attempt waits for the write lock. When they pass, nothing was stored.
        ceiling: The most objects that a namespace may have; None if there is no limit.
    """

    def __init__(self, database: Database, lock_timeout: float, ceiling: int | None = None) -> None:
        settings = {"application_name": "fairlead-writer", "lock_timeout": f"{round(lock_timeout * 1000)}ms"}
        self._session = Session(database, settings)
        self._keyring = database.keyring
        self._ceiling = ceiling
        # The server gives up waiting before we do, so that the outcome is known.
        self._patience = 2 * lock_timeout
        self._lock_patience = _LOCK_TRIES * lock_timeout

    async def commit(self, writes: Sequence[Write], until: float, *, together: bool = False) -> Sequence[Outcome]:
        """Store a batch of independent writes: each for itself, or all or none.

        When the outcome is unknown, the id of the batch is looked up. A batch that is not there is marked as given up,
        so that a late run of it stores nothing. Then it runs again under another id.

        Args:
            writes: At least one.
            until: Time of the event loop at which to give up, except while the batch waits for the writes of others.
            together: All or nothing.

        Raises:
            ServiceUnavailable: Certainly nothing was stored.
            Timeout: It is unknown whether the batch was or will be stored.
            RefusedBatchError: Certainly nothing was stored, and a retry cannot help.
        """
        sent = (together, *arguments(writes, self._keyring, self._ceiling))
        loop = asyncio.get_running_loop()
        COMMIT_WRITES.observe(len(writes))
        others_until = max(until, loop.time() + self._lock_patience)
        while True:
            batch = uuid.uuid4()
            connection = await self._connection(until)
            try:
                answer = await self._call(connection, max(until, loop.time() + self._patience), batch, *sent)
                return _counted(outcomes(writes, answer))
            except LOST as error:
                # At once, before asyncpg asks the server to cancel: a commit that waits for a synchronous standby would
                # end then, seen by everybody and lost with the primary. Without a client it goes on waiting.
                self._session.drop(error)
                failure = error
            _log.warning("batch interrupted", writes=len(writes), error=str(failure) or type(failure).__name__)
            if not _aborted(failure):
                answer = await self._settle(batch, max(until, loop.time() + _SETTLING_SECONDS))
                if answer is not None:
                    return _counted(outcomes(writes, answer))
            if not is_passing(failure):
                COMMITS.labels("refused").inc()
                raise RefusedBatchError(str(failure)) from failure
            limit = others_until if isinstance(failure, asyncpg.LockNotAvailableError) else until
            scarce = isinstance(failure, asyncpg.InsufficientResourcesError)
            pause = _SCARCITY_PAUSE_SECONDS if scarce else _PAUSE_SECONDS
            if loop.time() + pause > limit:
                COMMITS.labels("unavailable").inc()
                why = f": {failure.args[0]}" if scarce else ""
                raise ServiceUnavailable(f"the database did not store it in time{why}", retry_after=1) from failure
            await asyncio.sleep(pause)

    async def _connection(self, until: float) -> Any:
        try:
            return await self._session.get(until)
        except ServiceUnavailable:
            COMMITS.labels("unavailable").inc()
            raise

    async def _call(self, connection: Any, until: float, *values: Any) -> Any:
        started = time.monotonic()
        async with asyncio.timeout_at(until):
            answer = await connection.fetchrow(_WRITE, *values)
        COMMIT_SECONDS.observe(time.monotonic() - started)
        COMMIT_LOCK_SECONDS.observe(answer["lock_seconds"])
        COMMITS.labels("committed").inc()
        return answer

    async def _settle(self, batch: uuid.UUID, until: float) -> Any:
        """The stored answer of the batch, None if it was not stored and never will be."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection = await self._session.get(until)
                async with asyncio.timeout_at(until):
                    answer = await connection.fetchrow(_SETTLE, batch)
            except (ServiceUnavailable, *LOST) as error:
                self._session.drop(error)
                if loop.time() + _PAUSE_SECONDS > until:
                    COMMITS.labels("unknown").inc()
                    raise Timeout("the database was lost while it stored this: it may or may not be stored") from error
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            COMMITS.labels("settled").inc()
            return answer if answer["outcomes"] is not None else None

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()


def _counted(found: Sequence[Outcome]) -> Sequence[Outcome]:
    """Count what quotas refused."""
    for outcome in found:
        if isinstance(outcome, QuotaExceeded):
            QUOTA_REFUSALS.labels("quota" if outcome.quota else "namespace").inc()
    return found


def _aborted(failure: BaseException) -> bool:
    """Whether certainly nothing was stored: the server said so, or the arguments never left this process."""
    if isinstance(failure, asyncpg.PostgresError):
        return (failure.sqlstate or "")[:2] in _ABORTED
    return isinstance(failure, ValueError)


def refused(error: RefusedBatchError) -> InternalError:
    """The error for the caller of a refused write."""
    return InternalError(f"the database refuses the write: {error}")
