"""When the mirror fetches, and who waits for it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from app.domain.errors import ServiceUnavailable

_POLL_SECONDS = 1.0
"""Seconds between fetches that nobody asked for; notifications are only hints."""

_PAUSE_SECONDS = 0.1
"""Seconds before the first retry of a fetch that failed; doubles up to `_POLL_SECONDS`."""

_log = structlog.stdlib.get_logger(__name__)


class Follower:
    """Runs one fetch after the other, each for everybody who asked before it was sent.

    A fetch that was already on its way when somebody asked may have been answered before that moment, so it does not
    count for him: he joins the next one.

    Attributes:
        started: Set when a fetch has succeeded for the first time.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[None]], behind: Callable[[], bool], patience: float, gathering: float
    ) -> None:
        """Start on the running event loop.

        Args:
            fetch: Brings in everything that was committed when it was called.
            behind: Whether there was a hint of something that no fetch has brought in.
            patience: Seconds after which a caller is told that the database cannot be reached.
            gathering: Seconds from a hint to its fetch, so that hints that follow each other cost one fetch together;
                whoever waits for a fetch does not wait for that.
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
        self._timer = self._loop.call_later(_POLL_SECONDS, self._tick)
        self._task = self._loop.create_task(self._run(), name="mirror")

    @property
    def failing(self) -> bool:
        """Whether the last fetch failed."""
        return self._failing_since is not None

    def hint(self) -> None:
        """Fetch soon, unless what was hinted at is brought in before."""
        if not self._gathering:
            self._signal()
        elif self._gathered is None:
            self._gathered = self._loop.call_later(self._gathering, self._gather)

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
        """Stop; whoever waits is turned away."""
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
            # From here on a wake-up asks for the fetch after this one.
            self._wake_up = self._loop.create_future()
            if not (self._asked or self._behind()):
                continue
            self._asked = False
            self._served, self._waiting = self._waiting, []
            try:
                await self._fetch()
            except Exception as error:  # noqa: BLE001 - whatever it was, the mirror goes on trying and its readers are told
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
        await asyncio.sleep(min(_POLL_SECONDS, max(_PAUSE_SECONDS, now - self._failing_since)))
        self.wake()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(_POLL_SECONDS, self._tick)
        self._turn_away(self._loop.time() - self._patience)
        self.wake()

    def _turn_away(self, since: float) -> None:
        """Give up for those who have waited since then or longer."""
        for future, joined in (*self._served, *self._waiting):
            if joined <= since and not future.done():
                future.set_exception(_unavailable())


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable("the database cannot be reached, so nothing current can be read", retry_after=1)
