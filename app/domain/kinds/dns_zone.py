"""DNSZone (fairlead.io/v1): a zone of the DNS, who has copies of it, and who may have names in it."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Int64, Wire, one_of, patch_key
from app.domain.kinds.meta import Condition, LabelSelector


class DNSServer(Wire):
    """A DNS server, and the key that messages to it and from it are signed with.

    Attributes:
        address: An IP address, perhaps with a port: 192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:5353. The port is 53
            when left out.
        tsig_key_name: The name of a key of --dns-tsig-key-file (TSIG, RFC 8945). Messages are not signed without it.
    """

    required = ("address",)

    address: str = field(default_factory=str)
    tsig_key_name: str = ""


class DNSTransferPermission(Wire):
    """Clients that may transfer the zone, beside its secondaries.

    Attributes:
        network: The CIDR of their addresses, such as 192.0.2.0/24.
        tsig_key_name: The name of the key with which they sign. Without it they need none.
    """

    required = ("network",)

    network: str = field(default_factory=str)
    tsig_key_name: str = ""


class DNSZoneSpec(Wire):
    """The zone.

    Attributes:
        name: The name of the zone, such as example.org. It cannot be changed.
        kind: cluster for the zone in which all Services have their names, reverse for the names of addresses, public
            for names that Services ask for. It cannot be changed.
        name_servers: The names of the servers of the zone, for its NS records; the first is also in its SOA record. By
            default it is ns.dns, in the zone.
        secondaries: Servers that have a copy of the zone. They are told of each change (NOTIFY, RFC 1996), may transfer
            the zone, and are asked for their serial.
        allow_transfer: Who else may transfer the zone.
        primary: For a public zone that another server has: that server. It gets the records as updates (RFC 2136), and
            this one does not answer for the zone.
        namespace_selector: For a public zone: labels of the namespaces whose Services may have names in it; every
            namespace when left out.
        location: For a public zone: a DNS label. The annotation service.beta.kubernetes.io/azure-dns-label-name, and
            the dnsLabel of a StaticAddress, give the name LABEL.LOCATION.NAME. Without it the zone has no such names.
    """

    required = ("name", "kind")

    name: str = field(default_factory=str)
    kind: Annotated[str, one_of("cluster", "reverse", "public")] = field(default_factory=str)
    name_servers: Annotated[list[str], ATOMIC] | None = None
    secondaries: Annotated[list[DNSServer], patch_key("address")] | None = None
    allow_transfer: Annotated[list[DNSTransferPermission], ATOMIC] | None = None
    primary: DNSServer | None = None
    namespace_selector: LabelSelector | None = None
    location: str = ""


class DNSZoneServer(Wire):
    """The state of one server of the zone.

    Attributes:
        address: As in the spec.
        serial: The serial that it answered last; 0 if it never did.
        state: Current, Behind, Unreachable or Refused.
        message: What it answered, or why it could not be asked, if it is not current.
    """

    required = ("address", "state")

    address: str = field(default_factory=str)
    serial: Int64 = 0
    state: str = field(default_factory=str)
    message: str = ""


class DNSZoneCheckpoint(Wire):
    """From what every process computes the serials of the zone: it and the changes after it.

    Attributes:
        revision: The resourceVersion that the checkpoint is about.
        serial: The serial of the zone as of this revision.
        offset: How much less than the resourceVersion of a change its serial is.
    """

    required = ("revision", "serial", "offset")

    revision: Int64 = field(default_factory=int)
    serial: Int64 = field(default_factory=int)
    offset: Int64 = field(default_factory=int)


class DNSZoneStatus(Wire):
    """Who has the zone.

    Attributes:
        serial: The serial of the zone, which its SOA record has. Updated about once a second.
        servers: The secondaries, or the primary, each with the serial that it has.
        checkpoint: From what serials are computed.
        conditions: Ready is True while names of the zone are answered here, or are sent to its primary. Synchronized is
            True while all of its servers have the serial.
    """

    serial: Int64 = 0
    servers: Annotated[list[DNSZoneServer], patch_key("address")] | None = None
    checkpoint: DNSZoneCheckpoint | None = None
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class DNSZone(KubeObject):
    """A zone of the DNS."""

    spec: DNSZoneSpec = field(default_factory=DNSZoneSpec)
    status: DNSZoneStatus = field(default_factory=DNSZoneStatus)
