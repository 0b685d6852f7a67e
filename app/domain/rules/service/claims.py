"""The claims of a Service. Each claim is a unique row, so that no other object can have the same value."""

from collections.abc import Iterator

from app.domain.kinds.service import Service
from app.domain.rules.address_claims import (
    ALONE,
    KEPT,
    LB_PORTS,
    NOBODYS_HOME,
    OWN,
    SHARED,
    address_claim,
    claimed_address,
)
from app.domain.rules.addresses import canonical
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.annotations import ADDITIONAL_ADDRESSES, annotation_field
from app.domain.rules.service.asked_addresses import ADDRESS_NOT_FOUND, asked_of, find, home_of
from app.domain.rules.service.changing_addresses import changing_families
from app.domain.rules.service.conditions import ALLOCATED, find_condition
from app.domain.rules.service.frontends import frontend_of
from app.domain.rules.service.load_balancer_wish import is_ours, wish_of
from app.domain.rules.service.needs import ingress_addresses, is_headless, needs_cluster_ip, needs_node_ports
from app.domain.rules.service.public_names import name_claims

_STATUS = "status.loadBalancer.ingress"


def claims(service: Service, cluster: Cluster) -> tuple[Claim, ...]:
    """All claims of a Service, each with the field that an error names."""
    return (*_cluster_ips(service), *_node_ports(service), *_frontends(service, cluster), *name_claims(service))


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
    """The addresses, and the ports at each of them, which are always of one Service."""
    if not is_ours(service, cluster):
        return []
    addresses: dict[str, Claim] = {}
    for claim in (*_frontend_addresses(service, cluster), *_other_addresses(service)):
        addresses.setdefault(claimed_address(claim.key), claim)
    result = []
    for address, claim in addresses.items():
        result.append(claim)
        for index, port in enumerate(service.spec.ports or []):
            where = claim.field if claim.field == _STATUS else f"spec.ports[{index}].port"
            result.append(Claim(LB_PORTS, f"{address}/{port.protocol}/{port.port}", where))
    return result


def _frontend_addresses(service: Service, cluster: Cluster) -> Iterator[Claim]:
    """The address of each family: the one that it has, and the one that it asks for, as soon as it is known."""
    alone, changing = wish_of(service).high_availability_ports, changing_families(service)
    own = service.metadata.namespace or ""
    for family in service.spec.ip_families or []:
        current, asked = frontend_of(service, family), asked_of(service, family)
        if asked is None and current and family not in changing:
            yield address_claim(current, own, ALONE if alone else OWN, _STATUS)
        if asked is not None and (not current or family in changing):
            found = find(asked, service, family, cluster)
            if found.address and not found.problem and not _was_not_found(service):
                yield address_claim(found.address, found.home, ALONE if alone else SHARED, asked.field)
        elif asked is not None:
            yield address_claim(current, home_of(asked, service), ALONE if alone else SHARED, asked.field)
        if current and family in changing:
            yield address_claim(current, NOBODYS_HOME, KEPT, _STATUS)


def _other_addresses(service: Service) -> Iterator[Claim]:
    """The additional addresses, and whatever else the status shows."""
    for address in wish_of(service).additional_addresses:
        yield address_claim(address, NOBODYS_HOME, SHARED, annotation_field(ADDITIONAL_ADDRESSES))
    for address in ingress_addresses(service):
        yield address_claim(canonical(address), service.metadata.namespace or "", OWN, _STATUS)


def _was_not_found(service: Service) -> bool:
    """Whether nobody had the address that the Service asks for: then it must not keep others from having it."""
    told = find_condition(service, ALLOCATED)
    return told is not None and told.reason == ADDRESS_NOT_FOUND
