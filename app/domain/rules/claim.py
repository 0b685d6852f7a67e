"""Something of which there is only one, and which one object holds."""

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """Something of which there is only one, held by one object through a unique row.

    Attributes:
        table: The name of a claim table, as the store declares it: `cluster_ips`, `lb_ports`...
        key: What is claimed, in canonical text. Several parts are joined by "/": `192.0.2.1/TCP/80`. In a table whose
            things can be shared, "/shared" at the end lets others hold the same.
        field: Where the object shows it, for the error when somebody else holds it.
    """

    table: str
    key: str
    field: str = ""
