"""EndpointSlice (discovery.k8s.io/v1): some of the endpoints behind a Service."""

from typing import Annotated

from msgspec import field

from app.domain.kinds.meta import ATOMIC, Int32, KubeObject, ObjectReference, Wire, null

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
"""Label that names the Service a slice belongs to."""


class EndpointConditions(Wire):
    """What is known of one endpoint; None means unknown, which readers take as ready and serving."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ForZone(Wire):
    """A zone whose traffic should go to the endpoint."""

    name: str = ""


class ForNode(Wire):
    """A node whose traffic should go to the endpoint."""

    name: str = ""


class EndpointHints(Wire):
    """Where the endpoint should be used (KEP-2433, KEP-4444)."""

    for_zones: Annotated[list[ForZone], ATOMIC] | None = None
    for_nodes: Annotated[list[ForNode], ATOMIC] | None = None


class Endpoint(Wire):
    """One backend: usually a Pod."""

    addresses: Annotated[list[str], ATOMIC] | None = field(default_factory=null)
    conditions: EndpointConditions = field(default_factory=EndpointConditions)
    hostname: str | None = None
    target_ref: ObjectReference | None = None
    deprecated_topology: dict[str, str] | None = None
    node_name: str | None = None
    zone: str | None = None
    hints: EndpointHints | None = None


class EndpointPort(Wire):
    """A port that every endpoint of the slice offers; `port` None means any."""

    name: str | None = None
    protocol: str | None = None
    port: Int32 | None = None
    app_protocol: str | None = None


class EndpointSlice(KubeObject):
    """At most 1,000 endpoints of one address type that offer the same ports."""

    address_type: str = ""
    endpoints: Annotated[list[Endpoint], ATOMIC] | None = field(default_factory=null)
    ports: Annotated[list[EndpointPort], ATOMIC] | None = field(default_factory=null)
