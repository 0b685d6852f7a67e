"""Watches on the wire: long answers that end when the client goes, when time is up, or when the server stops."""

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
"""About every minute, as Kubernetes sends them."""
_LONGEST_SECONDS = 3600.0
"""A watch that names no time is ended after an hour, so that clients spread over the processes again."""
_PIECE = 500
"""Events encoded at once; the beginning of a watch can be a whole collection."""
_UNHURRIED_FROM = 20
_PAUSE_SECONDS_A_WATCH = 0.0001
_LONGEST_PAUSE_SECONDS = 0.05
"""With many watches open, each rests after it sent something, so that what happens meanwhile goes out in one send: a
send costs about as much as a change is small. What comes after a silence is still sent at once."""


class Streams:
    """All open watches of this process.

    Args:
        limit: How many may be open at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._scopes: set[asyncio.Timeout] = set()
        self._stopping = False
        self.open = 0

    @contextmanager
    def opened(self, exchange: Exchange) -> Iterator[None]:
        """Count one watch.

        Raises:
            TooManyRequests: There are as many as may be.
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
        for scope in self._scopes:
            _end(scope)

    async def refuse(self, exchange: Exchange, error: bytes) -> None:
        """Answer a watch that cannot start with a stream of one ERROR event, where clients look for it."""
        await exchange.start(200)
        await exchange.write(error)
        await exchange.finish()

    async def run(self, exchange: Exchange, watch: Watch, frames: Frames, limit: int) -> None:
        """Send what a watch gives until it ends.

        Args:
            exchange: The request.
            watch: Closed at the end.
            frames: How events are encoded.
            limit: Seconds after which the client wants the end, 0 for none.
        """
        try:
            await exchange.start(200)
            async with asyncio.timeout(limit or _LONGEST_SECONDS) as scope:
                with self._ending(exchange, scope):
                    await self._send_events(exchange, watch, frames)
        except TimeoutError:
            if not scope.expired():
                raise
        finally:
            watch.close()
        await exchange.finish()

    def _ending(self, exchange: Exchange, scope: asyncio.Timeout) -> "_Ending":
        if self._stopping:
            _end(scope)
        return _Ending(exchange, scope, self._scopes)

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
            for start in range(0, len(events), _PIECE):
                await exchange.write(frames.encode(events[start : start + _PIECE]))
            sent.inc(len(events))
            if self.open > _UNHURRIED_FROM:
                await asyncio.sleep(min(_LONGEST_PAUSE_SECONDS, self.open * _PAUSE_SECONDS_A_WATCH))
            if loop.time() >= bookmark_at:
                bookmark_at = loop.time() + _BOOKMARK_SECONDS
                if flag(exchange.query, "allowWatchBookmarks"):
                    await exchange.write(frames.bookmark(watch.revision))


class _Ending:
    """While entered: whatever ends a watch from outside ends its scope."""

    def __init__(self, exchange: Exchange, scope: asyncio.Timeout, scopes: set[asyncio.Timeout]) -> None:
        self._exchange = exchange
        self._scope = scope
        self._scopes = scopes
        self._gone: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._scopes.add(self._scope)
        self._gone = asyncio.ensure_future(self._exchange.disconnected())
        self._gone.add_done_callback(self._on_gone)

    def __exit__(self, *exc_info: object) -> None:
        self._scopes.discard(self._scope)
        if self._gone is not None:
            self._gone.remove_done_callback(self._on_gone)
            self._gone.cancel()

    def _on_gone(self, _: asyncio.Task[None]) -> None:
        _end(self._scope)


def _end(scope: asyncio.Timeout) -> None:
    """End a scope now, unless it is ending already."""
    if not scope.expired():
        scope.reschedule(asyncio.get_running_loop().time())
