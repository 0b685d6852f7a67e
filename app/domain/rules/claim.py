"""Claims: what only one object can have, such as an address."""

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """Something that only one object can have. A unique row in the store records the holder.

    Attributes:
        table: The name of a claim table, as the store declares it: `cluster_ips`, `lb_ports`...
        key: What is claimed, in canonical text. Several parts are joined by "/": `192.0.2.1/TCP/80`. In a table that
            allows sharing, a key that ends in "/shared" lets other objects have the same.
        field: The field of the object that shows the value, for the error if another object has the claim.
    """

    table: str
    key: str
    field: str = ""
