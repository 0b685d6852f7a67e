"""Addresses and ports that the client asks for by value, and whether the server can give them.

The claims tell whether another object holds a value. Kubernetes allocates before it validates, so the first error here
is the whole answer. The order is: ClusterIPs, node ports, health check node port.
"""

from collections.abc import Iterator
from itertools import chain, islice

from app.domain.errors import Cause, duplicate, invalid
from app.domain.kinds.service import Service, ServiceSpec
from app.domain.rules.address_ranges import service_range
from app.domain.rules.cluster import Cluster
from app.domain.rules.names import path_segment_problems
from app.domain.rules.service.needs import (
    EXTERNAL_NAME,
    allocates_node_ports,
    is_headless,
    needs_cluster_ip,
    needs_health_check_node_port,
    needs_node_ports,
)


def share_asked_node_ports(spec: ServiceSpec) -> None:
    """On create, give ports of one number (TCP and UDP) the nodePort that one of them asks for, in place."""
    if not allocates_node_ports(spec):
        return
    asked: dict[int, int] = {}
    for port in spec.ports or []:
        if port.node_port:
            asked.setdefault(port.port, port.node_port)
    for port in spec.ports or []:
        port.node_port = port.node_port or asked.get(port.port, 0)


def asked_value_causes(new: Service, old: Service | None, cluster: Cluster) -> list[Cause]:
    """The first value that the server cannot give, if any."""
    spec, before = new.spec, old.spec if old is not None else None
    causes = chain(
        _nameless_causes(new) if old is None else (),
        _cluster_ip_causes(spec, before, cluster),
        _node_port_causes(spec, before, cluster),
        _health_check_causes(spec, before, cluster),
    )
    return list(islice(causes, 1))


def _nameless_causes(new: Service) -> Iterator[Cause]:
    """A Service with a ClusterIP needs a name that fits into a path: an IPAddress refers to it (KEP-1880)."""
    if not needs_cluster_ip(new.spec) or is_headless(new.spec):
        return
    problems = path_segment_problems(new.metadata.name) if new.metadata.name else ["is missing"]
    if problems:
        shown = ", ".join(new.spec.cluster_ips or [])
        reason = f"metadata.name {'; '.join(problems)}"
        yield invalid("spec.clusterIPs", shown, f"only a named Service can have a ClusterIP: {reason}")


def _cluster_ip_causes(new: ServiceSpec, old: ServiceSpec | None, cluster: Cluster) -> Iterator[Cause]:
    """Addresses that the stored object does not have must be in a range of ClusterIPs."""
    if not needs_cluster_ip(new) or is_headless(new) or (old is not None and is_headless(old)):
        return
    stored = 0 if old is None or old.type == EXTERNAL_NAME else len(old.cluster_ips or [])
    for address in (new.cluster_ips or [])[stored:]:
        if not any(service_range(cidr).covers(address) for cidr in cluster.service_cidrs):
            usable = f"{address} is no usable address of {', '.join(cluster.service_cidrs)}"
            problem = f"provided IP is not in the valid range: {usable}; choose one, or leave it out"
            yield invalid("spec.clusterIPs", ", ".join(new.cluster_ips or []), problem)


def _node_port_causes(new: ServiceSpec, old: ServiceSpec | None, cluster: Cluster) -> Iterator[Cause]:
    if needs_node_ports(new):
        yield from _created_node_ports(new, cluster) if old is None else _updated_node_ports(new, old, cluster)


def _created_node_ports(new: ServiceSpec, cluster: Cluster) -> Iterator[Cause]:
    """On create, ports can share a nodePort if they have the same number."""
    shared: dict[int, int] = {}
    held: set[int] = set()
    for index, port in enumerate(new.ports or []):
        if not port.node_port or shared.get(port.port) == port.node_port:
            continue
        yield from _new_port_causes(f"spec.ports[{index}].nodePort", port.node_port, held, cluster)
        held.add(port.node_port)
        shared.setdefault(port.port, port.node_port)


def _updated_node_ports(new: ServiceSpec, old: ServiceSpec, cluster: Cluster) -> Iterator[Cause]:
    """On update, ports can share a nodePort if they have different protocols."""
    stored = {port.node_port for port in old.ports or []}
    checked = {new.health_check_node_port} if needs_health_check_node_port(new) else set()
    held: set[tuple[str, int]] = set()
    for index, port in enumerate(new.ports or []):
        if not port.node_port:
            continue
        field = f"spec.ports[{index}].nodePort"
        if port.node_port not in stored:
            yield from _new_port_causes(field, port.node_port, checked, cluster)
        if (port.protocol, port.node_port) in held:
            yield duplicate(field, port.node_port, f"another {port.protocol} port of this Service has this nodePort")
        held.add((port.protocol, port.node_port))


def _health_check_causes(new: ServiceSpec, old: ServiceSpec | None, cluster: Cluster) -> Iterator[Cause]:
    """A new health check node port is in the node port range, and is no nodePort of the Service."""
    newly_needed = needs_health_check_node_port(new) and not (old is not None and needs_health_check_node_port(old))
    if newly_needed and new.health_check_node_port:
        held = {port.node_port for port in new.ports or []}
        yield from _new_port_causes("spec.healthCheckNodePort", new.health_check_node_port, held, cluster)


def _new_port_causes(field: str, number: int, held: set[int], cluster: Cluster) -> Iterator[Cause]:
    first, last = cluster.node_port_range
    if not first <= number <= last:
        yield invalid(
            field,
            number,
            f"provided port is not in the valid range: choose one from {first} to {last}, or leave it out",
        )
    elif number in held:
        yield invalid(
            field, number, "another port of this Service has this number; choose another one, or leave it out"
        )
