"""Deadlines of many items, in a heap that makes it cheap to move one."""

import heapq
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT", bound=Hashable)

_SPARE_ENTRIES = 1_000
"""So many entries of the heap may be out of date before it is built anew."""


class Deadlines(Generic[ItemT]):
    """One deadline for each item. Most are moved back again and again, and never come."""

    def __init__(self) -> None:
        self._when: dict[ItemT, float] = {}
        self._heap: list[tuple[float, int, ItemT]] = []
        self._queued: dict[ItemT, float] = {}
        self._pushed = 0

    def __len__(self) -> int:
        return len(self._when)

    def set(self, item: ItemT, when: float) -> None:
        """Set or move an item's deadline."""
        self._when[item] = when
        if when < self._queued.get(item, float("inf")):
            self._push(item, when)

    def drop(self, item: ItemT) -> None:
        """Forget an item."""
        self._when.pop(item, None)
        if len(self._heap) > 2 * len(self._when) + _SPARE_ENTRIES:
            self._build([item for item in self._queued if item in self._when])

    def repeat(self) -> None:
        """Have `due` answer with all passed deadlines once more, also those that it has answered before."""
        self._build(self._when)

    def when(self, item: ItemT) -> float | None:
        """An item's deadline, also once it has passed; None when it has none."""
        return self._when.get(item)

    def next_look(self) -> float | None:
        """When something may be due next: not later than the first deadline; None when nothing is to come."""
        return self._heap[0][0] if self._heap else None

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

    def _build(self, items: Iterable[ItemT]) -> None:
        self._queued = {item: self._when[item] for item in items}
        self._heap = [(when, number, item) for number, (item, when) in enumerate(self._queued.items())]
        self._pushed = len(self._heap)
        heapq.heapify(self._heap)

    def _push(self, item: ItemT, when: float) -> None:
        self._pushed += 1
        self._queued[item] = when
        heapq.heappush(self._heap, (when, self._pushed, item))
