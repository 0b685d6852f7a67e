"""Numbers from which one is picked that nobody holds yet: ports, and addresses as numbers."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from app.domain.pools.bitmap import Bitmap
from app.domain.rules.address_ranges import static_band
from app.domain.rules.address_sets import Span

RandomBelow = Callable[[int], int]
"""Returns a random number in 0..n-1."""

Clock = Callable[[], float]
"""Seconds since some moment."""

Resting = tuple[int, float]
"""A number that was released, and the time from which on it may be picked again."""

KEPT_BACK = 64
"""How many of the numbers released last are picked only when no other is left."""

SHARE_SET_ASIDE = 16
"""At most this fraction, 1/16, of what is free is set aside at once."""

MOST_SET_ASIDE = 16_384
"""So many numbers of a pool are set aside at most."""


class NumberPool:
    """Numbers over a bitmap that says what is held, some of them in a static band.

    A dynamic pick starts at a random number above the band and goes on from there with wrap; only when everything
    above is held does it take one of the band, which is meant for numbers that clients choose (KEP-3070, KEP-3668).

    A number that was released rests: somebody may still send to it what was meant for its last holder. Nothing picks
    it for `rest` seconds, and for a while after that only when no other is left. A client that asks for it gets it.

    A number that was set aside is meant for somebody in particular. It is free: a pick takes it before those of a band,
    though only when no other is left, and a client that asks for it gets it.
    """

    def __init__(
        self,
        held: Bitmap,
        ranges: Sequence[tuple[int, int, int]],
        usable: Sequence[Span],
        clock: Clock,
        rest: float = 0.0,
    ) -> None:
        """Lay a pool over what is held.

        Args:
            held: Which numbers are held, those of other pools included.
            ranges: First and last number of each range and how many of its lowest are the static band, in the order
                in which they are picked from. They may overlap.
            usable: The numbers of these ranges that may be picked, as disjoint spans in order.
            clock: Tells the time.
            rest: Seconds for which a number rests that was released.
        """
        self._bitmap = held
        # In the order of a pick; what rests comes before the bands.
        self._above = [(first + band, last) for first, last, band in ranges]
        self._bands = [(first, min(first + band - 1, last)) for first, last, band in ranges if band]
        self._firsts = [first for first, _ in usable]
        self._lasts = [last for _, last in usable]
        self._clock = clock
        self._rest = rest
        self.size = sum(last - first + 1 for first, last in usable)
        self._used = sum(held.count(first, last) for first, last in usable)
        # Both are in the order of release, and in the bitmap they are held.
        self._resting: dict[int, float] = {}
        self._rested: dict[int, None] = {}
        # In the order in which they cease to be set aside; in the bitmap they are held, too.
        self._aside: dict[int, float] = {}

    @property
    def used(self) -> int:
        """How many numbers are held; those that rest are not."""
        return self._used

    @property
    def resting(self) -> int:
        """How many numbers cannot be picked now because they were released a moment ago."""
        self._wake_rested()
        return len(self._resting)

    @property
    def free(self) -> int:
        """How many numbers can be picked now."""
        return self.size - self._used - self.resting

    def covers(self, number: int) -> bool:
        """Whether a number is one of the pool's."""
        index = bisect_right(self._firsts, number) - 1
        return index >= 0 and number <= self._lasts[index]

    def holds(self, number: int) -> bool:
        """Whether a number of the pool is held."""
        return self.covers(number) and self._bitmap.holds(number) and not self._is_loose(number)

    def hold(self, number: int) -> bool:
        """Hold a number; False when it is not the pool's, or held already."""
        if not self.covers(number):
            return False
        if self._is_loose(number):
            self._resting.pop(number, None)
            self._rested.pop(number, None)
            self._aside.pop(number, None)
        elif not self._bitmap.hold(number):
            return False
        self._used += 1
        return True

    def release(self, number: int, *, unused: bool = False) -> bool:
        """Let go of a number; False when it was not held. One that was only picked, never used, need not rest."""
        if not self.holds(number):
            return False
        self._used -= 1
        if self._rest and not unused:
            self._resting[number] = self._clock() + self._rest
        else:
            self._rested[number] = None
            self._wake_rested()
        return True

    def pick(self, random_below: RandomBelow) -> int | None:
        """Hold a number that nobody held and return it; None when there is none."""
        found = self._seek(self._above, random_below)
        if found is None:
            self._wake_rested(keep=0)
            found = self._seek(self._above, random_below)
        if found is None and self._aside:
            self._call_in(math.inf)
            found = self._seek(self._above, random_below)
        if found is None:
            found = self._seek(self._bands, random_below)
        if found is None:
            return None
        self._bitmap.hold(found)
        self._used += 1
        return found

    def set_aside(self, most: int, random_below: RandomBelow, seconds: float) -> list[int]:
        """Set numbers aside for some seconds, as `pick` would choose them.

        Args:
            most: How many at most. There are fewer where few are free; none are of a band, and none rest.
            random_below: Source of chance.
            seconds: The same in every call.
        """
        self._wake_rested()
        self._call_in(self._clock())
        count = min(most, (self.free - len(self._aside)) // SHARE_SET_ASIDE, MOST_SET_ASIDE - len(self._aside))
        until = self._clock() + seconds
        found: list[int] = []
        while len(found) < count and (number := self._seek(self._above, random_below)) is not None:
            self._bitmap.hold(number)
            self._aside[number] = until
            found.append(number)
        return found

    def parts(self, random_below: RandomBelow) -> Iterator[Span]:
        """First and last of each part of the pool, in the order in which a pick looks through them."""
        for low, high in (*self._above, *self._bands):
            start = low + (random_below(high - low + 1) if high >= low else 0)
            yield from self._usable(start, high)
            yield from self._usable(low, start - 1)

    def rest_since(self, number: int, ago: float) -> None:
        """Let a number rest that was released some seconds ago and is not held. The one released last comes last."""
        until = self._clock() + self._rest - ago
        if ago < self._rest and self.covers(number) and self._bitmap.hold(number):
            self._resting[number] = until

    def take_rest(self) -> list[Resting]:
        """All that may not be picked as any other yet and is held by nobody, for `give_rest` of another pool."""
        found = [*((number, 0.0) for number in (*self._aside, *self._rested)), *self._resting.items()]
        self._used += len(found)
        self._aside, self._rested, self._resting = {}, {}, {}
        return found

    def give_rest(self, resting: Sequence[Resting]) -> None:
        """Take over numbers that rest; they are the pool's, and in the bitmap they are held.

        None rests longer here than one that is released now.
        """
        self._used -= len(resting)
        latest = self._clock() + self._rest
        taken = [(number, min(until, latest)) for number, until in resting]
        self._resting = dict(sorted([*self._resting.items(), *taken], key=lambda each: each[1]))
        self._wake_rested()

    def _is_loose(self, number: int) -> bool:
        return number in self._resting or number in self._rested or number in self._aside

    def _call_in(self, now: float) -> None:
        """Let anybody have what was set aside no longer than until now."""
        while self._aside:
            number, until = next(iter(self._aside.items()))
            if until > now:
                break
            del self._aside[number]
            self._bitmap.free(number)

    def _wake_rested(self, keep: int = KEPT_BACK) -> None:
        """Let numbers be picked whose time has come, except for the last ones, which are kept back."""
        if self._resting:
            now = self._clock()
            while self._resting:
                number, until = next(iter(self._resting.items()))
                if until > now:
                    break
                del self._resting[number]
                self._rested[number] = None
        while len(self._rested) > keep:
            number = next(iter(self._rested))
            del self._rested[number]
            self._bitmap.free(number)

    def _usable(self, low: int, high: int) -> Iterator[Span]:
        start = max(bisect_right(self._firsts, low) - 1, 0)
        for index in range(start, bisect_right(self._firsts, high)):
            first, last = max(self._firsts[index], low), min(self._lasts[index], high)
            if first <= last:
                yield first, last

    def _seek(self, spans: Sequence[Span], random_below: RandomBelow) -> int | None:
        for low, high in spans:
            if low <= high:
                start = low + random_below(high - low + 1)
                found = self._next(start, high)
                if found is None:
                    found = self._next(low, start - 1)
                if found is not None:
                    return found
        return None

    def _next(self, low: int, high: int) -> int | None:
        while low <= high:
            found = self._bitmap.first_free(low)
            if found is None or found > high:
                return None
            index = bisect_right(self._firsts, found) - 1
            if index >= 0 and found <= self._lasts[index]:
                return found
            if index + 1 == len(self._firsts):
                return None
            low = self._firsts[index + 1]
        return None


class PortPool(NumberPool):
    """Node ports, from `first` to `last`, with KEP-3668's static band: 1/32 of them, between 16 and 128."""

    def __init__(self, first: int, last: int, clock: Clock) -> None:
        band = static_band(last - first + 1, share=32, limit=128)
        usable = [(first, last)] if first <= last else []
        self.first, self.last = first, last
        super().__init__(Bitmap(last + 1), [(first, last, band)], usable, clock)
        self.label = f"node ports {first}-{last}"
