"""DNSRecordSet (fairlead.io/v1): the records of one name and type, computed from a Service; read-only."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Int32, Int64, Wire, patch_key
from app.domain.kinds.meta import Condition


class DNSRecordSetSpec(Wire):
    """The records.

    Attributes:
        name: The fully qualified name, with the trailing dot.
        type: `A`, `AAAA`, `CNAME`, `PTR`, `SRV` or `TXT`.
        ttl: Seconds that a resolver may keep the records.
        values: Record data in RFC 1035 presentation form; names in it are fully qualified.
    """

    required = ("name", "type", "ttl", "values")

    name: str = field(default_factory=str)
    type: str = field(default_factory=str)
    ttl: Int32 = field(default_factory=int)
    values: Annotated[list[str], ATOMIC] | None = None


class DNSServerStatus(Wire):
    """The state of the records at one DNS server.

    Attributes:
        name: The name of the server in the configuration.
        serial: The SOA serial of the zone from which on the server has the records of the spec.
    """

    required = ("name", "serial")

    name: str = field(default_factory=str)
    serial: Int64 = field(default_factory=int)


class DNSRecordSetStatus(Wire):
    """The servers that have the records. Empty while no server is configured.

    Attributes:
        servers: The state of the records at each server.
        conditions: Whether all servers have the records of the spec.
    """

    servers: Annotated[list[DNSServerStatus], patch_key("name")] | None = None
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class DNSRecordSet(KubeObject):
    """All records of one name and type."""

    spec: DNSRecordSetSpec = field(default_factory=DNSRecordSetSpec)
    status: DNSRecordSetStatus = field(default_factory=DNSRecordSetStatus)
