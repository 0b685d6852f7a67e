"""The values of settings: each is read from a text. The message about a wrong one says what would be right."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

Network = IPv4Network | IPv6Network

LARGEST_PORT = 65535
_LONGEST_LEVEL_CHARACTERS = 64
_SHORTEST_IPV6_PREFIX = 64  # Kubernetes' limit on service ranges
_FEWEST_SERVICE_ADDRESSES = 4
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{1,5})?")
_PRIMARIES = ("primary", "read-write")
_ISSUER_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")


@dataclass(frozen=True)
class Cidrs:
    """Ranges of addresses that do not overlap, of one family or of both."""

    networks: tuple[Network, ...]

    @classmethod
    def parse(cls, text: object) -> object:
        """Read a text such as `10.96.0.0/16,fd00:10:96::/112`; anything but a text is returned for pydantic to check.

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
class Addresses:
    """IP addresses, of either family."""

    addresses: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: object) -> object:
        """Read a text such as `192.0.2.1,2001:db8::1`; anything but a text is returned for pydantic to check.

        Raises:
            ValueError: A part is no address, or is not that of one machine.
        """
        if not isinstance(text, str):
            return text
        return cls(tuple(dict.fromkeys(advertisable_address(_address(part)) for part in text.split(",") if part)))

    def __str__(self) -> str:
        return ",".join(self.addresses)


@dataclass(frozen=True)
class PortRange:
    """Ports from `first` to `last`, both included."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: object) -> object:
        """Read a text such as `30000-32767`; anything but a text is returned for pydantic to check.

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


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Age:
    """How long something is kept.

    Attributes:
        text: As it was given.
        length: The same as a length of time.
    """

    text: str
    length: timedelta

    @classmethod
    def parse(cls, text: object) -> object:
        """Read a text such as `90d`; anything but a text is returned for pydantic to check.

        Raises:
            ValueError: It is no length of time.
        """
        if not isinstance(text, str):
            return text
        match = re.fullmatch(r"\s*([1-9][0-9]{0,5})([smhd])\s*", text)
        if match is None:
            raise ValueError(f"{text!r} is no length of time; write a number with s, m, h or d behind it, like 90d")
        return cls(text.strip(), timedelta(**{_UNITS[match[2]]: int(match[1])}))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Words:
    """Words in their order, none twice."""

    words: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: object) -> object:
        """Read words that are separated by commas; anything but a text is returned for pydantic to check."""
        if not isinstance(text, str):
            return text
        return cls(tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip())))

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __str__(self) -> str:
        return ",".join(self.words)


class Url(SecretStr):
    """The URL of a database. It may have a password, so printing it shows asterisks."""


def web_origins(words: Words) -> Words:
    """Check that words are origins of web pages, as browsers send them (RFC 6454, 6.2).

    Raises:
        ValueError: One is something else.
    """
    for word in words:
        try:
            parts = urlsplit(word)
            is_origin = parts.scheme in ("http", "https") and bool(parts.hostname) and word == word.lower()
            is_origin = is_origin and word == f"{parts.scheme}://{parts.netloc}" and "@" not in word
            _ = parts.port
        except ValueError:
            is_origin = False
        if not is_origin:
            raise ValueError(
                f"{word!r} is no origin; write one like https://portal.example.org or http://localhost:3000, in lower "
                "case and without a path; * would let every page of the web in"
            )
    return words


def issuers(words: Words) -> Words:
    """Check that words are names of issuers of tokens (OpenID Connect Discovery, 4.1).

    Raises:
        ValueError: One looks like a URL and is none, or has a query or a fragment.
    """
    for word in words:
        if ":" in word and not _ISSUER_URL.fullmatch(word):
            raise ValueError(f"{word!r} is no URL of an issuer; write one like https://fairlead.example.com")
    return words


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError as error:
        raise ValueError(f"{text!r} is no address; write some with commas, like 192.0.2.1,2001:db8::1") from error


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(_network_problem(text)) from error
    if network.version == 6 and network.prefixlen < _SHORTEST_IPV6_PREFIX:  # noqa: PLR2004 - the protocol's own number
        raise ValueError(f"{network} is too large: an IPv6 range has a prefix of /64 or longer, like /112")
    if network.is_multicast or network.is_link_local or network.is_unspecified:
        raise ValueError(f"{network} is reserved (multicast, link-local or unspecified); choose another range")
    return network


def _network_problem(text: str) -> str:
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        return f"{text!r} is no range of addresses; write CIDRs separated by commas, like 10.96.0.0/16,fd00:10:96::/112"
    return f"{text} has bits set beyond its prefix; write {meant}"


def room_for_services(cidrs: Cidrs) -> Cidrs:
    """Check that there is one range, or one of each family.

    Raises:
        ValueError: There are two of one family, or a range is loopback or has too few addresses for Services.
    """
    for network in cidrs:
        if network.is_loopback:
            raise ValueError(f"{network} is reserved (loopback); choose another range")
    families = {network.version for network in cidrs}
    if len(families) < len(cidrs.networks):
        raise ValueError(f"{cidrs} names a family twice; give one range, or one IPv4 and one IPv6 range for dual-stack")
    for network in cidrs:
        if network.num_addresses < _FEWEST_SERVICE_ADDRESSES:
            raise ValueError(f"{network} has no room for Services; a /30 (IPv6: /126) is the smallest that works")
    return cidrs


def host_address(text: str) -> str:
    """The canonical form of an address to listen on; `localhost` means 127.0.0.1.

    Raises:
        ValueError: The text is neither.
    """
    try:
        return str(ip_address("127.0.0.1" if text == "localhost" else text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no address to listen on; write one like 127.0.0.1, ::1 or 0.0.0.0") from error


def domain_name(text: str) -> str:
    """Check that a text is a DNS name in lower case without a dot at its end.

    Raises:
        ValueError: It is not.
    """
    if not _DOMAIN.fullmatch(text):
        raise ValueError(f"{text!r} is no DNS name in lower case without a dot at its end, like cluster.local")
    return text


def advertisable_address(text: str) -> str:
    """Check that others can connect to an address.

    Raises:
        ValueError: It means all addresses of a machine, or a multicast group.
    """
    address = ip_address(text)
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f"{text} is not the address of one machine; write the address at which others reach this API")
    return text


def postgres_url(url: Url) -> Url:
    """Check that a text looks like a connection URL of Postgres (libpq). No message shows any part of it.

    Raises:
        ValueError: It is one of another database, or cannot be read.
    """
    text = url.get_secret_value()
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("only Postgres is supported: write postgresql://user:password@host:5432/database")
    # A special character in the password makes the rest of the password look like the port or the path. So no message
    # may show those.
    hosts, _, rest = text.partition("://")[2].partition("/")
    hosts = hosts.partition("?")[0].rpartition("@")[2]
    if "#" in text or "@" in rest.partition("?")[0] or not all(map(_HOST_AND_PORT.fullmatch, hosts.split(","))):
        raise ValueError(
            "it cannot be read: write postgresql://user:password@host:5432/database, with special characters of the "
            "password as %XX (%40 for @, %2F for /)"
        )
    if (asked := re.search(r"[?&]target_session_attrs=([^&]*)", text)) and asked[1] not in _PRIMARIES:
        raise ValueError(
            f"target_session_attrs={asked[1]} cannot be: only a primary stores anything; leave it out, or write "
            "target_session_attrs=read-write to pass over a primary that takes no writes, too"
        )
    return url


def read_level(path: Path, levels: Collection[str]) -> str:
    """Read the level of the log from a file.

    Raises:
        ValueError: The file cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")[:_LONGEST_LEVEL_CHARACTERS].strip()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    if text not in levels:
        raise ValueError(f"{path} has {text!r}, which is no level; write one of {', '.join(levels)}")
    return text
