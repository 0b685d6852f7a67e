"""EndpointSlice (discovery.k8s.io/v1): some of the endpoints of a Service."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, PROTOCOL, Int32, Wire, null, one_of
from app.domain.kinds.meta import ObjectReference

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
"""Label that names the Service a slice belongs to."""


class EndpointConditions(Wire):
    """The state of one endpoint. A condition that is left out is unknown; readers take it as ready and serving.

    Attributes:
        ready: Whether the endpoint takes new connections. False while the endpoint terminates, unless the Service has
            `publishNotReadyAddresses`.
        serving: Whether the endpoint can take connections, terminating or not.
        terminating: Whether the endpoint is terminating.
    """

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ForZone(Wire):
    """A zone whose traffic should go to the endpoint.

    Attributes:
        name: Of the zone.
    """

    required = ("name",)

    name: str = field(default_factory=str)


class ForNode(Wire):
    """A node whose traffic should go to the endpoint.

    Attributes:
        name: Of the node.
    """

    required = ("name",)

    name: str = field(default_factory=str)


class EndpointHints(Wire):
    """Which clients should use the endpoint (KEP-2433, KEP-4444).

    Attributes:
        for_zones: The zones whose clients should use it, at most 8.
        for_nodes: The nodes whose clients should use it, at most 8.
    """

    for_zones: Annotated[list[ForZone], ATOMIC] | None = None
    for_nodes: Annotated[list[ForNode], ATOMIC] | None = None


class Endpoint(Wire):
    """One endpoint, usually a Pod.

    Attributes:
        addresses: 1 to 100 addresses of the endpoint, of the slice's address type. Readers use the first.
        conditions: The state of the endpoint.
        hostname: The first label of a DNS name, below that of the Service, that resolves to this endpoint only.
        target_ref: The object that the endpoint stands for, usually a Pod.
        deprecated_topology: Labels of the older API; read-only.
        node_name: The node that the endpoint is on.
        zone: The zone that the endpoint is in.
        hints: Which clients should use the endpoint.
    """

    required = ("addresses",)

    addresses: Annotated[list[str], ATOMIC] | None = field(default_factory=null)
    conditions: EndpointConditions = field(default_factory=EndpointConditions)
    hostname: str | None = None
    target_ref: ObjectReference | None = None
    deprecated_topology: dict[str, str] | None = None
    node_name: str | None = None
    zone: str | None = None
    hints: EndpointHints | None = None


class EndpointPort(Wire):
    """A port that every endpoint of the slice offers.

    Attributes:
        name: The name of the Service's port, unique in the slice.
        protocol: TCP, UDP or SCTP; TCP when left out.
        port: The number of the port; any port when left out.
        app_protocol: The application protocol, as in the Service.
    """

    name: str | None = None
    protocol: Annotated[str, PROTOCOL] | None = None
    port: Int32 | None = None
    app_protocol: str | None = None


class EndpointSlice(KubeObject):
    """At most 1,000 endpoints of one address type that offer the same ports.

    Attributes:
        address_type: IPv4, IPv6 or FQDN. It cannot be changed.
        endpoints: The endpoints, at most 1000.
        ports: The ports that each endpoint offers, at most 100.
    """

    required = ("address_type", "endpoints")

    address_type: Annotated[str, one_of("IPv4", "IPv6", "FQDN")] = field(default_factory=str)
    endpoints: Annotated[list[Endpoint], ATOMIC] | None = field(default_factory=null)
    ports: Annotated[list[EndpointPort], ATOMIC] | None = field(default_factory=null)
