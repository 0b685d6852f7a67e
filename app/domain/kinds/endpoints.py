"""Endpoints (core/v1): the older, single object with everything behind a Service."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Int32, Wire
from app.domain.kinds.meta import ObjectReference


class EndpointAddress(Wire):
    """One backend's address.

    Attributes:
        ip: IPv4 or IPv6; neither loopback nor link-local.
        hostname: The DNS name below the Service's own that leads to this address alone.
        node_name: The node it is on.
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
        name: The Service port's name; needed as soon as there are two ports.
        port: Its number.
        protocol: TCP, UDP or SCTP; TCP when left out.
        app_protocol: What is spoken on it, as in the Service.
    """

    required = ("port",)

    atomic = True

    name: str = ""
    port: Int32 = field(default_factory=int)
    protocol: str = ""
    app_protocol: str | None = None


class EndpointSubset(Wire):
    """Addresses that offer the same ports.

    Attributes:
        addresses: Those that take traffic.
        not_ready_addresses: Those that do not, yet or any more.
        ports: What each address offers.
    """

    addresses: Annotated[list[EndpointAddress], ATOMIC] | None = None
    not_ready_addresses: Annotated[list[EndpointAddress], ATOMIC] | None = None
    ports: Annotated[list[EndpointPort], ATOMIC] | None = None


class Endpoints(KubeObject):
    """Everything behind the Service of the same name.

    Attributes:
        subsets: Groups of addresses, each with the ports they offer; an address may be in several.
    """

    subsets: Annotated[list[EndpointSubset], ATOMIC] | None = None
