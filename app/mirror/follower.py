"""When the mirror fetches from the log, and the requests that wait for that."""

import asyncio
import math
from collections.abc import Awaitable, Callable

import structlog

from app.domain.errors import ServiceUnavailable

_POLL_SECONDS = 1.0
"""Seconds between fetches without any hint; notifications are only hints."""

_PAUSE_SECONDS = 0.1
"""Seconds before the first retry of a fetch that failed; later ones are further apart."""

_LONGEST_PAUSE_SECONDS = 0.3
"""Seconds between retries: requests that must be current wait for them once the database is back."""

_log = structlog.stdlib.get_logger(__name__)


class Follower:
    """Runs one fetch after the other. Each serves all callers of `fresh` that called before it was sent.

    A fetch that was sent before the call may have been answered before it, so the caller waits for the next one.

    Attributes:
        started: Set once a fetch has succeeded.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[None]], behind: Callable[[], bool], patience: float, gathering: float
    ) -> None:
        """Start on the running event loop.

        Args:
            fetch: Fetches and applies everything that was committed when it was called.
            behind: Whether there was a hint of a revision that no fetch has reached.
            patience: Seconds after which a caller is told that the database cannot be reached.
            gathering: Seconds between two fetches that hints ask for, at least, so that under load several hints cost
                one fetch. A hint that comes alone is followed at once. Callers of `fresh` do not wait for that.
        """
        self.started = asyncio.Event()
        self._fetch = fetch
        self._behind = behind
        self._patience = patience
        self._gathering = gathering
        self._asked = False
        self._loop = asyncio.get_running_loop()
        self._wake_up = self._loop.create_future()
        self._waiting: list[tuple[asyncio.Future[None], float]] = []
        self._served: list[tuple[asyncio.Future[None], float]] = []
        self._failing_since: float | None = None
        self._gathered: asyncio.TimerHandle | None = None
        self._fetched_at = -math.inf
        self._timer = self._loop.call_later(_POLL_SECONDS, self._tick)
        self._task = self._loop.create_task(self._run(), name="mirror")

    @property
    def failing(self) -> bool:
        """Whether the last fetch failed."""
        return self._failing_since is not None

    def hint(self, *, awaited: bool = False) -> None:
        """Fetch soon, unless another fetch reaches the hinted revision first; at once if a request waits for it."""
        wait = 0.0 if awaited else self._fetched_at + self._gathering - self._loop.time()
        if wait <= 0:
            self._signal()
        elif self._gathered is None:
            self._gathered = self._loop.call_later(wait, self._gather)

    def wake(self) -> None:
        """Fetch now."""
        self._asked = True
        self._signal()

    async def fresh(self) -> None:
        """Return when a fetch that was sent after this call has been applied.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        now = self._loop.time()
        if self._failing_since is not None and now - self._failing_since > self._patience:
            raise _unavailable()
        future = self._loop.create_future()
        self._waiting.append((future, now))
        self.wake()
        await future

    async def close(self) -> None:
        """Stop; callers that wait get an error."""
        self._timer.cancel()
        if self._gathered is not None:
            self._gathered.cancel()
        self._task.cancel()
        await asyncio.wait([self._task])
        self._turn_away(self._loop.time())

    def _signal(self) -> None:
        if not self._wake_up.done():
            self._wake_up.set_result(None)

    def _gather(self) -> None:
        self._gathered = None
        self._signal()

    async def _run(self) -> None:
        while True:
            await self._wake_up
            # A wake-up from here on asks for the next fetch.
            self._wake_up = self._loop.create_future()
            if not (self._asked or self._behind()):
                continue
            self._asked = False
            self._fetched_at = self._loop.time()
            self._served, self._waiting = self._waiting, []
            try:
                await self._fetch()
            except Exception as error:  # noqa: BLE001 - the mirror goes on trying, and its readers are told
                await self._failed(error)
            else:
                self._succeeded()

    def _succeeded(self) -> None:
        self.started.set()
        if self._failing_since is not None:
            _log.info("mirror is current again", seconds=round(self._loop.time() - self._failing_since, 3))
            self._failing_since = None
        for future, _ in self._served:
            if not future.done():
                future.set_result(None)

    async def _failed(self, error: Exception) -> None:
        now = self._loop.time()
        if self._failing_since is None:
            self._failing_since = now
            unforeseen = None if isinstance(error, ServiceUnavailable) else error
            _log.warning("mirror cannot be brought up to date", error=str(error), exc_info=unforeseen)
        self._served, self._waiting = [], self._served + self._waiting
        await asyncio.sleep(min(_LONGEST_PAUSE_SECONDS, max(_PAUSE_SECONDS, now - self._failing_since)))
        self.wake()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(_POLL_SECONDS, self._tick)
        self._turn_away(self._loop.time() - self._patience)
        self.wake()

    def _turn_away(self, since: float) -> None:
        """Answer callers that have waited since then or longer with an error."""
        for future, joined in (*self._served, *self._waiting):
            if joined <= since and not future.done():
                future.set_exception(_unavailable())


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable("the database cannot be reached, so nothing current can be read", retry_after=1)
