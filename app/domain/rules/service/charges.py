"""What a Service uses of the quotas of its namespace, beside that it is one Service.

Kubernetes' measures are those of its evaluator of services. They follow from what is asked for, so that a quota can
refuse a Service before anything is allocated.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.pool_description import INTERNAL
from app.domain.rules.quota_resources import EXTERNAL_ADDRESSES, INTERNAL_ADDRESSES, LOAD_BALANCERS, NODE_PORTS
from app.domain.rules.service.asked_addresses import asked_of, home_of
from app.domain.rules.service.load_balancer_wish import is_ours, wish_of
from app.domain.rules.service.needs import LOAD_BALANCER, allocates_node_ports, needs_node_ports


def service_charges(service: Service, cluster: Cluster) -> Mapping[str, int]:
    """How much of each measure the Service uses; measures of which it uses nothing are left out."""
    spec = service.spec
    if not needs_node_ports(spec):
        return {}
    ports = [port for port in spec.ports or [] if port.node_port or allocates_node_ports(spec)]
    charges = {NODE_PORTS: len(ports), LOAD_BALANCERS: int(spec.type == LOAD_BALANCER)}
    charges |= Counter(_addresses(service, cluster) if is_ours(service, cluster) else ())
    return {measure: amount for measure, amount in charges.items() if amount}


def _addresses(service: Service, cluster: Cluster) -> Iterator[str]:
    """The measure of each of its load balancer addresses. An address that a StaticAddress keeps is that one's.

    It has one for each family, and those of pools that it names in addition.
    """
    wish = wish_of(service)
    for family in service.spec.ip_families or []:
        if not _is_kept(service, family, cluster):
            yield INTERNAL_ADDRESSES if wish.internal else EXTERNAL_ADDRESSES
    for address in wish.additional_addresses:
        pool = next((pool for pool in cluster.pools if address in pool.usable), None)
        if pool is not None and cluster.addresses.static_at(address) is None:
            yield INTERNAL_ADDRESSES if pool.scope == INTERNAL else EXTERNAL_ADDRESSES


def _is_kept(service: Service, family: str, cluster: Cluster) -> bool:
    """Whether the Service asks for an address that a StaticAddress keeps."""
    asked = asked_of(service, family)
    if asked is None:
        return False
    if asked.name:
        return cluster.addresses.static(home_of(asked, service), asked.name) is not None
    return cluster.addresses.static_at(asked.address) is not None
