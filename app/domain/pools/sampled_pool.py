"""A few values that are free, standing for the pool they are of."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from app.domain.pools.number_pool import RandomBelow

T = TypeVar("T")


class SampledPool(Generic[T]):
    """What is picked from for a moment, where learning all that is held would take too long.

    Args:
        label: How a shortage names the pool.
        size: How many values there are when none is held.
        values: Free ones, in the order in which they are picked: as many as can be needed, or all there are.
    """

    def __init__(self, label: str, size: int, values: Iterable[T]) -> None:
        self.label = label
        self.size = size
        self._values = dict.fromkeys(values)

    @property
    def free(self) -> int:
        """How many are left: exact once there are fewer than can be needed, which is when somebody is told."""
        return len(self._values)

    def hold(self, value: T) -> bool:
        """Take a value out; False when it is not among them."""
        if value not in self._values:
            return False
        del self._values[value]
        return True

    def parts(self, random_below: RandomBelow) -> Iterator[tuple[T, T]]:  # noqa: ARG002 - as for `pick`
        """Each value by itself."""
        return ((value, value) for value in self._values)

    def pick(self, random_below: RandomBelow) -> T | None:  # noqa: ARG002 - chance had its say when they were sampled
        """Take the next one; None when there is none."""
        value = next(iter(self._values), None)
        if value is not None:
            del self._values[value]
        return value
