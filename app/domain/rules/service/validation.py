"""The validation of a Service, new or changed (core/v1 Service), except for ports and IP families."""

from collections.abc import Iterator

from app.domain.errors import Cause, forbidden, invalid, invalid_for, not_supported, required
from app.domain.kinds.service import Service, ServiceSpec
from app.domain.rules.addresses import address_causes, endpoint_address_causes, network_causes
from app.domain.rules.metadata import label_causes
from app.domain.rules.names import dns_subdomain_problems, port_number_problems, qualified_name_problems
from app.domain.rules.service.annotations import SOURCE_RANGES, annotation_field, source_ranges_text
from app.domain.rules.service.families import ip_field_causes
from app.domain.rules.service.needs import (
    CLIENT_IP,
    EXTERNAL_NAME,
    LOAD_BALANCER,
    NO_AFFINITY,
    NODE_PORT,
    TRAFFIC_POLICIES,
    TYPES,
    is_external,
    is_headless,
    needs_health_check_node_port,
)
from app.domain.rules.service.ports import port_causes

MAX_AFFINITY_SECONDS = 86400
"""A day."""

KUBELET_PORT = 10250
"""The port of the kubelet on every node. A load balancer must not expose it."""

TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
AFFINITIES = (CLIENT_IP, NO_AFFINITY)
PREFER_CLOSE, PREFER_SAME_ZONE, PREFER_SAME_NODE = "PreferClose", "PreferSameZone", "PreferSameNode"
TRAFFIC_DISTRIBUTIONS = (PREFER_CLOSE, PREFER_SAME_ZONE, PREFER_SAME_NODE)


def service_causes(new: Service, old: Service | None) -> list[Cause]:
    """Everything wrong with a Service that has its defaults. Values of the stored Service, `old`, are tolerated."""
    spec, before = new.spec, old.spec if old is not None else None
    return [
        *_topology_causes(new),
        *_type_causes(spec),
        *port_causes(spec, created=old is None),
        *label_causes("spec.selector", spec.selector or {}),
        *_affinity_causes(spec),
        *ip_field_causes(spec, before),
        *_external_ip_causes(spec, before),
        *_source_range_causes(new, old),
        *_load_balancer_causes(spec),
        *_external_traffic_causes(spec),
        *_internal_traffic_causes(spec),
    ]


def _topology_causes(service: Service) -> Iterator[Cause]:
    """The old annotation and the new one have the same value (KEP-2433)."""
    annotations = service.metadata.annotations or {}
    mode, hints = annotations.get(TOPOLOGY_MODE), annotations.get(TOPOLOGY_HINTS)
    if mode is not None and hints is not None and mode != hints:
        yield invalid(
            f"metadata.annotations[{TOPOLOGY_MODE}]", mode, f"must be {hints!r}, like the annotation {TOPOLOGY_HINTS}"
        )


def _type_causes(spec: ServiceSpec) -> Iterator[Cause]:
    if spec.type not in TYPES:
        yield not_supported("spec.type", spec.type, TYPES)
    if spec.type in (LOAD_BALANCER, NODE_PORT) and is_headless(spec):
        yield invalid(
            "spec.clusterIPs[0]",
            "None",
            f"a {spec.type} Service needs a ClusterIP; only type ClusterIP can be headless",
        )
    if spec.type == LOAD_BALANCER:
        yield from _kubelet_causes(spec)
    if spec.type == EXTERNAL_NAME:
        yield from _external_name_causes(spec)


def _kubelet_causes(spec: ServiceSpec) -> Iterator[Cause]:
    for index, port in enumerate(spec.ports or []):
        if port.port == KUBELET_PORT:
            yield invalid(
                f"spec.ports[{index}]", port.port, "is the port of the kubelet on every node; use another port"
            )


def _external_name_causes(spec: ServiceSpec) -> Iterator[Cause]:
    """An ExternalName Service has no addresses. Its name may end with the dot of a fully qualified name."""
    for name, value in (
        ("clusterIPs", spec.cluster_ips),
        ("ipFamilies", spec.ip_families),
        ("ipFamilyPolicy", spec.ip_family_policy),
    ):
        if value or (value is not None and name == "ipFamilyPolicy"):
            yield forbidden(f"spec.{name}", "an ExternalName Service has no addresses; leave it out")
    name = spec.external_name.removesuffix(".")
    if not name:
        yield required("spec.externalName", "give the DNS name that the ExternalName Service is an alias of")
        return
    yield from invalid_for("spec.externalName", spec.external_name, dns_subdomain_problems(name))


def _affinity_causes(spec: ServiceSpec) -> Iterator[Cause]:
    if spec.session_affinity not in AFFINITIES:
        yield not_supported("spec.sessionAffinity", spec.session_affinity, AFFINITIES)
    config = spec.session_affinity_config
    seconds = config.client_ip.timeout_seconds if config is not None and config.client_ip is not None else None
    out_of_range = seconds is not None and not 1 <= seconds <= MAX_AFFINITY_SECONDS
    if spec.session_affinity == CLIENT_IP and out_of_range:
        field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        yield invalid(field, seconds, f"must be from 1 to {MAX_AFFINITY_SECONDS} seconds")


def _external_ip_causes(spec: ServiceSpec, old: ServiceSpec | None) -> Iterator[Cause]:
    stored = frozenset((old.external_ips if old is not None else None) or ())
    for index, address in enumerate(spec.external_ips or []):
        field = f"spec.externalIPs[{index}]"
        yield from address_causes(field, address, stored) or endpoint_address_causes(field, address)


def _source_range_causes(new: Service, old: Service | None) -> Iterator[Cause]:
    """The field, or the annotation that preceded it. Blanks around a CIDR are allowed."""
    field, annotation = "spec.LoadBalancerSourceRanges", source_ranges_text(new)
    ranges = new.spec.load_balancer_source_ranges or []
    if not ranges and annotation is None:
        return
    if not ranges:
        field = annotation_field(SOURCE_RANGES)
    if new.spec.type != LOAD_BALANCER:
        yield forbidden(
            field, "only a LoadBalancer Service can restrict its clients; use type LoadBalancer, or leave it out"
        )
    if ranges:
        before = old.spec.load_balancer_source_ranges if old is not None else None
        stored = frozenset(text.strip() for text in before or ())
        for index, text in enumerate(ranges):
            yield from network_causes(f"{field}[{index}]", text.strip(), stored)
    elif annotation and annotation.strip() and not (old is not None and annotation == source_ranges_text(old)):
        for text in annotation.strip().split(","):
            yield from network_causes(field, text.strip())


def _load_balancer_causes(spec: ServiceSpec) -> Iterator[Cause]:
    """KEP-1864 and KEP-1959: only a LoadBalancer can refuse node ports, and can have a class."""
    if spec.type != LOAD_BALANCER and spec.allocate_load_balancer_node_ports is not None:
        yield forbidden(
            "spec.allocateLoadBalancerNodePorts", "only a LoadBalancer Service can choose this; leave it out"
        )
    if spec.load_balancer_class is None:
        return
    if spec.type != LOAD_BALANCER:
        yield forbidden("spec.loadBalancerClass", "only a LoadBalancer Service has a class; leave it out")
        return
    problems = qualified_name_problems(spec.load_balancer_class)
    yield from invalid_for("spec.loadBalancerClass", spec.load_balancer_class, problems)


def _external_traffic_causes(spec: ServiceSpec) -> Iterator[Cause]:
    """The policy needs traffic from outside. The health check node port needs a load balancer with policy Local."""
    policy, field = spec.external_traffic_policy, "spec.externalTrafficPolicy"
    if policy and not is_external(spec):
        yield invalid(
            field,
            policy,
            "only NodePort, LoadBalancer and externalIPs take traffic from outside; leave it out",
        )
    elif is_external(spec) and policy not in TRAFFIC_POLICIES:
        yield not_supported(field, policy, TRAFFIC_POLICIES)
    number, field = spec.health_check_node_port, "spec.healthCheckNodePort"
    if not number:
        return
    if not needs_health_check_node_port(spec):
        yield invalid(
            field,
            number,
            "only type LoadBalancer with externalTrafficPolicy Local has this port; leave it out",
        )
    else:
        yield from invalid_for(field, number, port_number_problems(number))


def _internal_traffic_causes(spec: ServiceSpec) -> Iterator[Cause]:
    """KEP-2086 and KEP-4444."""
    if spec.internal_traffic_policy is not None and spec.internal_traffic_policy not in TRAFFIC_POLICIES:
        yield not_supported("spec.internalTrafficPolicy", spec.internal_traffic_policy, TRAFFIC_POLICIES)
    if spec.traffic_distribution is not None and spec.traffic_distribution not in TRAFFIC_DISTRIBUTIONS:
        yield not_supported("spec.trafficDistribution", spec.traffic_distribution, TRAFFIC_DISTRIBUTIONS)
