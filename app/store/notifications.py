"""Hints from Postgres that something has changed. What has changed is read from the tables."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from app.store.compatibility import LISTENER_NAME
from app.store.database import LOST, Database
from app.store.schema import UnsuitableDatabaseError, check_found, revision

CHANGES = "fairlead_changes"
"""The log has grown."""

PENDING = "fairlead_pending"
"""Something was stored for the reconciler to allocate."""

RELEASED = "fairlead_released"
"""Addresses or ports were given back."""

STOCKS_WANTED = "fairlead_stocks_wanted"
"""An API process asks the owner of the allocation for addresses and ports."""

STOCKS = "fairlead_stocks"
"""The owner of the allocation has set addresses and ports aside for an API process."""

MOST_BYTES = 7_900
"""The largest message that Postgres carries, less a margin."""

_CHANNELS = (CHANGES, PENDING, RELEASED, STOCKS_WANTED, STOCKS)
# Nobody waits for the disk: a message is lost with the session that listens anyway.
_SEND = (
    "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, message) FROM unnest($2::text[]) AS message"
)
_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_CHECK_SECONDS = 5.0
"""Seconds between questions to a silent session whether it is alive, and which schema there is."""

Callback = Callable[[str], None]
"""Gets the payload: of `CHANGES` the revision that the log has reached, "" when it is not known; of the stocks a
message, "" when some may have been lost."""

_log = structlog.stdlib.get_logger(__name__)


class Notifications:
    """A session that listens. It is opened again whenever it is lost.

    Notifications between two sessions are lost. So every subscriber is called once after each new session.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._callbacks: dict[str, list[Callback]] = {channel: [] for channel in _CHANNELS}
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, channel: str, callback: Callback) -> None:
        """Call `callback` on the event loop after each notification of a channel. The callback must be quick.

        It is also called after a new session was opened, and may be called when nothing has happened.
        """
        self._callbacks[channel].append(callback)

    def unsubscribe(self, channel: str, callback: Callback) -> None:
        """Undo `subscribe`."""
        self._callbacks[channel].remove(callback)

    async def send(self, channel: str, messages: Sequence[str]) -> None:
        """Send messages of at most `MOST_BYTES` each. They may be lost.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        if messages:
            await self._database.fetch(_SEND, channel, list(messages))

    async def start(self) -> None:
        """Begin to listen. While the database cannot be reached, it is tried again."""
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
                # Its own name distinguishes it from an idle writer in pg_stat_activity.
                connection = await self._database.connect({"application_name": LISTENER_NAME})
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
                async with asyncio.timeout(_CHECK_SECONDS):
                    await _tell_if_outdated(connection)

    def _heard(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        self._call(channel, payload)

    def _call(self, channel: str, payload: str = "") -> None:
        for callback in tuple(self._callbacks[channel]):
            callback(payload)


async def _tell_if_outdated(connection: Any) -> None:
    """Log an error if the schema has meanwhile become one with which this version may not work."""
    try:
        check_found(*await revision(connection))
    except UnsuitableDatabaseError as error:
        _log.error("this process has to be replaced", error=str(error))
