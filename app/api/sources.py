"""Sources: whoever sends from an address, before it is known who that is."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

_IPV6_SITE_BITS = 64
"""One customer has that many addresses."""


@lru_cache(maxsize=1024)
def source_of(address: str) -> str:
    """Whoever has an address: with IPv6 they have many."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(found.packed[: _IPV6_SITE_BITS // 8].hex())
    return str(found)
