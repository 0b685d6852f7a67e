"""What the rules may know of their surroundings."""

from functools import lru_cache

import msgspec

from app.domain.rules.pool_description import PoolDescription


@lru_cache(maxsize=16)
def families_of(cidrs: tuple[str, ...]) -> tuple[str, ...]:
    """The IP families of ranges, in the order of their first ones: `IPv4`, `IPv6`."""
    return tuple(dict.fromkeys("IPv6" if ":" in cidr else "IPv4" for cidr in cidrs))


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules may know of their surroundings; a value, so that rules stay pure.

    Attributes:
        service_cidrs: The ranges that new ClusterIPs come from, canonical text.
        node_port_range: First and last node port, inclusive.
        cluster_domain: Zone of the cluster's DNS records, e.g. `cluster.local`.
        manages_load_balancers: Whether our own load balancer controller serves class-less LoadBalancer Services.
        now: The present as RFC 3339 UTC in whole seconds, for timestamps.
        pools: What load balancer addresses come from. Without any, a Service may ask for whatever address it likes.
        every_service_cidr: All ranges of ClusterIPs, the primary family first: those included that give no addresses
            any more. The same as `service_cidrs` when empty.
    """

    service_cidrs: tuple[str, ...]
    node_port_range: tuple[int, int]
    cluster_domain: str
    manages_load_balancers: bool
    now: str
    pools: tuple[PoolDescription, ...] = ()
    every_service_cidr: tuple[str, ...] = ()

    @property
    def families(self) -> tuple[str, ...]:
        """The IP families served, primary first: `IPv4`, `IPv6`."""
        return families_of(self.every_service_cidr or self.service_cidrs)
