"""The tables of claims. Each is declared here once; batches, readers, messages to clients and the schema follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from app.domain.rules.claim import Claim

SHARED = "/shared"
"""How a key ends whose owner lets others hold the same thing, in a table that can be shared."""


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column that is a part of a claim's key.

    Attributes:
        name: Of the column.
        type: Postgres' name of its type.
    """

    name: str
    type: Literal["inet", "integer", "text"]

    def distance(self, low: str, high: str) -> int:
        """How far it is from one value of the column to another."""
        return int(high) - int(low) if self.type == "integer" else int(ip_address(high)) - int(ip_address(low))


@dataclass(frozen=True, slots=True)
class ClaimTable:
    """A kind of thing of which there is only one each, and which one object holds.

    Attributes:
        name: Of the table.
        columns: What a thing is known by. A key is their texts, joined by "/" in this order.
        shown: The column whose value stands in the field of the object that claims it.
        taken: What a client is told when somebody else holds it. Columns stand in it by name, in braces.
        shareable: Whether several objects may hold the same thing. They may if the key of each ends in "/shared".
        ranged: The column by which free values are looked for in a range. It is the only column then.
    """

    name: str
    columns: tuple[KeyColumn, ...]
    shown: str
    taken: str
    shareable: bool = False
    ranged: KeyColumn | None = None

    def thing(self, key: str) -> str:
        """What a key claims: the same for everybody who claims it, shared or not."""
        return key.removesuffix(SHARED) if self.shareable else key

    def excludes(self, key: str, other: str) -> bool:
        """Whether two objects cannot hold these two keys at the same time."""
        if self.thing(key) != self.thing(other):
            return False
        return not (self.shareable and key.endswith(SHARED) and other.endswith(SHARED))

    def refusal(self, key: str) -> tuple[str | int, str]:
        """The value in the field of a client that may not have a claim, and what the client is told."""
        names = [column.name for column in self.columns]
        values = dict(zip(names, self.thing(key).split("/"), strict=True))
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
    # An address is one object's, but for those that several have asked for by name.
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
    ),
)

CLAIM_TABLES: Mapping[str, ClaimTable] = {table.name: table for table in _TABLES}
"""By name. When several claims of an object are held by others, the first in this order of tables is told."""


def thing(claim: Claim) -> tuple[str, str]:
    """What is claimed, whether it is shared or not: table and key."""
    return claim.table, CLAIM_TABLES[claim.table].thing(claim.key)


def exclude(claim: Claim, other: Claim) -> bool:
    """Whether two objects cannot hold these two claims at the same time."""
    return claim.table == other.table and CLAIM_TABLES[claim.table].excludes(claim.key, other.key)
