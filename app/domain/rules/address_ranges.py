"""Ranges of addresses as values."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IPV4, IPV6 = 4, 6
VERSIONS = {"IPv4": IPV4, "IPv6": IPV6}
SMALLEST_BAND = 16
"""The smallest static band. A range with no more numbers than that has no band."""


@dataclass(frozen=True, slots=True)
class AddressRange:
    """The addresses of one family from `first` to `last`, as numbers.

    Attributes:
        version: 4 or 6.
        first: Lowest address.
        last: Highest address, inclusive; an empty range has `last < first`.
        band: How many of the lowest addresses are reserved for clients that choose an address (KEP-3070).
        text: The range as the client wrote it.
    """

    version: int
    first: int
    last: int
    band: int
    text: str

    @property
    def family(self) -> str:
        """`IPv4` or `IPv6`."""
        return f"IPv{self.version}"

    def covers(self, address: str) -> bool:
        """Whether an address lies in the range."""
        version, number = address_number(address)
        return version == self.version and self.first <= number <= self.last


def address_number(address: str) -> tuple[int, int]:
    """The version and the number of an address in canonical text. It is fast for IPv4, since there may be a million.

    Raises:
        ValueError: It is no address.
    """
    if ":" in address:
        return IPV6, int(IPv6Address(address))
    first, second, third, fourth = address.split(".")
    return IPV4, int(first) << 24 | int(second) << 16 | int(third) << 8 | int(fourth)


def address_text(version: int, number: int) -> str:
    """An address in canonical text."""
    return str(IPv4Address(number) if version == IPV4 else IPv6Address(number))


@lru_cache(maxsize=16)
def service_range(cidr: str) -> AddressRange:
    """The ClusterIPs of a CIDR: base + 1 to the last, without IPv4's broadcast, with KEP-3070's static band.

    Raises:
        ValueError: Not a CIDR, or one with host bits.
    """
    network = ip_network(cidr)
    first, last = int(network[0]) + 1, int(network[-1]) - (network.version == IPV4)
    return AddressRange(network.version, first, last, static_band(last - first + 1, share=16, limit=256), cidr)


def pool_range(text: str) -> AddressRange:
    """A load balancer's addresses: `first-last` as they are, or a CIDR without its base and IPv4's broadcast.

    Raises:
        ValueError: Neither a CIDR nor two addresses of one family in order.
    """
    whole = range_of(text)
    if "-" in text or whole.last - whole.first <= 1:
        return whole
    return AddressRange(whole.version, whole.first + 1, whole.last - (whole.version == IPV4), 0, text)


def range_of(text: str) -> AddressRange:
    """All addresses of a CIDR, of a single address, or of `first-last`.

    Raises:
        ValueError: None of these, or the two addresses are not of one family in order.
    """
    if "-" not in text:
        network = ip_network(text)
        return AddressRange(network.version, int(network[0]), int(network[-1]), 0, text)
    low, high = (ip_address(part.strip()) for part in text.split("-", 1))
    if low.version != high.version or int(low) > int(high):
        raise ValueError(f"{text!r} is no range: write the lower address first, both of one family")
    return AddressRange(low.version, int(low), int(high), 0, text)


def static_band(size: int, *, share: int, limit: int) -> int:
    """How many of the lowest numbers are reserved for clients that choose one: 1/share, between 16 and `limit`."""
    return 0 if size <= SMALLEST_BAND else min(max(SMALLEST_BAND, size // share), limit)
