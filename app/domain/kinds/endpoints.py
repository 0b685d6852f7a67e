"""Endpoints (core/v1): the older, single object with everything behind a Service."""

from typing import Annotated

from msgspec import field

from app.domain.kinds.meta import ATOMIC, Int32, KubeObject, ObjectReference, Wire


class EndpointAddress(Wire):
    """One backend's address."""

    ip: str = field(default_factory=str)
    hostname: str = ""
    node_name: str | None = None
    target_ref: ObjectReference | None = None


class EndpointPort(Wire):
    """A port that every address of a subset offers."""

    atomic = True

    name: str = ""
    port: Int32 = field(default_factory=int)
    protocol: str = ""
    app_protocol: str | None = None


class EndpointSubset(Wire):
    """Addresses that offer the same ports."""

    addresses: Annotated[list[EndpointAddress], ATOMIC] | None = None
    not_ready_addresses: Annotated[list[EndpointAddress], ATOMIC] | None = None
    ports: Annotated[list[EndpointPort], ATOMIC] | None = None


class Endpoints(KubeObject):
    """Everything behind the Service of the same name."""

    subsets: Annotated[list[EndpointSubset], ATOMIC] | None = None
