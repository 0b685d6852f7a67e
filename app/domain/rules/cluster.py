"""What the rules may know of the cluster."""

from functools import lru_cache

import msgspec

from app.domain.rules.balanced_nodes import NO_NODES, BalancedNodes
from app.domain.rules.data_plane import DescribedPlane
from app.domain.rules.known_addresses import KnownAddresses, NoAddresses
from app.domain.rules.pool_description import PoolDescription
from app.domain.rules.service_tags import NO_SERVICE_TAGS, ServiceTags
from app.domain.rules.shared_frontends import NOTHING_SHARED, SharedFrontends
from app.domain.rules.zone_description import ZoneDescription


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
        service_tags: The prefixes of Azure's service tags, as far as they are known.
        nodes: The nodes as load balancers see them.
        shared_frontends: The Services that take traffic at the same addresses.
        allocating: Whether some reconciler allocates at the moment, as far as this process knows.
        zones: The DNS zones, in order of their names.
        data_planes: The data planes as they reported themselves last, in the order of their names.
        loopback: Whether pools and members may have loopback addresses, as the only data plane is on loopback, too.
        addresses: The addresses that can be named, as this process knows them at the moment.
    """

    service_cidrs: tuple[str, ...]
    node_port_range: tuple[int, int]
    cluster_domain: str
    manages_load_balancers: bool
    now: str
    pools: tuple[PoolDescription, ...] = ()
    every_service_cidr: tuple[str, ...] = ()
    service_tags: ServiceTags = NO_SERVICE_TAGS
    nodes: BalancedNodes = NO_NODES
    shared_frontends: SharedFrontends = NOTHING_SHARED
    allocating: bool = True
    zones: tuple[ZoneDescription, ...] = ()
    data_planes: tuple[DescribedPlane, ...] = ()
    loopback: bool = False
    addresses: KnownAddresses = NoAddresses()

    @property
    def families(self) -> tuple[str, ...]:
        """The IP families served, primary first: `IPv4`, `IPv6`."""
        return families_of(self.every_service_cidr or self.service_cidrs)
