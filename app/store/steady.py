"""A session for one frequent query, which need not borrow one from the pool each time."""

import asyncio
from typing import Any

from app.store.database import LOST, Database, Session, is_passing, unreachable

_ATTEMPT_SECONDS = 2.0
"""Seconds for one answer; a request that waits for it gives up soon after."""

PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan"}
"""Settings of the session: the plan is always the same, whatever the arguments."""


class SteadyQuery:
    """Runs one statement, one call after the other.

    Args:
        database: Where.
        name: Name of the session in `pg_stat_activity`.
        statement: SQL with parameters $1, $2...
        settled: Whether it may see only what a failover keeps.
    """

    def __init__(self, database: Database, name: str, statement: str, *, settled: bool = False) -> None:
        self._statement = statement
        self._session = Session(database, {"application_name": name, **PLANNED_ONCE}, settled=settled)
        self._turn = asyncio.Lock()

    async def rows(self, *arguments: Any) -> list[Any]:
        """The current rows, in one round trip. All that was committed before the call is in them.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(_ATTEMPT_SECONDS):
                    return await self._fetch(arguments)
            except LOST as error:
                self._session.drop(error)
                if not is_passing(error):
                    raise
                raise unreachable(error) from error
            except asyncio.CancelledError:
                self._session.drop()
                raise

    async def _fetch(self, arguments: tuple[Any, ...]) -> list[Any]:
        """Run the statement once more if the session was lost, perhaps long ago."""
        until = asyncio.get_running_loop().time() + _ATTEMPT_SECONDS
        connection = await self._session.get(until)
        try:
            rows: list[Any] = await connection.fetch(self._statement, *arguments)
        except LOST as error:
            if not is_passing(error):
                raise
            self._session.drop()
            connection = await self._session.get(until)
            rows = await connection.fetch(self._statement, *arguments)
        return rows

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()
