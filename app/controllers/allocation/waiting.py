"""Published objects that wait until a pool has what they need, or until something that they ask for is there."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.domain.pools.picking import Picks, Pool

KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class _Found:
    """What an object found when it was last tried.

    Attributes:
        exhausted: Pools that had too little left, and how many values of each are needed at once.
        awaited: Addresses, and names of addresses, that it asks for in vain.
    """

    exhausted: tuple[tuple[Pool[Any], int], ...]
    awaited: tuple[str, ...]


class Waiting(Generic[KeyT]):
    """The objects that wait, each with what it found when it was last tried."""

    def __init__(self) -> None:
        # None while it has to be tried whatever the pools have.
        self._found: dict[KeyT, _Found | None] = {}
        self._awaiting: dict[str, set[KeyT]] = {}

    def __contains__(self, key: KeyT) -> bool:
        return key in self._found

    def __len__(self) -> int:
        return len(self._found)

    @property
    def awaits(self) -> bool:
        """Whether any object waits for something that it asks for."""
        return bool(self._awaiting)

    def add(self, key: KeyT, found: Picks | None = None) -> None:
        """Have an object wait for what it did not find; without that it is tried in any case."""
        self.discard(key)
        self._found[key] = None if found is None else _Found(found.exhausted, found.awaited)
        for each in () if found is None else found.awaited:
            self._awaiting.setdefault(each, set()).add(key)

    def discard(self, key: KeyT) -> None:
        """An object waits no longer."""
        found = self._found.pop(key, None)
        for each in () if found is None else found.awaited:
            waiting = self._awaiting.get(each, set())
            waiting.discard(key)
            if not waiting:
                self._awaiting.pop(each, None)

    def clear(self) -> None:
        """Nothing is known to wait."""
        self._found.clear()
        self._awaiting.clear()

    def try_all(self) -> None:
        """The pools are other ones than before: all are tried again."""
        self._found = dict.fromkeys(self._found)
        self._awaiting.clear()

    def changed(self, names: Iterable[str]) -> bool:
        """Something changed about addresses and names: those that wait for one are tried again; answers whether any."""
        keys = {key for name in names for key in self._awaiting.get(name, ())}
        for key in keys:
            self.add(key)
        return bool(keys)

    def hopeful(self) -> Iterator[KeyT]:
        """Those that have not been tried since something that they wait for is there."""
        for key, found in self._found.items():
            if found is None or any(pool.free >= needed for pool, needed in found.exhausted):
                yield key
