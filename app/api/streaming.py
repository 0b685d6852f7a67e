"""Watches on the wire: answers that end when the client goes, when their time is up, or when the server stops."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from app.api.exchange import Exchange
from app.api.measures import open_watches, sent_events
from app.api.parameters import flag
from app.api.watch_frames import Frames
from app.domain.errors import ApiError, TooManyRequests
from app.registry.watching import Watch

_BOOKMARK_SECONDS = 55.0
"""Time between two bookmarks; Kubernetes sends one about every minute."""
_DEFAULT_SECONDS = 3600.0
"""Time after which a watch ends that names no time: its client connects again, perhaps to another process."""
_EVENTS_A_WRITE = 500
"""Events that are encoded and written at once; a watch can begin with a whole collection."""
_PAUSE_FROM_WATCHES = 20
_PAUSE_SECONDS_A_WATCH = 0.0001
_LONGEST_PAUSE_SECONDS = 0.05
"""From so many watches on, each pauses after it has sent something, so long for each open watch, and no longer than
this. What happens during the pause is sent at once: for small changes, each send costs more than what it carries. A
change after a silence is sent without a pause."""


class Streams:
    """All open watches of this process.

    Args:
        limit: How many may be open at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._timeouts: set[asyncio.Timeout] = set()
        self._stopping = False
        self.open = 0

    @contextmanager
    def opened(self, exchange: Exchange) -> Iterator[None]:
        """Count one watch.

        Raises:
            TooManyRequests: As many watches are open as may be.
        """
        if self.open >= self._limit:
            raise TooManyRequests(f"{self._limit} watches are open, which is the limit; try again", retry_after=5)
        exchange.long_running = True
        self.open += 1
        gauge = open_watches(exchange.resource)
        gauge.inc()
        try:
            yield
        finally:
            self.open -= 1
            gauge.dec()

    def stop(self) -> None:
        """End every open watch and refuse to keep new ones open: the server is about to stop."""
        self._stopping = True
        for timeout in self._timeouts:
            _expire(timeout)

    async def refuse(self, exchange: Exchange, error: bytes) -> None:
        """Answer a watch that cannot start with a stream of one ERROR event, where clients look for it."""
        await exchange.start(200)
        await exchange.write(error)
        await exchange.finish()

    async def run(self, exchange: Exchange, watch: Watch, frames: Frames, seconds: int) -> None:
        """Send the events of a watch until it ends.

        Args:
            exchange: The request.
            watch: The watch; it is closed at the end.
            frames: Encodes the events.
            seconds: Time after which the client wants the watch to end, 0 if it named none.
        """
        try:
            await exchange.start(200)
            async with asyncio.timeout(seconds or _DEFAULT_SECONDS) as timeout:
                with self._expiring(exchange, timeout):
                    await self._send_events(exchange, watch, frames)
        except TimeoutError:
            if not timeout.expired():
                raise
        finally:
            watch.close()
        await exchange.finish()

    @contextmanager
    def _expiring(self, exchange: Exchange, timeout: asyncio.Timeout) -> Iterator[None]:
        """While entered: the timeout expires early when the client closes the connection, or the server stops."""
        if self._stopping:
            _expire(timeout)

        def on_disconnect(_: asyncio.Task[None]) -> None:
            _expire(timeout)

        self._timeouts.add(timeout)
        disconnected = asyncio.ensure_future(exchange.disconnected())
        disconnected.add_done_callback(on_disconnect)
        try:
            yield
        finally:
            self._timeouts.discard(timeout)
            disconnected.remove_done_callback(on_disconnect)
            disconnected.cancel()

    async def _send_events(self, exchange: Exchange, watch: Watch, frames: Frames) -> None:
        loop = asyncio.get_running_loop()
        bookmark_at = loop.time() + _BOOKMARK_SECONDS
        sent = sent_events(exchange.resource)
        while True:
            try:
                events = await watch.next(max(0.0, bookmark_at - loop.time()))
            except ApiError as error:
                await exchange.write(frames.error(error))
                return
            for start in range(0, len(events), _EVENTS_A_WRITE):
                await exchange.write(frames.encode(events[start : start + _EVENTS_A_WRITE]))
            sent.inc(len(events))
            if self.open > _PAUSE_FROM_WATCHES:
                await asyncio.sleep(min(_LONGEST_PAUSE_SECONDS, self.open * _PAUSE_SECONDS_A_WATCH))
            if loop.time() >= bookmark_at:
                bookmark_at = loop.time() + _BOOKMARK_SECONDS
                if flag(exchange.query, "allowWatchBookmarks"):
                    await exchange.write(frames.bookmark(watch.revision))


def _expire(timeout: asyncio.Timeout) -> None:
    """Let a timeout expire now, unless it has expired."""
    if not timeout.expired():
        timeout.reschedule(asyncio.get_running_loop().time())
