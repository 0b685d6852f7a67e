"""The rules of a ServiceCIDR."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network

from app.domain.errors import FIELD_IS_IMMUTABLE, Cause, immutable, invalid, required
from app.domain.kinds.service_cidr import ServiceCIDR, ServiceCIDRStatus
from app.domain.rules.address_ranges import range_of
from app.domain.rules.address_sets import AddressSet
from app.domain.rules.addresses import network_causes, network_warnings, strict_network
from app.domain.rules.cluster import Cluster
from app.domain.rules.conditions import with_condition
from app.domain.rules.strategy import Strategy

DEFAULT_NAME = "kubernetes"
"""The name of the ServiceCIDR of the ranges in the server's settings."""


FINALIZER = "networking.k8s.io/service-cidr-finalizer"
"""The finalizer that delays a deletion while an address in use is in no other range."""


READY = "Ready"
"""The condition that is False if no addresses are allocated from a range. Without it, they are."""


_MAX_CIDRS = 2


def allocates(service_cidr: ServiceCIDR) -> bool:
    """Whether new ClusterIPs may come from these ranges."""
    conditions = service_cidr.status.conditions or []
    refused = any(each.type == READY and each.status != "True" for each in conditions)
    return service_cidr.metadata.deletion_timestamp is None and not refused


def hold(service_cidr: ServiceCIDR) -> None:
    """Add the finalizer that delays a deletion while an address in use is in no other range."""
    meta = service_cidr.metadata
    meta.finalizers = list(dict.fromkeys([*(meta.finalizers or []), FINALIZER]))


def set_ready(service_cidr: ServiceCIDR, status: str, *, reason: str, message: str, now: str) -> None:
    """Write the condition Ready: whether addresses are allocated from the ranges."""
    service_cidr.status.conditions = with_condition(
        service_cidr.status.conditions, READY, status, reason=reason, message=message, now=now
    )


def would_orphan(leaving: ServiceCIDR, others: Iterable[ServiceCIDR], addresses: Iterable[str]) -> list[str]:
    """The addresses in use that would be in no range after a deletion.

    Args:
        leaving: The ranges that are to be deleted.
        others: All other ranges. Ranges that are being deleted do not count.
        addresses: Every ClusterIP in use, canonical.
    """
    going = [ip_network(cidr) for cidr in leaving.spec.cidrs or []]
    staying = [
        ip_network(cidr)
        for other in others
        if other.metadata.deletion_timestamp is None and other.metadata.name != leaving.metadata.name
        for cidr in other.spec.cidrs or []
    ]
    parsed = ((text, ip_address(text)) for text in addresses)
    return [
        text
        for text, address in parsed
        if any(address in network for network in going) and not any(address in network for network in staying)
    ]


class ServiceCIDRStrategy(Strategy[ServiceCIDR]):
    """Ranges cannot change, except that a second one of the other family may be added."""

    def prepare_create(self, new: ServiceCIDR, cluster: Cluster) -> None:
        """Drop the status, which the server sets, and add the finalizer."""
        del cluster
        new.status = ServiceCIDRStatus()
        hold(new)

    def prepare_update(self, new: ServiceCIDR, old: ServiceCIDR, cluster: Cluster) -> None:
        """Keep the status."""
        del cluster
        new.status = old.status

    def prepare_status(self, new: ServiceCIDR, old: ServiceCIDR, cluster: Cluster) -> None:
        """Keep the spec."""
        del cluster
        new.spec = old.spec

    def asks_of_cluster(self, new: ServiceCIDR) -> bool:
        """Yes: pools may have been created a moment ago."""
        del new
        return True

    def validate_create(self, new: ServiceCIDR, cluster: Cluster) -> list[Cause]:
        """One or two CIDRs, each strict, one of each family, none in a pool of load balancer addresses."""
        cidrs = new.spec.cidrs or []
        if not cidrs:
            return [required("spec.cidrs", "give one CIDR, or one of each IP family")]
        if len(cidrs) > _MAX_CIDRS:
            return [invalid("spec.cidrs", cidrs, f"must have at most {_MAX_CIDRS} CIDRs, one of each IP family")]
        causes = [cause for i, cidr in enumerate(cidrs) for cause in network_causes(f"spec.cidrs[{i}]", cidr)]
        networks = [network for network in map(strict_network, cidrs) if network]
        if not causes and len({network.version for network in networks}) != len(cidrs):
            causes.append(
                invalid(
                    "spec.cidrs",
                    cidrs,
                    "must have at most one CIDR of each IP family, such as 10.0.0.0/16 and fd00::/112",
                )
            )
        if causes:
            return causes
        return [cause for i, cidr in enumerate(cidrs) for cause in _pool_causes(f"spec.cidrs[{i}]", cidr, cluster)]

    def validate_update(self, new: ServiceCIDR, old: ServiceCIDR, cluster: Cluster) -> list[Cause]:
        """CIDRs cannot change; a second one may be appended."""
        before, after = old.spec.cidrs or [], new.spec.cidrs or []
        if len(after) < len(before):
            return [
                invalid(
                    "spec.cidrs", after, f"{FIELD_IS_IMMUTABLE}; only a second CIDR, of the other family, may be added"
                )
            ]
        causes = [
            immutable(f"spec.cidrs[{i}]", now, was)
            for i, (was, now) in enumerate(zip(before, after, strict=False))
            if was != now
        ]
        return causes or self.validate_create(new, cluster)

    def warnings(self, new: ServiceCIDR, old: ServiceCIDR | None, cluster: Cluster) -> list[str]:
        """Point out ambiguous CIDRs."""
        del old, cluster
        return [
            text for i, cidr in enumerate(new.spec.cidrs or []) for text in network_warnings(f"spec.cidrs[{i}]", cidr)
        ]


def _pool_causes(field: str, cidr: str, cluster: Cluster) -> Iterator[Cause]:
    """A range of ClusterIPs has no addresses of load balancer pools."""
    addresses = AddressSet.of([range_of(cidr)])
    for pool in cluster.pools:
        common = addresses & pool.usable
        if common:
            yield invalid(field, cidr, f'overlaps the pool "{pool.name}": both have {common.texts()[0]}')
