"""What a Service needs, by its type and settings. Defaulting, validation, transitions and allocation ask for it."""

from app.domain.kinds.service import Service, ServicePort, ServiceSpec

CLUSTER_IP, NODE_PORT, LOAD_BALANCER, EXTERNAL_NAME = "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"
TYPES = (CLUSTER_IP, EXTERNAL_NAME, LOAD_BALANCER, NODE_PORT)
NONE = "None"
"""The clusterIP of a headless Service."""

CLIENT_IP, NO_AFFINITY = "ClientIP", "None"
CLUSTER, LOCAL = "Cluster", "Local"
TRAFFIC_POLICIES = (CLUSTER, LOCAL)
SINGLE_STACK, PREFER_DUAL_STACK, REQUIRE_DUAL_STACK = "SingleStack", "PreferDualStack", "RequireDualStack"


def is_proxied(spec: ServiceSpec) -> bool:
    """Whether kube-proxy serves Services of the type."""
    return spec.type in (CLUSTER_IP, NODE_PORT, LOAD_BALANCER)


def is_headless(spec: ServiceSpec) -> bool:
    """Whether the client asked for no ClusterIP (`spec.clusterIP: None`)."""
    return spec.cluster_ips == [NONE]


def needs_cluster_ip(spec: ServiceSpec) -> bool:
    """Whether the type has a ClusterIP; `None` counts as one."""
    return spec.type != EXTERNAL_NAME


def needs_node_ports(spec: ServiceSpec) -> bool:
    """Whether the type may have node ports."""
    return spec.type in (NODE_PORT, LOAD_BALANCER)


def allocates_node_ports(spec: ServiceSpec) -> bool:
    """Whether ports without a nodePort get one (KEP-1864: a LoadBalancer can have none)."""
    if spec.type == LOAD_BALANCER:
        return spec.allocate_load_balancer_node_ports is not False
    return spec.type == NODE_PORT


def is_external(spec: ServiceSpec) -> bool:
    """Whether traffic from outside reaches the Service, so that `externalTrafficPolicy` has a meaning."""
    return needs_node_ports(spec) or (spec.type == CLUSTER_IP and bool(spec.external_ips))


def needs_health_check_node_port(spec: ServiceSpec) -> bool:
    """Whether a load balancer probes each node for local endpoints (`externalTrafficPolicy: Local`)."""
    return spec.type == LOAD_BALANCER and spec.external_traffic_policy == LOCAL


def missing_cluster_ip_families(spec: ServiceSpec) -> list[str]:
    """The families of `ipFamilies` whose ClusterIP has not been chosen yet."""
    if not needs_cluster_ip(spec) or is_headless(spec):
        return []
    return (spec.ip_families or [])[len(spec.cluster_ips or []) :]


def missing_node_ports(spec: ServiceSpec) -> list[ServicePort]:
    """The ports whose nodePort has not been chosen yet."""
    return [port for port in spec.ports or [] if not port.node_port] if allocates_node_ports(spec) else []


def lacks_health_check_node_port(spec: ServiceSpec) -> bool:
    """Whether `healthCheckNodePort` has not been chosen yet."""
    return needs_health_check_node_port(spec) and not spec.health_check_node_port


def ingress_addresses(service: Service) -> list[str]:
    """The addresses at which a load balancer takes traffic for the Service."""
    return [item.ip for item in service.status.load_balancer.ingress or [] if item.ip]
