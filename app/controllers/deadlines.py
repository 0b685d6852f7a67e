"""What falls due when: a heap in which moving a deadline costs next to nothing."""

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT", bound=Hashable)


class Deadlines(Generic[ItemT]):
    """A deadline each for any number of items. Most are moved back again and again and never come."""

    def __init__(self) -> None:
        self._when: dict[ItemT, float] = {}
        self._heap: list[tuple[float, int, ItemT]] = []
        self._queued: dict[ItemT, float] = {}
        self._pushed = 0

    def set(self, item: ItemT, when: float) -> None:
        """Set or move an item's deadline."""
        self._when[item] = when
        if when < self._queued.get(item, float("inf")):
            self._push(item, when)

    def drop(self, item: ItemT) -> None:
        """Forget an item."""
        self._when.pop(item, None)

    def when(self, item: ItemT) -> float | None:
        """An item's deadline, also once it has passed; None when it has none."""
        return self._when.get(item)

    def due(self, now: float) -> list[ItemT]:
        """The items whose deadlines have passed since they were last asked for."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            queued, _, item = heapq.heappop(self._heap)
            if self._queued.get(item) != queued:
                continue
            del self._queued[item]
            when = self._when.get(item)
            if when is not None and when > now:
                self._push(item, when)
            elif when is not None:
                due.append(item)
        return due

    def _push(self, item: ItemT, when: float) -> None:
        self._pushed += 1
        self._queued[item] = when
        heapq.heappush(self._heap, (when, self._pushed, item))
