"""Feeds of changes: of one kind, or of several kinds in the order of the log."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from app.mirror.entry import Change, Entry


class ChangeFeed(Protocol):
    """Changes, as they become ready."""

    @property
    def revision(self) -> int:
        """How far the feed has come."""

    async def next(self, seconds: float | None) -> Sequence[Change]:
        """All changes that became ready; none if so many seconds pass first."""

    def close(self) -> None:
        """Stop."""


class ViewFeed:
    """Changes of a view: the stored kind's, each state in the view's form."""

    def __init__(self, feed: ChangeFeed, shown: Callable[[Entry], Entry]) -> None:
        self._feed = feed
        self._shown = shown

    @property
    def revision(self) -> int:
        """How far the feed has come."""
        return self._feed.revision

    async def next(self, seconds: float | None) -> Sequence[Change]:
        """Everything that became ready."""
        return [
            Change(
                change.revision,
                change.type,
                self._shown(change.entry),
                None if change.previous is None else self._shown(change.previous),
            )
            for change in await self._feed.next(seconds)
        ]

    def close(self) -> None:
        """Stop."""
        self._feed.close()


class MergedFeed:
    """Changes of several feeds in the order of the log."""

    def __init__(self, feeds: Sequence[ChangeFeed]) -> None:
        self._feeds = feeds
        self._held_back: list[Change] = []

    @property
    def revision(self) -> int:
        """How far all of them have come."""
        return min(feed.revision for feed in self._feeds)

    async def next(self, seconds: float | None) -> Sequence[Change]:
        """All changes that became ready, up to the revision that every feed has reached; later ones are kept back."""
        if not self._held_back:
            self._held_back += await self._first(seconds)
        for feed in self._feeds:
            self._held_back += await feed.next(0)
        reached = self.revision
        ready = [change for change in self._held_back if change.revision <= reached]
        self._held_back = [change for change in self._held_back if change.revision > reached]
        return sorted(ready, key=lambda change: change.revision)

    async def _first(self, seconds: float | None) -> list[Change]:
        """The first changes of any feed. The others' `next` is cancelled, which loses no change."""
        waiting = [asyncio.ensure_future(feed.next(seconds)) for feed in self._feeds]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        changes: list[Change] = []
        failure: BaseException | None = None
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            if not isinstance(result, BaseException):
                changes += result
            elif not isinstance(result, asyncio.CancelledError):
                failure = result
        if failure is not None:
            raise failure
        return changes

    def close(self) -> None:
        """Stop all of them."""
        for feed in self._feeds:
            feed.close()
