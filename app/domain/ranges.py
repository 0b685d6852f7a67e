"""Ranges of ports and addresses from which something is picked that nobody holds yet."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from app.domain.bitmap import Range

RandomBelow = Callable[[int], int]
"""Returns a random number in 0..n-1."""

IPV4 = 4
SMALLEST_BAND = 16
"""No static band is smaller, and a range of no more numbers has none."""

RESTING = 64
"""How many of the numbers released last are picked only when no other is left."""


class NumberRange:
    """The numbers first..last, some of which may be excluded, with a static band at the bottom.

    A dynamic pick starts at a random number above the band and goes on from there with wrap; only when everything
    above is held does it take one of the band, which is meant for numbers that clients choose (KEP-3070, KEP-3668).

    What was released last rests: somebody may still send to it what was meant for its last holder. Whoever asks for it
    gets it, and a pick does when there is nothing else.
    """

    def __init__(self, first: int, last: int, *, band: int = 0, exclusions: Iterable[tuple[int, int]] = ()) -> None:
        """Declare a range.

        Args:
            first: Lowest number.
            last: Highest number, inclusive; an empty range has `last < first`.
            band: How many of the lowest numbers are picked only when all others are held.
            exclusions: First and last of each part that is never picked; they may overlap.
        """
        self.first, self.last = first, max(last, first - 1)
        self._bitmap = Range(self.last - first + 1)
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


class PortRange(NumberRange):
    """Node ports, from `first` to `last`, with KEP-3668's static band: 1/32 of them, between 16 and 128."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__(first, last, band=static_band(last - first + 1, share=32, limit=128))

    @property
    def label(self) -> str:
        """How a shortage names the pool."""
        return f"node ports {self.first}-{self.last}"


class AddressRange:
    """Addresses of one family, spoken of in canonical text; a `NumberRange` inside."""

    def __init__(
        self, version: int, first: int, last: int, *, band: int = 0, exclusions: Iterable[str] = (), name: str = ""
    ) -> None:
        """Declare a range; `exclusions` are CIDRs, addresses or `first-last`."""
        self.family = f"IPv{version}"
        self.name = name
        self._type: type[IPv4Address | IPv6Address] = IPv4Address if version == IPV4 else IPv6Address
        parts = [bounds(text) for text in exclusions]
        excluded = [(int(low), int(high)) for low, high in parts if low.version == version]
        self._numbers = NumberRange(first, last, band=band, exclusions=excluded)

    @classmethod
    def service_cidr(cls, cidr: str, *, exclusions: Iterable[str] = ()) -> "AddressRange":
        """The ClusterIPs of a range: base + 1 to the last, without IPv4's broadcast, and KEP-3070's static band.

        Raises:
            ValueError: Not a CIDR, or one with host bits.
        """
        network = ip_network(cidr)
        first, last = int(network[0]) + 1, int(network[-1]) - (network.version == IPV4)
        band = static_band(last - first + 1, share=16, limit=256)
        return cls(network.version, first, last, band=band, exclusions=exclusions, name=cidr)

    @classmethod
    def pool(cls, text: str, *, exclusions: Iterable[str] = ()) -> "AddressRange":
        """A load balancer's addresses: `first-last` as they are, or a CIDR without its base and IPv4's broadcast.

        Raises:
            ValueError: Neither a CIDR nor two addresses of one family in order.
        """
        low, high = bounds(text)
        first, last = int(low), int(high)
        if "-" not in text and last - first > 1:
            first, last = first + 1, last - (low.version == IPV4)
        return cls(low.version, first, last, exclusions=exclusions, name=text)

    @property
    def size(self) -> int:
        """How many addresses there are to pick from when none is held."""
        return self._numbers.size

    @property
    def free(self) -> int:
        """How many addresses can still be picked."""
        return self._numbers.free

    def covers(self, address: str) -> bool:
        """Whether an address is in the range and not excluded."""
        number = self._number(address)
        return number is not None and self._numbers.covers(number)

    def holds(self, address: str) -> bool:
        """Whether an address is held here."""
        number = self._number(address)
        return number is not None and self._numbers.holds(number)

    def hold(self, address: str) -> bool:
        """Hold an address; False when it is outside or held already."""
        number = self._number(address)
        return number is not None and self._numbers.hold(number)

    def release(self, address: str) -> bool:
        """Let go of an address; False when it was not held here."""
        number = self._number(address)
        return number is not None and self._numbers.release(number)

    def _number(self, address: str) -> int | None:
        """An address as a number; None when it is of the other family. There may be a million of IPv4 to note."""
        if self._type is IPv4Address and ":" not in address:
            first, second, third, fourth = address.split(".")
            return int(first) << 24 | int(second) << 16 | int(third) << 8 | int(fourth)
        parsed = ip_address(address)
        return int(parsed) if isinstance(parsed, self._type) else None

    def parts(self, random_below: RandomBelow) -> Iterator[tuple[str, str]]:
        """First and last of each part of the range, in the order in which a pick looks through them."""
        for low, high in self._numbers.parts(random_below):
            yield str(self._type(low)), str(self._type(high))

    def pick(self, random_below: RandomBelow) -> str | None:
        """Hold an address that nobody held and return it; None when there is none."""
        found = self._numbers.pick(random_below)
        return None if found is None else str(self._type(found))


class AddressPool:
    """Several ranges of one family, in order of preference, that may overlap: a held address is held in all of them."""

    def __init__(self, name: str, ranges: Sequence[AddressRange]) -> None:
        self.name = name
        self.ranges = tuple(ranges)

    @property
    def label(self) -> str:
        """How a shortage names the pool: with its ranges."""
        return f"{self.name} {', '.join(part.name for part in self.ranges)}".rstrip()

    @property
    def size(self) -> int:
        """How many addresses the ranges have, counted per range."""
        return sum(part.size for part in self.ranges)

    @property
    def free(self) -> int:
        """How many addresses are not held, counted per range."""
        return sum(part.free for part in self.ranges)

    def covers(self, address: str) -> bool:
        """Whether an address is in one of the ranges."""
        return any(part.covers(address) for part in self.ranges)

    def holds(self, address: str) -> bool:
        """Whether an address is held."""
        return any(part.holds(address) for part in self.ranges)

    def hold(self, address: str) -> bool:
        """Hold an address wherever it lies; False when it is held already or lies nowhere."""
        return sum(part.hold(address) for part in self.ranges) > 0

    def release(self, address: str) -> bool:
        """Let go of an address; False when it was not held."""
        return sum(part.release(address) for part in self.ranges) > 0

    def parts(self, random_below: RandomBelow) -> Iterator[tuple[str, str]]:
        """First and last of each part of the ranges, in the order in which a pick looks through them."""
        for part in self.ranges:
            yield from part.parts(random_below)

    def pick(self, random_below: RandomBelow) -> str | None:
        """Hold an address that nobody held, from the first range that has one; None when none has."""
        for part in self.ranges:
            found = part.pick(random_below)
            if found is not None:
                self.hold(found)
                return found
        return None


def static_band(size: int, *, share: int, limit: int) -> int:
    """How many numbers at the bottom are left to those who choose for themselves: 1/share, between 16 and `limit`."""
    return 0 if size <= SMALLEST_BAND else min(max(SMALLEST_BAND, size // share), limit)


def bounds(text: str) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
    """First and last address of a CIDR, of a single address, or of `first-last`.

    Raises:
        ValueError: None of these, or the two addresses are not of one family in order.
    """
    if "-" not in text:
        network = ip_network(text)
        return network[0], network[-1]
    low, high = (ip_address(part.strip()) for part in text.split("-", 1))
    if low.version != high.version or int(low) > int(high):
        raise ValueError(f"{text!r} is no range: write the lower address first, both of one family")
    return low, high
