"""Defaults of a Service, the same on create and on update.

They depend neither on the cluster nor on the stored object. IP families are in `families.py`, values that an update
keeps in `transitions.py`, addresses and ports in `allocation.py`.
"""

from app.domain.kinds.service import ClientIPConfig, Service, ServicePort, ServiceSpec, SessionAffinityConfig
from app.domain.rules.service.needs import (
    CLIENT_IP,
    CLUSTER,
    CLUSTER_IP,
    EXTERNAL_NAME,
    LOAD_BALANCER,
    NO_AFFINITY,
    TRAFFIC_POLICIES,
    is_external,
    is_proxied,
)

DEFAULT_AFFINITY_SECONDS = 10800
"""Three hours."""


def apply_defaults(service: Service) -> None:
    """Set the fields that the client left out, in place. A second call changes nothing."""
    spec = service.spec
    spec.type = spec.type or CLUSTER_IP
    _default_affinity(spec)
    for port in spec.ports or []:
        _default_port(port)
    _default_traffic_policies(spec)
    if spec.type == LOAD_BALANCER:
        _default_load_balancer(service)


def _default_affinity(spec: ServiceSpec) -> None:
    """`sessionAffinity` None has no configuration; ClientIP has a timeout (spec.sessionAffinityConfig)."""
    spec.session_affinity = spec.session_affinity or NO_AFFINITY
    if spec.session_affinity == NO_AFFINITY:
        spec.session_affinity_config = None
    elif spec.session_affinity == CLIENT_IP:
        config = spec.session_affinity_config
        if config is None or config.client_ip is None or config.client_ip.timeout_seconds is None:
            spec.session_affinity_config = SessionAffinityConfig(ClientIPConfig(DEFAULT_AFFINITY_SECONDS))


def _default_port(port: ServicePort) -> None:
    """The protocol is TCP, and the target port has the same number."""
    port.protocol = port.protocol or "TCP"
    if not port.target_port:
        port.target_port = port.port


def _default_traffic_policies(spec: ServiceSpec) -> None:
    """Traffic may go to any node, if the policy applies to the type (KEP-2086, spec.externalTrafficPolicy).

    An ExternalName Service has no internal policy, not even one that the client sends. Validation refuses a wrong one.
    """
    if is_external(spec) and not spec.external_traffic_policy:
        spec.external_traffic_policy = CLUSTER
    if spec.internal_traffic_policy is None and is_proxied(spec):
        spec.internal_traffic_policy = CLUSTER
    if spec.type == EXTERNAL_NAME and spec.internal_traffic_policy in TRAFFIC_POLICIES:
        spec.internal_traffic_policy = None


def _default_load_balancer(service: Service) -> None:
    """It has node ports (KEP-1864), and the mode of its addresses is VIP (KEP-1860)."""
    if service.spec.allocate_load_balancer_node_ports is None:
        service.spec.allocate_load_balancer_node_ports = True
    for point in service.status.load_balancer.ingress or []:
        if point.ip and point.ip_mode is None:
            point.ip_mode = "VIP"
