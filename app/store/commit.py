"""One batch, committed: a single round trip, and the truth about it when the connection was lost on the way."""

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
from app.store.writes import Outcome, Write
from app.telemetry.metrics import COMMIT_LOCK_SECONDS, COMMIT_SECONDS, COMMIT_WRITES, COMMITS

_WRITE = "SELECT * FROM fairlead_write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
_SETTLE = "SELECT * FROM fairlead_settle($1)"

_PAUSE_SECONDS = 0.05
"""Seconds before a batch that was certainly not stored is tried again."""

_LOCK_TRIES = 15
"""Times that the lock is waited for before a batch is given up: while others write, the database works."""

_SETTLING_SECONDS = 2.0
"""Seconds beyond the deadline in which an unknown outcome is still looked up."""

_ABORTED = {"22", "23", "25", "40", "42", "53", "55", "FL", "P0"}
"""Classes of SQLSTATE that end a statement before its commit; others, 57 (intervention) for one, may come after it."""

_log = structlog.stdlib.get_logger(__name__)


class RefusedBatchError(Exception):
    """Postgres refuses these arguments, so that trying again cannot help; nothing was stored."""


class Committer:
    """Runs batches one after the other on a session of its own.

    Args:
        database: Where.
        lock_timeout: Seconds to wait for the write lock at once; when they pass certainly nothing was stored.
    """

    def __init__(self, database: Database, lock_timeout: float) -> None:
        settings = {"application_name": "fairlead-writer", "lock_timeout": f"{round(lock_timeout * 1000)}ms"}
        self._session = Session(database.connect, settings)
        self._keyring = database.keyring
        # The server gives up waiting before we do, so that the outcome is known.
        self._patience = 2 * lock_timeout
        self._lock_patience = _LOCK_TRIES * lock_timeout

    async def commit(self, writes: Sequence[Write], until: float, *, together: bool = False) -> Sequence[Outcome]:
        """Store a batch of independent writes, each for itself or all together.

        When the outcome is unknown it is looked up by the batch's id. A batch that is not there is marked as given up,
        so that a late run of it stores nothing, and is run again under another id.

        Args:
            writes: At least one.
            until: Time of the event loop at which to give up, unless it is others' writes that are waited for.
            together: All or nothing.

        Raises:
            ServiceUnavailable: Certainly nothing was stored.
            Timeout: It is unknown whether the batch was or will be stored.
            RefusedBatchError: Certainly nothing was stored, and trying again cannot help.
        """
        sent = (together, *arguments(writes, self._keyring))
        loop = asyncio.get_running_loop()
        COMMIT_WRITES.observe(len(writes))
        others_until = max(until, loop.time() + self._lock_patience)
        while True:
            batch = uuid.uuid4()
            connection = await self._connection(until)
            try:
                answer = await self._call(connection, max(until, loop.time() + self._patience), batch, *sent)
                return outcomes(writes, answer)
            except LOST as error:
                self._session.drop()
                failure = error
            _log.warning("batch interrupted", writes=len(writes), error=str(failure) or type(failure).__name__)
            if not _aborted(failure):
                answer = await self._settle(batch, max(until, loop.time() + _SETTLING_SECONDS))
                if answer is not None:
                    return outcomes(writes, answer)
            if not is_passing(failure):
                COMMITS.labels("refused").inc()
                raise RefusedBatchError(str(failure)) from failure
            limit = others_until if isinstance(failure, asyncpg.LockNotAvailableError) else until
            if loop.time() + _PAUSE_SECONDS > limit:
                COMMITS.labels("unavailable").inc()
                raise ServiceUnavailable("the database did not store it in time", retry_after=1) from failure
            await asyncio.sleep(_PAUSE_SECONDS)

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
        """The batch's stored answer; None when it was not stored and never will be."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection = await self._session.get(until)
                async with asyncio.timeout_at(until):
                    answer = await connection.fetchrow(_SETTLE, batch)
            except (ServiceUnavailable, *LOST) as error:
                self._session.drop()
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


def _aborted(failure: BaseException) -> bool:
    """Whether nothing was stored for certain: the server said so, or the arguments never left this process."""
    if isinstance(failure, asyncpg.PostgresError):
        return (failure.sqlstate or "")[:2] in _ABORTED
    return isinstance(failure, ValueError)


def refused(error: RefusedBatchError) -> InternalError:
    """What the caller of a refused write is told."""
    return InternalError(f"the database refuses the write: {error}")
