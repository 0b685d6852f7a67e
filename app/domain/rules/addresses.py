"""How addresses and CIDRs are written: strictly since KEP-4858. Other forms are tolerated in stored objects.

Strict means: no leading zeros, no IPv4 inside IPv6 (`::ffff:1.2.3.4`), no bits beyond a CIDR's prefix. IPv6 that is
not in canonical form (RFC 5952) is accepted with a warning.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from app.domain.errors import Cause, invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_CANONICAL_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_IPV4_DIGITS = re.compile(r"[0-9]+(\.[0-9]+){3}")
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_LINK_LOCAL_SCOPE = 2
_LONGEST_REMEMBERED = 64
"""Characters. Of a longer text nothing is remembered: a client may send a great many, and none is canonical."""

_LOCAL_MULTICAST_V4 = bytes([224, 0, 0])


def strict_address(text: str) -> Address | None:
    """Read an address; None if the text is no address, or one that programs read differently."""
    return _remembered_strictly(text) if len(text) <= _LONGEST_REMEMBERED else _read_strictly(text)


def sloppy_address(text: str) -> Address | None:
    """Read an address as servers before KEP-4858 did: leading zeros are ignored, and mapped IPv4 is IPv4."""
    return _remembered_sloppily(text) if len(text) <= _LONGEST_REMEMBERED else _read_sloppily(text)


def _read_strictly(text: str) -> Address | None:
    try:
        address = IPv6Address(text) if ":" in text else IPv4Address(text)
    except AddressValueError:
        return None
    ambiguous = isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address.scope_id is not None)
    return None if ambiguous else address


def _read_sloppily(text: str) -> Address | None:
    if _IPV4_DIGITS.fullmatch(text):
        return strict_address(_ZEROS.sub("", text))
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None
    return None if address.scope_id is not None else address.ipv4_mapped or address


# A dozen rules look at the same address one after the other.
_remembered_strictly = lru_cache(maxsize=4096)(_read_strictly)
_remembered_sloppily = lru_cache(maxsize=4096)(_read_sloppily)


def strict_network(text: str) -> Network | None:
    """Read a CIDR; None if the text is no CIDR, or one that programs read differently."""
    network = _network(text)
    return network if network is not None and strict_address(text.partition("/")[0]) == network[0] else None


def address_causes(field: str, text: str, stored: frozenset[str] = frozenset()) -> list[Cause]:
    """Refuse a text that is no strict address, unless it is stored already."""
    if text in stored or strict_address(text) is not None:
        return []
    lenient = sloppy_address(text)
    if lenient is None:
        return [invalid(field, text, "must be an IP address, such as 10.9.8.7 or 2001:db8::ffff")]
    return [invalid(field, text, f"must have no leading zeros and no IPv4 address inside IPv6: write {lenient}")]


def network_causes(field: str, text: str, stored: frozenset[str] = frozenset()) -> list[Cause]:
    """Refuse a text that is no strict CIDR, unless it is stored already."""
    if text in stored or strict_network(text) is not None:
        return []
    network = _network(text)
    if network is None:
        return [invalid(field, text, "must be a CIDR, such as 10.9.8.0/24 or 2001:db8::/64")]
    return [invalid(field, text, f"must have no bits beyond the prefix: write {network}, or a longer prefix")]


def address_warnings(field: str, text: str) -> list[str]:
    """Point out an address that other programs may read differently or rewrite."""
    strict = strict_address(text)
    if isinstance(strict, IPv4Address):  # the usual one, and there may be a hundred thousand of them
        return []
    address = strict or sloppy_address(text)
    if address is None:
        return []
    if strict is None:
        return [f"{field}: {text!r} means different addresses to different programs; write {address}"]
    if str(address) != text:
        return [f"{field}: {text!r} is not in the canonical form of RFC 5952, {address}; programs may rewrite it"]
    return []


def network_warnings(field: str, text: str) -> list[str]:
    """Point out a CIDR that other programs may read differently or rewrite."""
    head, _, prefix = text.partition("/")
    address = sloppy_address(head)
    network = None if address is None else _network(f"{address}/{_ZEROS.sub('', prefix)}")
    if address is None or network is None:
        return []
    warnings = []
    if address != network[0]:
        warnings.append(f"{field}: {text!r} has bits beyond its prefix; write {network}, or a longer prefix")
    if strict_address(head) is None or not _PREFIX.fullmatch(prefix):
        warnings.append(f"{field}: {text!r} means different addresses to different programs; write {network}")
    if not warnings and isinstance(network, IPv6Network) and str(network) != text:
        warnings.append(
            f"{field}: {text!r} is not in the canonical form of RFC 5952, {network}; programs may rewrite it"
        )
    return warnings


def endpoint_address_causes(field: str, text: str, *, loopback: bool = False) -> list[Cause]:
    """Refuse addresses that lead to no other machine (`externalIPs`, endpoint addresses).

    Args:
        field: Its path.
        text: The address.
        loopback: Whether loopback is allowed, since the only data plane is on loopback, too.
    """
    return [invalid(field, text, problem) for problem in elsewhere_problems(text, loopback=loopback)]


def elsewhere_problems(text: str, *, loopback: bool = False) -> list[str]:
    """Why an address leads to no other machine, each as the end of a sentence about it (ValidateNonSpecialIP).

    Args:
        text: The address.
        loopback: Whether loopback is allowed all the same.
    """
    address = sloppy_address(text)
    if address is None:
        return ["must be an IP address, such as 10.9.8.7 or 2001:db8::ffff"]
    problems: Sequence[tuple[bool, str]] = (
        (address.is_unspecified, "must not be the unspecified address"),
        (address.is_loopback and not loopback, "must not be a loopback address (127.0.0.0/8, ::1)"),
        (address.is_link_local, "must not be a link-local address (169.254.0.0/16, fe80::/10)"),
        (_is_link_local_multicast(address), "must not be a link-local multicast address (224.0.0.0/24, ff02::/16)"),
    )
    return [problem for applies, problem in problems if applies]


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """An address in canonical text; the text itself if it is no address. Remembered, since callers ask repeatedly."""
    if _CANONICAL_IPV4.fullmatch(text):
        return text
    address = sloppy_address(text)
    return text if address is None else str(address)


def reverse_name(text: str) -> str:
    """The name of an address in the reverse zones, with the dot at its end (RFC 1035, 3.5; RFC 3596, 2.5).

    Raises:
        ValueError: The text is no address.
    """
    if _CANONICAL_IPV4.fullmatch(text):
        return f"{'.'.join(reversed(text.split('.')))}.in-addr.arpa."
    address = sloppy_address(text)
    if address is None:
        raise ValueError(f"{text!r} is no address")
    return f"{address.reverse_pointer}."


def family_of(text: str) -> str:
    """`IPv4` or `IPv6`, or "" when the text is no address."""
    address = sloppy_address(text)
    return "" if address is None else f"IPv{address.version}"


def _is_link_local_multicast(address: Address) -> bool:
    """For IPv6 the scope is the fourth digit, whatever the flags before it (RFC 4291, section 2.7)."""
    if isinstance(address, IPv4Address):
        return address.packed[:3] == _LOCAL_MULTICAST_V4
    return address.is_multicast and address.packed[1] & 0x0F == _LINK_LOCAL_SCOPE


def _network(text: str) -> Network | None:
    """A CIDR without its host bits; None if the text is no CIDR."""
    head, slash, prefix = text.partition("/")
    address = strict_address(head)
    if not slash or address is None or not _PREFIX.fullmatch(prefix) or int(prefix) > address.max_prefixlen:
        return None
    return ip_network(text, strict=False)
