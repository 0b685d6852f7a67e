"""Kubernetes' functions on addresses and CIDRs (the IP and CIDR libraries)."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from app.domain.expressions.functions import Function, member, tagged, untagged
from app.domain.rules.addresses import Address, strict_address

Network = IPv4Network | IPv6Network
_LOCAL_MULTICAST = (ip_network("224.0.0.0/24"), ip_network("ff02::/16"))


def _read(text: str) -> Address:
    address = strict_address(text)
    if address is None:
        raise ValueError(f"IP Address {text!r} parse error during conversion from string: it is no strict IP address")
    return address


def _ip(text: str) -> dict[str, Any]:
    return tagged("ip", text=str(_read(text)))


def _address(value: dict[str, Any]) -> Address:
    return _read(untagged("ip", value)["text"])


def _is_ip(text: str) -> bool:
    return strict_address(text) is not None


def _is_canonical(text: str) -> bool:
    return str(_read(text)) == text


def _is_link_local_multicast(address: Address) -> bool:
    return any(address in each for each in _LOCAL_MULTICAST if each.version == address.version)


def _is_global_unicast(address: Address) -> bool:
    """As Go's netip.Addr.IsGlobalUnicast: private addresses are global, too."""
    broadcast = address.version == 4 and address.packed == b"\xff" * 4  # noqa: PLR2004 - a version
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not (special or broadcast)


def _network(text: str) -> Network:
    head, slash, prefix = text.partition("/")
    address = strict_address(head)
    if address is None or not slash or not prefix.isdecimal() or int(prefix) > address.max_prefixlen:
        raise ValueError(f"network address parse error during conversion from string: {text!r} is no CIDR")
    return ip_network(text, strict=False)


def _cidr(text: str) -> dict[str, Any]:
    _network(text)
    return tagged("cidr", text=text)


def _is_cidr(text: str) -> bool:
    try:
        _network(text)
    except ValueError:
        return False
    return True


def _of(cidr: dict[str, Any]) -> Network:
    return _network(untagged("cidr", cidr)["text"])


def _contains_ip(cidr: dict[str, Any], other: Any) -> bool:
    address, network = _read(other) if isinstance(other, str) else _address(other), _of(cidr)
    return address.version == network.version and address in network


def _contains_cidr(cidr: dict[str, Any], other: Any) -> bool:
    inner, outer = _network(other) if isinstance(other, str) else _of(other), _of(cidr)
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # both are of one version


def _masked(cidr: dict[str, Any]) -> dict[str, Any]:
    return tagged("cidr", text=str(_of(cidr)))


def _ip_of(cidr: dict[str, Any]) -> dict[str, Any]:
    return _ip(untagged("cidr", cidr)["text"].partition("/")[0])


def _family(address: dict[str, Any]) -> int:
    return _address(address).version


def _prefix(cidr: dict[str, Any]) -> int:
    return _of(cidr).prefixlen


NETWORKS = (
    Function("isIP", ("string",), "bool", _is_ip),
    Function("ip", ("string",), "map", _ip),
    Function("ip.isCanonical", ("string",), "bool", _is_canonical),
    member("family", ("map",), "int", _family),
    member("isUnspecified", ("map",), "bool", lambda value: _address(value).is_unspecified),
    member("isLoopback", ("map",), "bool", lambda value: _address(value).is_loopback),
    member("isLinkLocalUnicast", ("map",), "bool", lambda value: _address(value).is_link_local),
    member("isLinkLocalMulticast", ("map",), "bool", lambda value: _is_link_local_multicast(_address(value))),
    member("isGlobalUnicast", ("map",), "bool", lambda value: _is_global_unicast(_address(value))),
    Function("isCIDR", ("string",), "bool", _is_cidr),
    Function("cidr", ("string",), "map", _cidr),
    member("containsIP", ("map", "map"), "bool", _contains_ip),
    member("containsIP", ("map", "string"), "bool", _contains_ip),
    member("containsCIDR", ("map", "string"), "bool", _contains_cidr),
    member("containsCIDR", ("map", "map"), "bool", _contains_cidr),
    member("ip", ("map",), "map", _ip_of),
    member("masked", ("map",), "map", _masked),
    member("prefixLength", ("map",), "int", _prefix),
)
