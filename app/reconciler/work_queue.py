"""Keys waiting for a controller: coalesced, with backoff for those that failed."""

import asyncio
import heapq
import random
import time
from collections.abc import Iterable
from itertools import islice

from app.controllers.controller import Key
from app.domain.errors import Permanent, RetryError, Temporary

FIRST_DELAY = 0.2
LAST_DELAY = 300.0


class WorkQueue:
    """A key is in it at most once, however often it is added; one that failed comes back after its delay."""

    def __init__(self) -> None:
        self._ready: dict[Key, None] = {}
        # The heap may hold times that no longer count; which one does stands beside it.
        self._delayed: list[tuple[float, Key]] = []
        self._due: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._hint = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready) + len(self._due)

    def add(self, keys: Iterable[Key]) -> None:
        """Ask for keys to be looked at now."""
        self._ready.update(dict.fromkeys(keys))
        if self._ready:
            self._hint.set()

    def failed(self, key: Key, error: RetryError) -> float | None:
        """Bring a key back later; answers in how many seconds, None when only a change of the object can help."""
        if isinstance(error, Permanent):
            self._failures.pop(key, None)
            return None
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        asked = error.delay if isinstance(error, Temporary) else None
        delay = asked if asked is not None else min(FIRST_DELAY * 2**failures, LAST_DELAY)
        # Jitter keeps keys that failed together from coming back together.
        delay *= random.uniform(0.8, 1.2)  # noqa: S311 - not cryptography
        self._due[key] = time.monotonic() + delay
        heapq.heappush(self._delayed, (self._due[key], key))
        return delay

    def succeeded(self, key: Key) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)

    def clear(self) -> None:
        """Forget everything: the concern is somebody else's now."""
        self._ready.clear()
        self._delayed.clear()
        self._due.clear()
        self._failures.clear()

    async def take(self, limit: int, seconds: float) -> list[Key]:
        """Up to `limit` keys that are due, as soon as there is one; none when `seconds` pass."""
        deadline = time.monotonic() + seconds
        while True:
            self._hint.clear()
            self._promote()
            if self._ready:
                keys = list(islice(self._ready, limit))
                for key in keys:
                    del self._ready[key]
                    self._due.pop(key, None)
                return keys
            now = time.monotonic()
            if now >= deadline:
                return []
            until = min(deadline, self._delayed[0][0]) if self._delayed else deadline
            try:
                await asyncio.wait_for(self._hint.wait(), max(until - now, 0.0))
            except TimeoutError:
                continue

    def _promote(self) -> None:
        now = time.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            at, key = heapq.heappop(self._delayed)
            if self._due.get(key) == at:
                del self._due[key]
                self._ready[key] = None
