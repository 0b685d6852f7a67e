"""The tables of claims, each declared once. Batches, readers, messages and the schema follow from that."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from app.domain.rules.address_claims import conflict, how
from app.domain.rules.claim import Claim


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column that is a part of a claim's key.

    Attributes:
        name: Name of the column.
        type: Postgres' name of its type.
    """

    name: str
    type: Literal["inet", "integer", "text"]

    def distance(self, low: str, high: str) -> int:
        """The distance between two values of the column."""
        return int(high) - int(low) if self.type == "integer" else int(ip_address(high)) - int(ip_address(low))


@dataclass(frozen=True, slots=True)
class ClaimTable:
    """A table of things that are unique, such as addresses. Each thing has one holder.

    Attributes:
        name: Name of the table.
        columns: The columns that identify a thing. A key is their texts in this order, joined by "/".
        shown: The column whose value the claiming object has in its field.
        taken: The message to a client when another object holds the thing. Names of columns in braces are replaced by
            their values.
        shareable: Whether several objects may hold the same thing. Its keys go on with the home of the thing and the
            role of the object; see `app/domain/rules/address_claims.py`.
        recorded: Whether the store remembers who held a thing, and from when to when.
        ranged: The column in which free values of a range are looked for. The table has no other column then.
    """

    name: str
    columns: tuple[KeyColumn, ...]
    shown: str
    taken: str
    shareable: bool = False
    ranged: KeyColumn | None = None
    recorded: bool = True

    def thing(self, key: str) -> str:
        """The thing that a key claims, in whatever role."""
        return "/".join(self.values(key)) if self.shareable else key

    def values(self, key: str) -> list[str]:
        """The value of each column in a key."""
        return key.split("/")[: len(self.columns)]

    def excludes(self, key: str, other: str) -> bool:
        """Whether two objects cannot hold these two keys at the same time."""
        if self.thing(key) != self.thing(other):
            return False
        return not self.shareable or conflict(how(key), how(other))

    def refusal(self, key: str) -> tuple[str | int, str]:
        """The value that a client may not have, and the message to the client."""
        names = [column.name for column in self.columns]
        values = dict(zip(names, self.values(key), strict=True))
        shown = next(column for column in self.columns if column.name == self.shown)
        value = values[self.shown]
        return int(value) if shown.type == "integer" else value, self.taken.format_map(values)


_ADDRESS = KeyColumn("address", "inet")
_PORT = KeyColumn("port", "integer")

_TABLES = (
    ClaimTable(
        "cluster_ips",
        (_ADDRESS,),
        shown="address",
        taken="provided IP is already allocated",
        ranged=_ADDRESS,
    ),
    ClaimTable(
        "node_ports",
        (_PORT,),
        shown="port",
        taken="provided port is already allocated",
        ranged=_PORT,
    ),
    # An address has one holder, unless other objects have asked for it by name.
    ClaimTable(
        "lb_addresses",
        (_ADDRESS,),
        shown="address",
        taken="the address is already in use as a load balancer's",
        shareable=True,
        ranged=_ADDRESS,
    ),
    ClaimTable(
        "lb_ports",
        (_ADDRESS, KeyColumn("protocol", "text"), _PORT),
        shown="port",
        taken="{protocol} port {port} of load balancer address {address} is already in use",
    ),
    ClaimTable(
        "dns_labels",
        (KeyColumn("zone", "text"), KeyColumn("label", "text")),
        shown="label",
        taken="the label is already in use in zone {zone}",
        recorded=False,
    ),
)

CLAIM_TABLES: Mapping[str, ClaimTable] = {table.name: table for table in _TABLES}
"""By name. When several claims of an object are held by others, the first in this order of tables is told."""


def thing(claim: Claim) -> tuple[str, str]:
    """The thing that is claimed, in whatever role: table and key."""
    return claim.table, CLAIM_TABLES[claim.table].thing(claim.key)


def exclude(claim: Claim, other: Claim) -> bool:
    """Whether two objects cannot hold these two claims at the same time."""
    return claim.table == other.table and CLAIM_TABLES[claim.table].excludes(claim.key, other.key)
