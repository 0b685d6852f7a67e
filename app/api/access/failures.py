"""Slowing down whoever sends wrong credentials. A right one from the same place is never slowed down."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from app.api.sources import source_of
from app.domain.errors import TooManyRequests

_FREE = 10.0
"""Failures that a source may have at once."""
_FREE_AGAIN_SECONDS = 1.0
"""Time after which it may have one more."""
_REMEMBERED_SOURCES = 4096


class Failures:
    """Counts failures by their source, and has those wait that have too many.

    What is remembered is bounded: of more sources, those are forgotten that have not failed for the longest time.

    Args:
        longest: Seconds that an answer waits at most.
        most_waiting: Answers that wait at once; beyond it nobody waits, and the answer is 429.
        clock: Monotonic seconds.

    Attributes:
        waiting: Answers that wait now.
    """

    def __init__(
        self, longest: float = 2.0, most_waiting: int = 100, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._longest = longest
        self._most_waiting = most_waiting
        self._clock = clock
        self._sources: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.waiting = 0

    async def slow_down(self, address: str) -> None:
        """Count a failure, and return when it may be answered.

        Raises:
            TooManyRequests: As many wait as may.
        """
        delay = self.delay_after_failure(address)
        if not delay:
            return
        if self.waiting >= self._most_waiting:
            raise TooManyRequests("too many requests with a wrong credential; try again", retry_after=1)
        self.waiting += 1
        try:
            await asyncio.sleep(delay)
        finally:
            self.waiting -= 1

    def delay_after_failure(self, address: str) -> float:
        """Count a failure; answers the seconds that its answer should wait."""
        source, now = source_of(address), self._clock()
        count, since = self._sources.pop(source, (0.0, now))
        count = max(0.0, count - (now - since) / _FREE_AGAIN_SECONDS) + 1
        # It grows no further, so a source is forgiven soon after it stops.
        count = min(count, _FREE + self._longest / _FREE_AGAIN_SECONDS)
        self._sources[source] = count, now
        if len(self._sources) > _REMEMBERED_SOURCES:
            self._sources.popitem(last=False)
        return min(self._longest, max(0.0, count - _FREE) * _FREE_AGAIN_SECONDS)
