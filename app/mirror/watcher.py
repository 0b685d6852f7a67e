"""Watchers: cursors into the shared history."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from app.mirror.archive import Archive
from app.mirror.entry import Change
from app.mirror.history import History

_WOKEN_AT_ONCE = 100
"""Watchers that are woken in one turn of the event loop: each takes some 30 us then, and others have their turn."""


class IdleWatchers:
    """The watchers that wait for changes. Only those whose kind and namespace changed are woken."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str | None], set[Watcher]] = {}
        self._waking: deque[Watcher] = deque()
        self._is_waking = False

    def add(self, watcher: "Watcher") -> None:
        """Wait for the next change of the watcher's kind and namespace."""
        self._waiting.setdefault((watcher.kind, watcher.namespace), set()).add(watcher)

    def discard(self, watcher: "Watcher") -> None:
        """Wait no longer."""
        waiting = self._waiting.get((watcher.kind, watcher.namespace))
        if waiting is not None:
            waiting.discard(watcher)
            if not waiting:
                del self._waiting[watcher.kind, watcher.namespace]

    def wake(self, changes: Iterable[Change], starts: dict[str, int]) -> None:
        """Wake the watchers of these changes; `starts` has the position of each kind's first change among them."""
        if not self._waiting:
            return
        touched = {(change.entry.kind, change.entry.namespace) for change in changes}
        for kind, namespace in {*touched, *((kind, None) for kind, _ in touched)}:
            for watcher in self._waiting.pop((kind, namespace), ()):
                watcher.has_changes_from(starts[kind])
                self._waking.append(watcher)
        if self._waking and not self._is_waking:
            self._wake_some()

    def _wake_some(self) -> None:
        """End the wait of some watchers now, and of the others in the next turns of the event loop."""
        for _ in range(min(_WOKEN_AT_ONCE, len(self._waking))):
            self._waking.popleft().wake()
        self._is_waking = bool(self._waking)
        if self._is_waking:
            asyncio.get_running_loop().call_soon(self._wake_some)

    def wake_all(self) -> None:
        """Wake all watchers, because the history has ended."""
        waiting, self._waiting = self._waiting, {}
        for watchers in waiting.values():
            for watcher in watchers:
                watcher.wake()


class Watcher:
    """One reader of changes. It is a cursor, so it costs the same however far it is behind.

    Attributes:
        kind: Kind key.
        namespace: None for all.
        revision: All changes up to this revision have been given out.
    """

    def __init__(
        self, kind: str, namespace: str | None, after: int, history: History, idle: IdleWatchers, archive: Archive
    ) -> None:
        self.kind = kind
        self.namespace = namespace
        self.revision = after
        self._history = history
        self._changes = history.of(kind)
        self._idle = idle
        self._archive = archive
        self._wake_up: asyncio.Future[None] | None = None
        self._joined = False
        # None while it waits: it has seen all changes, even if the history drops some meanwhile.
        self._position: int | None = None
        self._closed = False
        self._join()

    async def next(self, timeout: float | None) -> Sequence[Change]:  # noqa: ASYNC109 - running out is no error here
        """All changes that became ready since the last call; none if `timeout` seconds pass or the watch is closed.

        Raises:
            Expired: The next changes have been dropped: the reader was too slow, or the mirror had to reload.
            ServiceUnavailable: The log is needed and the database cannot be reached, or the mirror was closed.
        """
        while not (self._joined or self._closed or self._history.ended):
            until = self._history.revision
            changes, self.revision = await self._archive.page(self.kind, self.namespace, self.revision, until)
            self._join()
            if changes:
                return changes
        ready = self._take()
        if not ready and not self._closed:
            await self._wait(timeout)
            ready = self._take()
        return ready

    def close(self) -> None:
        """End the watch; a call of `next` that waits gets no changes."""
        self._closed = True
        self.wake()

    def has_changes_from(self, position: int) -> None:
        """Know where the next change is, before the wait ends."""
        self._position = position

    def wake(self) -> None:
        """End the wait, if there is one."""
        if self._wake_up is not None and not self._wake_up.done():
            self._wake_up.set_result(None)

    def _join(self) -> None:
        """Change from the log to the history once that reaches back far enough."""
        self._joined = self.revision >= self._changes.floor
        if self._joined:
            self._position = self._changes.position_after(self.revision)

    def _take(self) -> Sequence[Change]:
        if self._history.ended is not None:
            raise self._history.ended()
        if self._closed or self._position is None:
            return ()
        changes = self._changes.since(self._position)
        self._position = self._changes.end
        self.revision = self._history.revision
        if self.namespace is None:
            return changes
        return [change for change in changes if change.entry.namespace == self.namespace]

    async def _wait(self, timeout: float | None) -> None:  # noqa: ASYNC109 - as above
        loop = asyncio.get_running_loop()
        self._wake_up = loop.create_future()
        self._position = None
        timer = None if timeout is None else loop.call_later(timeout, self.wake)
        self._idle.add(self)
        try:
            await self._wake_up
        finally:
            if timer is not None:
                timer.cancel()
            self._idle.discard(self)
            if self._position is None:
                self._position = self._changes.end
