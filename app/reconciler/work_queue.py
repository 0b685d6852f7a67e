"""Keys waiting for a controller: coalesced, with backoff for those that failed."""

import asyncio
import random
import time
from collections.abc import Iterable
from itertools import islice
from typing import Generic

from app.controllers.controller import KeyT
from app.controllers.deadlines import Deadlines
from app.domain.errors import Permanent, RetryError

_DELAYS_SECONDS = tuple(min(0.2 * 2**failures, 300.0) for failures in range(12))
"""After the first failure, the second, and so on; the last one is for all that follow."""


class WorkQueue(Generic[KeyT]):
    """A key is in it at most once, however often it is added; one that failed comes back after its delay."""

    def __init__(self) -> None:
        self._ready: dict[KeyT, None] = {}
        self._delayed: Deadlines[KeyT] = Deadlines()
        self._failures: dict[KeyT, int] = {}
        self._hint = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready) + len(self._delayed)

    def add(self, keys: Iterable[KeyT]) -> None:
        """Ask for keys to be looked at now."""
        self._ready.update(dict.fromkeys(keys))
        if self._ready:
            self._hint.set()

    def failed(self, key: KeyT, error: RetryError) -> float | None:
        """Bring a key back later; answers in how many seconds, None when only a change of the object can help."""
        if isinstance(error, Permanent):
            self._failures.pop(key, None)
            return None
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = error.delay
        if delay is None:
            delay = _DELAYS_SECONDS[min(failures, len(_DELAYS_SECONDS) - 1)]
        # Jitter keeps keys that failed together from coming back together.
        delay *= random.uniform(0.8, 1.2)  # noqa: S311 - not cryptography
        self._delayed.set(key, time.monotonic() + delay)
        return delay

    def succeeded(self, key: KeyT) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)

    def clear(self) -> None:
        """Forget everything: the concern is another process's now."""
        self._ready.clear()
        self._delayed = Deadlines()
        self._failures.clear()

    async def take(self, limit: int, seconds: float) -> list[KeyT]:
        """Up to `limit` keys that are due, as soon as there is one; none when `seconds` pass."""
        deadline = time.monotonic() + seconds
        while True:
            self._hint.clear()
            now = time.monotonic()
            for key in self._delayed.due(now):
                self._delayed.drop(key)
                self._ready[key] = None
            if self._ready:
                keys = list(islice(self._ready, limit))
                for key in keys:
                    del self._ready[key]
                    self._delayed.drop(key)
                return keys
            if now >= deadline:
                return []
            until = min(deadline, self._delayed.next_look() or deadline)
            # The end of the time comes as a hint, too: a timeout that is raised and caught costs several times as much.
            waking = asyncio.get_running_loop().call_later(max(until - now, 0.0), self._hint.set)
            try:
                await self._hint.wait()
            finally:
                waking.cancel()
