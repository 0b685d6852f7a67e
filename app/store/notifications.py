"""Hints from Postgres that something happened: never the truth, which is read from the tables."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from app.store.database import LOST, Database

CHANGES = "fairlead_changes"
"""The log has grown."""

PENDING = "fairlead_pending"
"""Something was stored for the reconciler to allocate."""

RELEASED = "fairlead_released"
"""Addresses or ports were given back."""

_CHANNELS = (CHANGES, PENDING, RELEASED)
_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_CHECK_SECONDS = 5.0
"""Seconds between questions to a silent session whether it is alive."""

Callback = Callable[[str], None]
"""Gets the payload: of `CHANGES` the revision that the log has reached, "" when it is not known."""

_log = structlog.stdlib.get_logger(__name__)


class Notifications:
    """One listening session, opened again whenever it is lost.

    Nobody is told what was missed in between: after each new session every subscriber is called once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._callbacks: dict[str, list[Callback]] = {channel: [] for channel in _CHANNELS}
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, channel: str, callback: Callback) -> None:
        """Have `callback` called, on the event loop, after each notification of a channel; it must be quick.

        It is also called when the session was opened anew, and may be called without cause.
        """
        self._callbacks[channel].append(callback)

    def unsubscribe(self, channel: str, callback: Callback) -> None:
        """Undo `subscribe`."""
        self._callbacks[channel].remove(callback)

    async def start(self) -> None:
        """Begin listening; an unreachable database is tried again and again."""
        self._task = asyncio.create_task(self._run(), name="notifications")

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        pause = _PAUSE_SECONDS
        while True:
            try:
                # Its own name in pg_stat_activity tells an idle listener from an idle writer.
                connection = await self._database.connect({"application_name": "fairlead-listen"})
            except LOST as error:
                _log.warning("cannot listen", error=str(error) or type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            pause = _PAUSE_SECONDS
            try:
                await self._listen(connection)
            except LOST as error:
                _log.warning("listening was interrupted", error=str(error) or type(error).__name__)
            finally:
                connection.terminate()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen(self, connection: Any) -> None:
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())
        for channel in _CHANNELS:
            await connection.add_listener(channel, self._heard)
        for channel in _CHANNELS:
            self._call(channel)
        while not ended.is_set():
            try:
                async with asyncio.timeout(_CHECK_SECONDS):
                    await ended.wait()
            except TimeoutError:
                await connection.fetchval("SELECT 1", timeout=_CHECK_SECONDS)

    def _heard(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        self._call(channel, payload)

    def _call(self, channel: str, payload: str = "") -> None:
        for callback in tuple(self._callbacks[channel]):
            callback(payload)
