"""Watches on the wire: answers that end when the client goes, when their time is up, or when the server stops."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.api.exchange import Exchange
from app.api.measures import open_watches, sent_events
from app.api.parameters import flag
from app.api.watch_frames import Frames
from app.cluster.authorizer import Authorizer
from app.domain.errors import ApiError, TooManyRequests
from app.domain.user import MASTERS, User
from app.registry.turns import in_turns
from app.registry.watching import Watch
from app.telemetry.metrics import WATCHES_REFUSED

_BOOKMARK_SECONDS = 55.0
"""Time between two bookmarks; Kubernetes sends one about every minute."""
_DEFAULT_SECONDS = 3600.0
"""Time after which a watch ends that names no time: its client connects again, perhaps to another process."""
_RIGHTS_SECONDS = 0.2
"""Time between two looks whether rights have changed."""
_EVENTS_A_WRITE = 200
"""Events that are encoded and written at once; a watch can begin with a whole collection."""
_PAUSE_FROM_WATCHES = 20
_PAUSE_SECONDS_A_WATCH = 0.0001
_LONGEST_PAUSE_SECONDS = 0.05
"""From so many watches on, each pauses after it has sent something, so long for each open watch, and no longer than
this. What happens during the pause is sent at once: for small changes, each send costs more than what it carries. A
change after a silence is sent without a pause."""
_MANY_OF_A_USER = 1000
_LONGEST_PAUSE_OF_MANY_SECONDS = 1.0
"""The watches of a user who has more than this pause so much longer, for each of them, and no longer than this: others
would notice how often so many are looked after."""


class Streams:
    """All open watches of this process.

    Args:
        limit: How many may be open at once.
        user_limit: How many of them one user may have, unless the user may do everything.
        authorizer: Decides who may watch what. A watch ends with the right to it.
    """

    def __init__(self, limit: int, user_limit: int, authorizer: Authorizer) -> None:
        self._limit = limit
        self._user_limit = user_limit
        self._by_user: Counter[str] = Counter()
        self._authorizer = authorizer
        self._running: dict[asyncio.Timeout, Exchange] = {}
        self._stopping = False
        self.open = 0

    @contextmanager
    def opened(self, exchange: Exchange) -> Iterator[None]:
        """Count one watch.

        Raises:
            TooManyRequests: As many watches are open as may be, of all users or of this one.
        """
        user = exchange.user.name
        self._check_room(exchange.user)
        exchange.long_running = True
        self.open += 1
        self._by_user[user] += 1
        gauge = open_watches(exchange.resource)
        gauge.inc()
        try:
            yield
        finally:
            self.open -= 1
            self._by_user[user] -= 1
            if not self._by_user[user]:
                del self._by_user[user]
            gauge.dec()

    def _check_room(self, user: User) -> None:
        if self.open >= self._limit:
            WATCHES_REFUSED.labels("process").inc()
            raise TooManyRequests(f"{self._limit} watches are open, which is the limit; try again", retry_after=5)
        if self._by_user[user.name] >= self._user_limit and MASTERS not in user.groups:
            WATCHES_REFUSED.labels("user").inc()
            raise TooManyRequests(
                f'User "{user.name}" has {self._user_limit} watches open here, which is the limit for one user; '
                "end some, or try again",
                retry_after=5,
            )

    def _pause(self, user: User) -> float:
        """Seconds for which a watch rests after it has sent something."""
        of_all = min(_LONGEST_PAUSE_SECONDS, self.open * _PAUSE_SECONDS_A_WATCH)
        many = max(0, self._by_user[user.name] - _MANY_OF_A_USER)
        return of_all + min(_LONGEST_PAUSE_OF_MANY_SECONDS, many * _PAUSE_SECONDS_A_WATCH)

    def stop(self) -> None:
        """End every open watch and refuse to keep new ones open: the server is about to stop."""
        self._stopping = True
        for timeout in self._running:
            _expire(timeout)

    async def follow_rights(self) -> None:
        """End the watches of those who have lost the right to them, until cancelled."""
        seen = self._authorizer.bindings.changes
        while True:
            await asyncio.sleep(_RIGHTS_SECONDS)
            if seen != self._authorizer.bindings.changes:
                seen = self._authorizer.bindings.changes
                for timeout, exchange in self._running.items():
                    if not self._may_go_on(exchange):
                        _expire(timeout)

    def _may_go_on(self, exchange: Exchange) -> bool:
        return exchange.asked is None or self._authorizer.allows(exchange.user, exchange.asked)

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
        """While entered: the timeout expires early when the client goes, the server stops, or the right is lost."""
        if self._stopping or not self._may_go_on(exchange):
            _expire(timeout)

        def on_disconnect(_: asyncio.Task[None]) -> None:
            _expire(timeout)

        self._running[timeout] = exchange
        disconnected = asyncio.ensure_future(exchange.disconnected())
        disconnected.add_done_callback(on_disconnect)
        try:
            yield
        finally:
            del self._running[timeout]
            disconnected.remove_done_callback(on_disconnect)
            disconnected.cancel()

    async def _send_events(self, exchange: Exchange, watch: Watch, frames: Frames) -> None:
        loop = asyncio.get_running_loop()
        bookmark_at = loop.time() + _BOOKMARK_SECONDS
        sent = sent_events(exchange.resource)
        while True:
            if watch.has_begun:
                exchange.give_back_seat()
            try:
                events = await watch.next(max(0.0, bookmark_at - loop.time()))
            except ApiError as error:
                await exchange.write(frames.error(error))
                return
            async for some in in_turns(events, _EVENTS_A_WRITE):
                await exchange.write(frames.encode(some))
            sent.inc(len(events))
            if self.open > _PAUSE_FROM_WATCHES:
                await asyncio.sleep(self._pause(exchange.user))
            if loop.time() >= bookmark_at:
                bookmark_at = loop.time() + _BOOKMARK_SECONDS
                if flag(exchange.query, "allowWatchBookmarks"):
                    await exchange.write(frames.bookmark(watch.revision))


def _expire(timeout: asyncio.Timeout) -> None:
    """Let a timeout expire now, unless it has expired."""
    if not timeout.expired():
        timeout.reschedule(asyncio.get_running_loop().time())
