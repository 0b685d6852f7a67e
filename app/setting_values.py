"""What settings are made of: each value is read from a text, and a wrong one refused with what would be right."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import combinations
from pathlib import Path

from pydantic import SecretStr

Network = IPv4Network | IPv6Network

LARGEST_PORT = 65535
_LONGEST_LEVEL = 64
_SHORTEST_IPV6_PREFIX = 64  # Kubernetes' limit on service ranges
_FEWEST_SERVICE_ADDRESSES = 4
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{1,5})?")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")


@dataclass(frozen=True)
class Cidrs:
    """Ranges of addresses, of one family or both, none overlapping another."""

    networks: tuple[Network, ...]

    @classmethod
    def parse(cls, text: object) -> object:
        """Reads `10.96.0.0/16,fd00:10:96::/112`; what is not a text is left for the type check.

        Raises:
            ValueError: A part is no range, is too large, is reserved for something else or overlaps another part.
        """
        if not isinstance(text, str):
            return text
        networks = tuple(_network(part.strip()) for part in text.split(","))
        for one, other in combinations(networks, 2):
            if one.overlaps(other):
                raise ValueError(f"{one} and {other} overlap; name each address once")
        return cls(networks)

    def __iter__(self) -> Iterator[Network]:
        return iter(self.networks)

    def __str__(self) -> str:
        return ",".join(map(str, self.networks))


@dataclass(frozen=True)
class PortRange:
    """Ports from `first` to `last`, both included."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: object) -> object:
        """Reads `30000-32767`; what is not a text is left for the type check.

        Raises:
            ValueError: It is no range of ports.
        """
        if not isinstance(text, str):
            return text
        match = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]) <= LARGEST_PORT:
            raise ValueError(f"{text!r} is no range of ports; write first-last within 1-65535, like 30000-32767")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class Url(SecretStr):
    """A database URL: it may hold a password, so it shows itself as asterisks."""


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(_better_network(text)) from error
    if network.version == 6 and network.prefixlen < _SHORTEST_IPV6_PREFIX:  # noqa: PLR2004 - the protocol's own number
        raise ValueError(f"{network} is too large: an IPv6 range has a prefix of /64 or longer, like /112")
    if network.is_loopback or network.is_multicast or network.is_link_local or network.is_unspecified:
        raise ValueError(
            f"{network} is reserved (loopback, multicast, link-local or unspecified); choose another range"
        )
    return network


def _better_network(text: str) -> str:
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        return f"{text!r} is no range of addresses; write CIDRs separated by commas, like 10.96.0.0/16,fd00:10:96::/112"
    return f"{text} has bits set beyond its prefix; write {meant}"


def room_for_services(cidrs: Cidrs) -> Cidrs:
    """One range, or one of each family.

    Raises:
        ValueError: A family comes twice, or a range has no room for Services.
    """
    families = {network.version for network in cidrs}
    if len(families) < len(cidrs.networks):
        raise ValueError(f"{cidrs} names a family twice; give one range, or one IPv4 and one IPv6 range for dual-stack")
    for network in cidrs:
        if network.num_addresses < _FEWEST_SERVICE_ADDRESSES:
            raise ValueError(f"{network} has no room for Services; a /30 (IPv6: /126) is the smallest that works")
    return cidrs


def host_address(text: str) -> str:
    """An address to listen on, in canonical form; `localhost` stands for 127.0.0.1.

    Raises:
        ValueError: It is neither.
    """
    try:
        return str(ip_address("127.0.0.1" if text == "localhost" else text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no address to listen on; write one like 127.0.0.1, ::1 or 0.0.0.0") from error


def domain_name(text: str) -> str:
    """A DNS name in lower case without a dot at its end.

    Raises:
        ValueError: It is none.
    """
    if not _DOMAIN.fullmatch(text):
        raise ValueError(f"{text!r} is no DNS name in lower case without a dot at its end, like cluster.local")
    return text


def advertisable_address(text: str) -> str:
    """An address that others can connect to.

    Raises:
        ValueError: It stands for all, or for a group.
    """
    address = ip_address(text)
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f"{text} is no machine's address; write the one at which others reach this API")
    return text


def postgres_url(url: Url) -> Url:
    """A connection URL of libpq, as far as it can be told; no message shows any part of it.

    Raises:
        ValueError: It is not Postgres', or cannot be taken apart.
    """
    text = url.get_secret_value()
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("only Postgres is supported: write postgresql://user:password@host:5432/database")
    # A character that ends the password too early makes a part of it the port or the path: no message may name them.
    hosts, _, rest = text.partition("://")[2].partition("/")
    hosts = hosts.partition("?")[0].rpartition("@")[2]
    if "#" in text or "@" in rest.partition("?")[0] or not all(map(_HOST_AND_PORT.fullmatch, hosts.split(","))):
        raise ValueError(
            "it cannot be read: write postgresql://user:password@host:5432/database, with special characters of the "
            "password as %XX (%40 for @, %2F for /)"
        )
    return url


def read_level(path: Path, levels: Collection[str]) -> str:
    """The level of the log in a file.

    Raises:
        ValueError: The file cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")[:_LONGEST_LEVEL].strip()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    if text not in levels:
        raise ValueError(f"{path} holds {text!r}, which is no level; write one of {', '.join(levels)}")
    return text
