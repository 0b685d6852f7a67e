"""Warnings about valid values that a Service should not have: texts for Warning headers."""

from collections.abc import Iterator

from app.domain.kinds.service import Service, ServiceSpec
from app.domain.rules.addresses import address_warnings, network_warnings
from app.domain.rules.service.needs import CLUSTER_IP, EXTERNAL_NAME, NO_AFFINITY, is_headless, needs_cluster_ip
from app.domain.rules.service.validation import PREFER_CLOSE, PREFER_SAME_ZONE, TOPOLOGY_HINTS, TOPOLOGY_MODE


def service_warnings(service: Service) -> list[str]:
    """Deprecated, ignored and ambiguous values of a Service that was accepted."""
    spec = service.spec
    warnings: list[str] = []
    if TOPOLOGY_HINTS in (service.metadata.annotations or {}):
        warnings.append(f"annotation {TOPOLOGY_HINTS} is deprecated; use {TOPOLOGY_MODE} or spec.trafficDistribution")
    return [*warnings, *_ignored(spec), *_spelling(spec), *_deprecated(spec)]


def status_warnings(service: Service) -> list[str]:
    """Ambiguous addresses of a status that was accepted."""
    points = service.status.load_balancer.ingress or []
    return [
        text
        for index, point in enumerate(points)
        for text in address_warnings(f"status.loadBalancer.ingress[{index}].ip", point.ip)
    ]


def _ignored(spec: ServiceSpec) -> Iterator[str]:
    if spec.type == CLUSTER_IP and is_headless(spec):
        if spec.load_balancer_ip:
            yield "spec.loadBalancerIP is ignored: a headless Service has no load balancer"
        if spec.external_ips:
            yield "spec.externalIPs is ignored: nothing forwards to a headless Service"
        if spec.session_affinity != NO_AFFINITY:
            yield "spec.sessionAffinity is ignored: clients of a headless Service choose its endpoints themselves"
    if spec.type == EXTERNAL_NAME and spec.external_ips:
        yield "spec.externalIPs is ignored: an ExternalName Service is only an alias"
    if spec.type != EXTERNAL_NAME and spec.external_name:
        yield "spec.externalName is ignored: only an ExternalName Service is an alias"


def _spelling(spec: ServiceSpec) -> Iterator[str]:
    if needs_cluster_ip(spec) and not is_headless(spec):
        for index, address in enumerate(spec.cluster_ips or []):
            yield from address_warnings(f"spec.clusterIPs[{index}]", address)
    for index, address in enumerate(spec.external_ips or []):
        yield from address_warnings(f"spec.externalIPs[{index}]", address)
    yield from address_warnings("spec.loadBalancerIP", spec.load_balancer_ip)
    for index, cidr in enumerate(spec.load_balancer_source_ranges or []):
        yield from network_warnings(f"spec.loadBalancerSourceRanges[{index}]", cidr)


def _deprecated(spec: ServiceSpec) -> Iterator[str]:
    """KEP-5707, KEP-3015."""
    if spec.external_ips and needs_cluster_ip(spec) and not (spec.type == CLUSTER_IP and is_headless(spec)):
        yield "spec.externalIPs is deprecated: anybody can claim any address with it; use type LoadBalancer"
    if spec.traffic_distribution == PREFER_CLOSE:
        yield f"spec.trafficDistribution: {PREFER_CLOSE} is deprecated; {PREFER_SAME_ZONE} means the same"
