"""Endpoints (core/v1): the older kind, one object with all endpoints of a Service."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, PROTOCOL, Int32, Wire
from app.domain.kinds.meta import ObjectReference


class EndpointAddress(Wire):
    """The address of one endpoint.

    Attributes:
        ip: An IPv4 or IPv6 address that is neither loopback nor link-local.
        hostname: The first label of a DNS name, below that of the Service, that resolves to this address only.
        node_name: The node that the endpoint is on.
        target_ref: The object that has the address, usually a Pod.
    """

    required = ("ip",)

    ip: str = field(default_factory=str)
    hostname: str = ""
    node_name: str | None = None
    target_ref: ObjectReference | None = None


class EndpointPort(Wire):
    """A port that every address of a subset offers.

    Attributes:
        name: The name of the Service's port. Required when there are several ports.
        port: The number of the port.
        protocol: TCP, UDP or SCTP; TCP when left out.
        app_protocol: The application protocol, as in the Service.
    """

    required = ("port",)

    atomic = True

    name: str = ""
    port: Int32 = field(default_factory=int)
    protocol: Annotated[str, PROTOCOL] = ""
    app_protocol: str | None = None


class EndpointSubset(Wire):
    """Addresses that offer the same ports.

    Attributes:
        addresses: Addresses that are ready for traffic.
        not_ready_addresses: Addresses that are not ready yet, or no longer.
        ports: The ports that each address offers.
    """

    addresses: Annotated[list[EndpointAddress], ATOMIC] | None = None
    not_ready_addresses: Annotated[list[EndpointAddress], ATOMIC] | None = None
    ports: Annotated[list[EndpointPort], ATOMIC] | None = None


class Endpoints(KubeObject):
    """The endpoints of the Service of the same name.

    Attributes:
        subsets: Groups of addresses that offer the same ports. An address may be in several groups.
    """

    subsets: Annotated[list[EndpointSubset], ATOMIC] | None = None
