"""The claims of a Service. Each claim is a unique row, so that no other object can have the same value."""

from app.domain.kinds.service import Service
from app.domain.rules.addresses import canonical, family_of
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.annotations import ADDITIONAL_ADDRESSES, annotation_field
from app.domain.rules.service.load_balancer_wish import LoadBalancerWish, is_ours, wish_of
from app.domain.rules.service.needs import ingress_addresses, is_headless, needs_cluster_ip, needs_node_ports


def claims(service: Service, cluster: Cluster) -> tuple[Claim, ...]:
    """All claims of a Service, each with the field that an error names."""
    return (*_cluster_ips(service), *_node_ports(service), *_frontends(service, cluster))


def _cluster_ips(service: Service) -> list[Claim]:
    if not needs_cluster_ip(service.spec) or is_headless(service.spec):
        return []
    return [Claim("cluster_ips", canonical(address), "spec.clusterIPs") for address in service.spec.cluster_ips or []]


def _node_ports(service: Service) -> list[Claim]:
    """Ports that share a node port have one claim. Types without node ports have none, whatever numbers are stored."""
    found: dict[int, str] = {}
    if not needs_node_ports(service.spec):
        return []
    for index, port in enumerate(service.spec.ports or []):
        if port.node_port:
            found.setdefault(port.node_port, f"spec.ports[{index}].nodePort")
    if service.spec.health_check_node_port:
        found.setdefault(service.spec.health_check_node_port, "spec.healthCheckNodePort")
    return [Claim("node_ports", str(number), field) for number, field in found.items()]


def _frontends(service: Service, cluster: Cluster) -> list[Claim]:
    """Services can share an address that they ask for, with different ports. Any other address is of one Service."""
    if not is_ours(service, cluster):
        return []
    wish = wish_of(service)
    asked = _asked_addresses(service, wish)
    addresses = dict.fromkeys([*asked, *map(canonical, ingress_addresses(service))])
    result = []
    for address in addresses:
        field = asked.get(address, "status.loadBalancer.ingress")
        shared = address in asked and not wish.high_availability_ports
        result.append(Claim("lb_addresses", f"{address}/shared" if shared else address, field))
        for index, port in enumerate(service.spec.ports or []):
            where = f"spec.ports[{index}].port" if address in asked else field
            result.append(Claim("lb_ports", f"{address}/{port.protocol}/{port.port}", where))
    return result


def _asked_addresses(service: Service, wish: LoadBalancerWish) -> dict[str, str]:
    """Each address that the client asks for, with the field that asks for it."""
    found = dict.fromkeys(wish.additional_addresses, annotation_field(ADDITIONAL_ADDRESSES))
    for family in service.spec.ip_families or []:
        asked = wish.asked.get(family)
        if asked is not None:
            named = [address for address in ingress_addresses(service) if family_of(address) == family]
            found |= dict.fromkeys([asked.address] if asked.address else map(canonical, named), asked.field)
    return found
