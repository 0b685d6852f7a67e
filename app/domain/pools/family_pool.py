"""Addresses from which one is picked that nobody holds yet."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from app.domain.pools.number_pool import NumberPool, RandomBelow
from app.domain.rules.address_ranges import IPV4, AddressRange, bounds


class RangePool:
    """The addresses of one range, spoken of in canonical text; a `NumberPool` inside."""

    def __init__(self, addresses: AddressRange, *, exclusions: Iterable[str] = ()) -> None:
        """Start with nothing held; `exclusions` are CIDRs, addresses or `first-last`."""
        self.family = addresses.family
        self.name = addresses.text
        self._type: type[IPv4Address | IPv6Address] = IPv4Address if addresses.version == IPV4 else IPv6Address
        parts = [bounds(text) for text in exclusions]
        excluded = [(int(low), int(high)) for low, high in parts if low.version == addresses.version]
        self._numbers = NumberPool(addresses.first, addresses.last, band=addresses.band, exclusions=excluded)

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


class FamilyPool:
    """Several ranges of one family, in order of preference, that may overlap: a held address is held in all of them."""

    def __init__(self, name: str, ranges: Sequence[RangePool]) -> None:
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
