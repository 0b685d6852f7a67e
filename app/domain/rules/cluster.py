"""What the rules may know of the cluster."""

from functools import lru_cache

import msgspec

from app.domain.rules.pool_description import PoolDescription


@lru_cache(maxsize=16)
def families_of(cidrs: tuple[str, ...]) -> tuple[str, ...]:
    """The IP families of ranges, in the order of their first ones: `IPv4`, `IPv6`."""
    return tuple(dict.fromkeys("IPv6" if ":" in cidr else "IPv4" for cidr in cidrs))


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules may know of the cluster. It is a value, so that rules are pure functions.

    Attributes:
        service_cidrs: The ranges that new ClusterIPs come from, canonical text.
        node_port_range: First and last node port, inclusive.
        cluster_domain: Zone of the cluster's DNS records, e.g. `cluster.local`.
        manages_load_balancers: Whether our own load balancer controller serves class-less LoadBalancer Services.
        now: The current time as RFC 3339 UTC in whole seconds.
        pools: The pools of load balancer addresses. Without pools, a Service may ask for any address.
        every_service_cidr: All ranges of ClusterIPs, the primary family first, including ranges that give no more
            addresses. Empty means that it is the same as `service_cidrs`.
        allocating: Whether some reconciler allocates at the moment, as far as this process knows.
    """

    service_cidrs: tuple[str, ...]
    node_port_range: tuple[int, int]
    cluster_domain: str
    manages_load_balancers: bool
    now: str
    pools: tuple[PoolDescription, ...] = ()
    every_service_cidr: tuple[str, ...] = ()
    allocating: bool = True

    @property
    def families(self) -> tuple[str, ...]:
        """The IP families served, primary first: `IPv4`, `IPv6`."""
        return families_of(self.every_service_cidr or self.service_cidrs)
