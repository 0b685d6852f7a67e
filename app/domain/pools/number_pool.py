"""Numbers from which one is picked that nobody holds yet: ports, and addresses as numbers."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from app.domain.pools.bitmap import Bitmap
from app.domain.rules.address_ranges import static_band

RandomBelow = Callable[[int], int]
"""Returns a random number in 0..n-1."""

RESTING = 64
"""How many of the numbers released last are picked only when no other is left."""


class NumberPool:
    """The numbers first..last, some of which may be excluded, with a static band at the bottom.

    A dynamic pick starts at a random number above the band and goes on from there with wrap; only when everything
    above is held does it take one of the band, which is meant for numbers that clients choose (KEP-3070, KEP-3668).

    What was released last rests: somebody may still send to it what was meant for its last holder. Whoever asks for it
    gets it, and a pick does when there is nothing else.
    """

    def __init__(self, first: int, last: int, *, band: int = 0, exclusions: Iterable[tuple[int, int]] = ()) -> None:
        """Declare what there is.

        Args:
            first: Lowest number.
            last: Highest number, inclusive; an empty range has `last < first`.
            band: How many of the lowest numbers are picked only when all others are held.
            exclusions: First and last of each part that is never picked; they may overlap.
        """
        self.first, self.last = first, max(last, first - 1)
        self._bitmap = Bitmap(self.last - first + 1)
        self._band = band
        self._exclusions = _merged(first, self.last, exclusions)
        self._starts = [low for low, _ in self._exclusions]
        self.size = self._bitmap.size - sum(high - low for low, high in self._exclusions)
        self._held = 0
        self._resting: dict[int, None] = {}  # in order of release; in the bitmap they are held

    @property
    def free(self) -> int:
        """How many numbers can still be picked."""
        return self.size - self._held

    def covers(self, number: int) -> bool:
        """Whether a number is in the range and not excluded."""
        return self.first <= number <= self.last and not self._excluded(number - self.first)

    def holds(self, number: int) -> bool:
        """Whether a number is held here."""
        index = number - self.first
        return self.first <= number <= self.last and self._bitmap.holds(index) and index not in self._resting

    def hold(self, number: int) -> bool:
        """Hold a number; False when it is outside or held already. Excluded ones can be held: an edit moves nobody."""
        index = number - self.first
        if index in self._resting:
            del self._resting[index]
        elif not self.first <= number <= self.last or not self._bitmap.hold(index):
            return False
        self._held += not self._excluded(index)
        return True

    def release(self, number: int) -> bool:
        """Let go of a number; False when it was not held here."""
        if not self.holds(number):
            return False
        index = number - self.first
        self._held -= not self._excluded(index)
        self._resting[index] = None
        if len(self._resting) > RESTING:
            self._wake(next(iter(self._resting)))
        return True

    def pick(self, random_below: RandomBelow) -> int | None:
        """Hold a number that nobody held and return it; None when there is none."""
        whole = self._bitmap.size
        found = self._seek(self._band, whole, random_below)
        if found is None and self._resting:
            for index in list(self._resting):
                self._wake(index)
            found = self._seek(self._band, whole, random_below)
        if found is None:
            found = self._seek(0, min(self._band, whole), random_below)
        if found is None:
            return None
        self._bitmap.hold(found)
        self._held += 1
        return self.first + found

    def parts(self, random_below: RandomBelow) -> Iterator[tuple[int, int]]:
        """First and last of each part of the range, in the order in which a pick looks through them."""
        whole, band = self._bitmap.size, min(self._band, self._bitmap.size)
        for low, high in ((band, whole), (0, band)):
            start = low + (random_below(high - low) if high > low else 0)
            yield from self._without_exclusions(start, high)
            yield from self._without_exclusions(low, start)

    def _without_exclusions(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        for first, after in self._exclusions:
            if low < after and first < high:
                if low < first:
                    yield self.first + low, self.first + first - 1
                low = after
        if low < high:
            yield self.first + low, self.first + high - 1

    def _wake(self, index: int) -> None:
        del self._resting[index]
        self._bitmap.free(index)

    def _seek(self, low: int, high: int, random_below: RandomBelow) -> int | None:
        if high <= low:
            return None
        start = low + random_below(high - low)
        found = self._next(start, high)
        return self._next(low, start) if found is None else found

    def _next(self, low: int, high: int) -> int | None:
        while low < high:
            found = self._bitmap.first_free(low)
            if found is None or found >= high:
                return None
            exclusion = self._exclusion(found)
            if exclusion is None:
                return found
            low = exclusion[1]
        return None

    def _exclusion(self, index: int) -> tuple[int, int] | None:
        if not self._exclusions:
            return None
        candidate = self._exclusions[bisect_right(self._starts, index) - 1]
        return candidate if candidate[0] <= index < candidate[1] else None

    def _excluded(self, index: int) -> bool:
        return self._exclusion(index) is not None


def _merged(first: int, last: int, exclusions: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Disjoint half-open parts relative to `first`, in order."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted((max(low, first), min(high, last)) for low, high in exclusions):
        if high < low:
            continue
        if merged and low - first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high + 1 - first))
        else:
            merged.append((low - first, high + 1 - first))
    return merged


class PortPool(NumberPool):
    """Node ports, from `first` to `last`, with KEP-3668's static band: 1/32 of them, between 16 and 128."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__(first, last, band=static_band(last - first + 1, share=32, limit=128))

    @property
    def label(self) -> str:
        """How a shortage names the pool."""
        return f"node ports {self.first}-{self.last}"
