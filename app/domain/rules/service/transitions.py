"""The fields that an update of a Service keeps, restores and drops, by its old and new type.

A client may leave out values that the server chose. A change of type drops values that the new type does not have. A
value that the client itself changes is not touched here; validation says what is wrong with it.

| transition | what happens |
|---|---|
| any update that leaves out clusterIP(s) | they stay, as long as both types have them |
| any update that leaves out a nodePort | it stays, by port name, unless the new object uses that number elsewhere |
| any update that leaves out healthCheckNodePort | it stays, as long as it is needed |
| to ExternalName | clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy go |
| NodePort or LoadBalancer to ClusterIP or ExternalName | node ports go, unless one of them is new |
| out of LoadBalancer, or externalTrafficPolicy no longer Local | healthCheckNodePort goes |
| LoadBalancer to another type | allocateLoadBalancerNodePorts, loadBalancerClass and status.loadBalancer go |
| no longer reachable from outside | externalTrafficPolicy goes |
| allocateLoadBalancerNodePorts true to false | node ports stay until the client zeroes them |
"""

from app.domain.kinds.service import LoadBalancerStatus, Service, ServiceSpec
from app.domain.rules.service.needs import (
    LOAD_BALANCER,
    allocates_node_ports,
    is_external,
    needs_cluster_ip,
    needs_health_check_node_port,
    needs_node_ports,
)


def restore_chosen_values(new: ServiceSpec, old: ServiceSpec) -> None:
    """Restore values that the server chose and the client left out, in place.

    So a client can send the manifest that created the Service again.
    """
    if needs_cluster_ip(old) and needs_cluster_ip(new):
        new.cluster_ip = new.cluster_ip or old.cluster_ip
        new.cluster_ips = new.cluster_ips or old.cluster_ips
    if allocates_node_ports(old) and allocates_node_ports(new):
        _restore_node_ports(new, old)
    if needs_health_check_node_port(old) and needs_health_check_node_port(new):
        new.health_check_node_port = new.health_check_node_port or old.health_check_node_port


def _restore_node_ports(new: ServiceSpec, old: ServiceSpec) -> None:
    """Ports get their nodePort back by name, unless another port of the new object has that number."""
    taken = node_port_numbers(old) & node_port_numbers(new)
    by_name = {port.name: port.node_port for port in old.ports or []}
    for port in new.ports or []:
        before = by_name.get(port.name, 0)
        if not port.node_port and before not in taken:
            port.node_port = before


def drop_what_the_type_forbids(new: Service, old: Service) -> None:
    """Drop values that the new type does not have and the client did not change, in place."""
    _drop_cluster_ips(new.spec, old.spec)
    _drop_node_ports(new.spec, old.spec)
    _drop_load_balancer_fields(new, old)
    _drop_external_traffic_policy(new.spec, old.spec)


def _drop_cluster_ips(new: ServiceSpec, old: ServiceSpec) -> None:
    """A Service that becomes an ExternalName has no addresses and no families."""
    if not needs_cluster_ip(old) or needs_cluster_ip(new):
        return
    if new.cluster_ip == old.cluster_ip and (new.cluster_ips or []) == (old.cluster_ips or []):
        new.cluster_ip, new.cluster_ips = "", None
    if (new.ip_families or []) == (old.ip_families or []):
        new.ip_families = None
    if new.ip_family_policy == old.ip_family_policy:
        new.ip_family_policy = None


def _drop_node_ports(new: ServiceSpec, old: ServiceSpec) -> None:
    """Only a node port that the stored Service does not have is a wish of the client."""
    if not needs_node_ports(old) or needs_node_ports(new):
        return
    if node_port_numbers(new) <= node_port_numbers(old):
        for port in new.ports or []:
            port.node_port = 0


def _drop_load_balancer_fields(new: Service, old: Service) -> None:
    before, after = old.spec, new.spec
    if (
        needs_health_check_node_port(before)
        and not needs_health_check_node_port(after)
        and after.health_check_node_port == before.health_check_node_port
    ):
        after.health_check_node_port = 0
    if after.type == LOAD_BALANCER:
        return
    if before.type == LOAD_BALANCER:
        if after.allocate_load_balancer_node_ports == before.allocate_load_balancer_node_ports:
            after.allocate_load_balancer_node_ports = None
        if after.load_balancer_class == before.load_balancer_class:
            after.load_balancer_class = None
    new.status.load_balancer = LoadBalancerStatus()


def _drop_external_traffic_policy(new: ServiceSpec, old: ServiceSpec) -> None:
    if is_external(old) and not is_external(new) and new.external_traffic_policy == old.external_traffic_policy:
        new.external_traffic_policy = ""


def node_port_numbers(spec: ServiceSpec) -> set[int]:
    """The node ports that a spec shows."""
    return {port.node_port for port in spec.ports or [] if port.node_port}
