"""EndpointSlice (discovery.k8s.io/v1): some of the endpoints behind a Service."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Int32, Wire, null
from app.domain.kinds.meta import ObjectReference

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
"""Label that names the Service a slice belongs to."""


class EndpointConditions(Wire):
    """What is known of one endpoint; None means unknown, which readers take as ready and serving.

    Attributes:
        ready: Whether it takes new connections; never while it ends, unless the Service publishes what is not ready.
        serving: Whether it could take connections, ending or not.
        terminating: Whether it is ending.
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
    """Where the endpoint should be used (KEP-2433, KEP-4444).

    Attributes:
        for_zones: The zones that should use it, at most 8.
        for_nodes: The nodes that should use it, at most 8.
    """

    for_zones: Annotated[list[ForZone], ATOMIC] | None = None
    for_nodes: Annotated[list[ForNode], ATOMIC] | None = None


class Endpoint(Wire):
    """One backend: usually a Pod.

    Attributes:
        addresses: Of the slice's address type, 1 to 100 that lead to the same backend; readers use the first.
        conditions: Whether it takes traffic.
        hostname: The DNS name below the Service's own that leads to this endpoint alone.
        target_ref: The object that it stands for, usually a Pod.
        deprecated_topology: Labels of the older API; read-only.
        node_name: The node it is on.
        zone: The zone it is in.
        hints: Where it should be used.
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
    """A port that every endpoint of the slice offers; `port` None means any.

    Attributes:
        name: The Service port's name; unique in the slice.
        protocol: TCP, UDP or SCTP; TCP when left out.
        port: Its number; any when left out.
        app_protocol: What is spoken on it, as in the Service.
    """

    name: str | None = None
    protocol: str | None = None
    port: Int32 | None = None
    app_protocol: str | None = None


class EndpointSlice(KubeObject):
    """At most 1,000 endpoints of one address type that offer the same ports.

    Attributes:
        address_type: IPv4, IPv6 or FQDN; stays.
        endpoints: The backends, at most 1000.
        ports: What each endpoint offers, at most 100 ports.
    """

    required = ("address_type", "endpoints")

    address_type: str = field(default_factory=str)
    endpoints: Annotated[list[Endpoint], ATOMIC] | None = field(default_factory=null)
    ports: Annotated[list[EndpointPort], ATOMIC] | None = field(default_factory=null)
