"""DNSRecordSet (fairlead.io/v1): one name's records of one type, computed from a Service; read-only."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Int32, Int64, Wire, patch_key
from app.domain.kinds.meta import Condition


class DNSRecordSetSpec(Wire):
    """The records.

    Attributes:
        name: Fully qualified, with the trailing dot.
        type: `A`, `AAAA`, `CNAME`, `PTR`, `SRV` or `TXT`.
        ttl: Seconds a resolver may keep them.
        values: Record data in RFC 1035 presentation form; names in it are fully qualified.
    """

    required = ("name", "type", "ttl", "values")

    name: str = field(default_factory=str)
    type: str = field(default_factory=str)
    ttl: Int32 = field(default_factory=int)
    values: Annotated[list[str], ATOMIC] | None = None


class DNSServerStatus(Wire):
    """What one DNS server answers.

    Attributes:
        name: The server, as configured.
        serial: SOA serial of the zone at which it answers the records of the spec.
    """

    required = ("name", "serial")

    name: str = field(default_factory=str)
    serial: Int64 = field(default_factory=int)


class DNSRecordSetStatus(Wire):
    """Which servers answer the records; empty while no server is configured.

    Attributes:
        servers: What each server answers.
        conditions: Whether all of them answer what the spec says.
    """

    servers: Annotated[list[DNSServerStatus], patch_key("name")] | None = None
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class DNSRecordSet(KubeObject):
    """All records of one name and type."""

    spec: DNSRecordSetSpec = field(default_factory=DNSRecordSetSpec)
    status: DNSRecordSetStatus = field(default_factory=DNSRecordSetStatus)
