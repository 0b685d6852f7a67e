"""Service (core/v1): the whole model of Kubernetes 1.36, its columns and its declaration."""

from typing import Annotated

from msgspec import field

from app.domain.kinds.meta import ATOMIC, ATOMIC_MAP, Condition, Int32, KubeObject, Wire, api_default, patch_key


class ServicePort(Wire):
    """One port of a Service."""

    name: str = ""
    protocol: Annotated[str, api_default("TCP")] = ""
    app_protocol: str | None = None
    port: Int32 = 0
    target_port: Int32 | str | None = None
    node_port: Int32 = 0


class ClientIPConfig(Wire):
    """Seconds for which a client stays with its endpoint."""

    timeout_seconds: Int32 | None = None


class SessionAffinityConfig(Wire):
    """How session affinity works."""

    client_ip: ClientIPConfig | None = None


class ServiceSpec(Wire):
    """What the client wants, and what was chosen for it."""

    ports: Annotated[list[ServicePort], patch_key("port", "protocol")] | None = None
    selector: Annotated[dict[str, str], ATOMIC_MAP] | None = None
    cluster_ip: str = ""
    cluster_ips: Annotated[list[str], ATOMIC] | None = None
    type: str = ""
    external_ips: Annotated[list[str], ATOMIC] | None = None
    session_affinity: str = ""
    load_balancer_ip: str = ""
    load_balancer_source_ranges: Annotated[list[str], ATOMIC] | None = None
    external_name: str = ""
    external_traffic_policy: str = ""
    health_check_node_port: Int32 = 0
    publish_not_ready_addresses: bool = False
    session_affinity_config: SessionAffinityConfig | None = None
    ip_families: Annotated[list[str], ATOMIC] | None = None
    ip_family_policy: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    load_balancer_class: str | None = None
    internal_traffic_policy: str | None = None
    traffic_distribution: str | None = None


class PortStatus(Wire):
    """What became of one port at the load balancer."""

    port: Int32 = 0
    protocol: str = ""
    error: str | None = None


class LoadBalancerIngress(Wire):
    """One point at which the load balancer takes traffic."""

    ip: str = ""
    hostname: str = ""
    ip_mode: str | None = None
    ports: Annotated[list[PortStatus], ATOMIC] | None = None


class LoadBalancerStatus(Wire):
    """Where the load balancer takes traffic."""

    ingress: Annotated[list[LoadBalancerIngress], ATOMIC] | None = None


class ServiceStatus(Wire):
    """What was observed."""

    load_balancer: LoadBalancerStatus = field(default_factory=LoadBalancerStatus)
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class Service(KubeObject):
    """A name, addresses and ports for a set of endpoints."""

    spec: ServiceSpec = field(default_factory=ServiceSpec)
    status: ServiceStatus = field(default_factory=ServiceStatus)
