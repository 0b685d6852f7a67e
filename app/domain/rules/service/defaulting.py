"""What a Service is given when the client leaves it out; the same on create and on update.

Only what does not depend on the cluster or on the stored object stands here: IP families are in `families.py`, what an
update carries over in `transitions.py`, addresses and ports in `allocation.py`.
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
    """Fill in what the client left out, in place; doing it twice changes nothing."""
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
    """A port is TCP and leads to the same number behind the Service."""
    port.protocol = port.protocol or "TCP"
    if not port.target_port:
        port.target_port = port.port


def _default_traffic_policies(spec: ServiceSpec) -> None:
    """Traffic may go to any node, where a policy applies at all (KEP-2086, spec.externalTrafficPolicy).

    An alias never shows an internal policy, not even one that the client sends; a misspelt one is left to validation.
    """
    if is_external(spec) and not spec.external_traffic_policy:
        spec.external_traffic_policy = CLUSTER
    if spec.internal_traffic_policy is None and is_proxied(spec):
        spec.internal_traffic_policy = CLUSTER
    if spec.type == EXTERNAL_NAME and spec.internal_traffic_policy in TRAFFIC_POLICIES:
        spec.internal_traffic_policy = None


def _default_load_balancer(service: Service) -> None:
    """It gets node ports (KEP-1864), and an address at which it takes traffic is its own (KEP-1860)."""
    if service.spec.allocate_load_balancer_node_ports is None:
        service.spec.allocate_load_balancer_node_ports = True
    for point in service.status.load_balancer.ingress or []:
        if point.ip and point.ip_mode is None:
            point.ip_mode = "VIP"
