"""Claims on load balancer addresses, which several objects can hold together.

An address has a home: the namespace of the object that it was given to, or that keeps it. Only objects that name it as
an address of this namespace share it. Their ports are claimed one by one, so that each (address, protocol, port) is of
one object.
"""

from typing import Final

from app.domain.rules.claim import Claim

LB_ADDRESSES, LB_PORTS = "lb_addresses", "lb_ports"

OWN: Final = "own"
"""The role of the one object that was given the address, and lets others share it."""

ALONE: Final = "alone"
"""The role of an object that lets nobody share the address, since its one rule takes all ports."""

SHARED: Final = "shared"
"""The role of an object that asked for the address by itself or by name."""

STATIC: Final = "static"
"""The role of the StaticAddress that keeps the address for those who name it."""

KEPT: Final = "kept"
"""The role of an object that takes traffic at the address until it has another one: it holds it as it did before."""

NOBODYS_HOME = ""
"""The home of an address that is not from a pool: objects of all namespaces share it (azure-additional-public-ips)."""

How = tuple[str, str]
"""The home of an address, and the role of one of its holders."""


def address_claim(address: str, home: str, role: str, field: str) -> Claim:
    """The claim on an address, in canonical text."""
    return Claim(LB_ADDRESSES, f"{address}/{home}/{role}", field)


def claimed_address(key: str) -> str:
    """The address in the key of a claim on an address or on a port of one."""
    return key.partition("/")[0]


def how(key: str) -> How:
    """How the object that has this claim on an address holds it."""
    _, home, role = key.split("/")
    return home, role


def conflict(one: How, other: How) -> bool:
    """Whether two objects cannot hold an address in these two ways at the same time."""
    (home, role), (other_home, other_role) = one, other
    if home != other_home:
        return True
    roles = {role, other_role}
    return roles in ({OWN}, {STATIC}) or (ALONE in roles and STATIC not in roles)
