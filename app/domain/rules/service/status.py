"""The rules of a write to `/status` of a Service (status.loadBalancer)."""

from collections.abc import Iterator

from app.domain.errors import Cause, forbidden, invalid, invalid_for, not_supported, required
from app.domain.kinds.service import LoadBalancerIngress, Service
from app.domain.rules.addresses import address_causes, sloppy_address
from app.domain.rules.names import dns_subdomain_problems
from app.domain.rules.service.needs import LOAD_BALANCER

IP_MODES = ("Proxy", "VIP")


def status_causes(new: Service, old: Service) -> list[Cause]:
    """Everything wrong with the addresses and names at which a load balancer takes traffic."""
    points = new.status.load_balancer.ingress or []
    if points and new.spec.type != LOAD_BALANCER:
        return [forbidden("status.loadBalancer.ingress", "only a LoadBalancer Service has load balancer addresses")]
    stored = frozenset(point.ip for point in old.status.load_balancer.ingress or [])
    causes: list[Cause] = []
    for index, point in enumerate(points):
        field = f"status.loadBalancer.ingress[{index}]"
        if point.ip:
            causes += address_causes(f"{field}.ip", point.ip, stored)
        causes += _mode_causes(f"{field}.ipMode", point)
        causes += _hostname_causes(f"{field}.hostname", point.hostname)
    return causes


def _mode_causes(field: str, point: LoadBalancerIngress) -> Iterator[Cause]:
    """KEP-1860: an address has a mode, which says how its traffic is delivered; a hostname has none."""
    if point.ip_mode is None:
        if point.ip:
            yield required(
                field, f"an address needs ipMode, which says how traffic reaches the nodes: {' or '.join(IP_MODES)}"
            )
    elif not point.ip:
        yield forbidden(field, "ipMode can only be set together with ip")
    elif point.ip_mode not in IP_MODES:
        yield not_supported(field, point.ip_mode, IP_MODES)


def _hostname_causes(field: str, hostname: str) -> Iterator[Cause]:
    if not hostname:
        return
    yield from invalid_for(field, hostname, dns_subdomain_problems(hostname))
    if sloppy_address(hostname) is not None:
        yield invalid(field, hostname, "must be a DNS name; an address belongs in ip")
