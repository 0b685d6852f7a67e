"""Published Services that wait until a pool has what they need."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.controllers.controller import ObjectKey
from app.domain.pools.allocation import Pool

Exhausted = Sequence[tuple[Pool[Any], int]]
"""Pools that had too little left, and how many values of each are needed at once."""


class Waiting:
    """The Services that wait, each with what it found exhausted when it was last tried."""

    def __init__(self) -> None:
        # None while it has to be tried whatever the pools have.
        self._found: dict[ObjectKey, Exhausted | None] = {}

    def __contains__(self, key: ObjectKey) -> bool:
        return key in self._found

    def add(self, key: ObjectKey, found: Exhausted | None = None) -> None:
        """Have a Service wait for one of these pools; without any it is tried in any case."""
        self._found[key] = found

    def discard(self, key: ObjectKey) -> None:
        """A Service waits no longer."""
        self._found.pop(key, None)

    def clear(self) -> None:
        """Nothing is known to wait."""
        self._found.clear()

    def try_all(self) -> None:
        """The pools are other ones than before: all are tried again."""
        self._found = dict.fromkeys(self._found)

    def hopeful(self) -> Iterator[ObjectKey]:
        """Those that have not been tried since a pool that they wait for has enough free."""
        for key, found in self._found.items():
            if found is None or any(pool.free >= needed for pool, needed in found):
                yield key
