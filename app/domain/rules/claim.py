"""Something of which there is only one, and which one object holds."""

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """Something of which there is only one, held by one object through a unique row.

    Attributes:
        table: `cluster_ips`, `node_ports`, `lb_addresses` or `lb_ports`.
        key: Canonical text: an address, a port number, or `address/protocol/port`.
        field: Where the object shows it, for the error when somebody else holds it.
    """

    table: str
    key: str
    field: str = ""
