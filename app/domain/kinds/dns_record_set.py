"""DNSRecordSet (fairlead.io/v1): the records of one name and type, computed from a Service; read-only."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Int32, Wire, patch_key
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


class DNSRecordSetStatus(Wire):
    """Who serves the records. The state of each server is in the status of the DNSZone.

    Attributes:
        zone: The name of the zone that has the records; left out if no zone has them.
        servers: The servers that have the zone beside this one, by their addresses as the DNSZone has them. Of a zone
            that has a primary elsewhere, that alone.
        conditions: Served is True if a zone has the records.
    """

    zone: str = ""
    servers: Annotated[list[str], ATOMIC] | None = None
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class DNSRecordSet(KubeObject):
    """All records of one name and type."""

    spec: DNSRecordSetSpec = field(default_factory=DNSRecordSetSpec)
    status: DNSRecordSetStatus = field(default_factory=DNSRecordSetStatus)
