"""What is free, from memory: the pools, kept in step with claims that others make and let go."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.service import SERVICE
from app.domain.kinds.ip_address import IPAddress
from app.domain.kinds.service import Service
from app.domain.pools.allocation import Pool, Pools
from app.domain.pools.family_pool import FamilyPool, RangePool
from app.domain.pools.number_pool import PortPool, RandomBelow
from app.domain.rules.address_ranges import pool_range, service_range
from app.domain.rules.cluster import Cluster

POOLED_CLAIMS = ("cluster_ips", "node_ports", "lb_addresses")
"""The claim tables that mirror a pool; the rest only guard against collisions."""


class PoolSet:
    """The pools that Services are given from, addressed by the claims that show what is held.

    Attributes:
        pools: For `allocate`.
        service_cidrs: The ranges that ClusterIPs come from.
    """

    def __init__(
        self,
        service_cidrs: Iterable[str],
        node_port_range: tuple[int, int],
        internal_pool: Iterable[str],
        external_pool: Iterable[str],
        random_below: RandomBelow,
    ) -> None:
        self._node_port_range = node_port_range
        self._internal_pool = tuple(internal_pool)
        self._external_pool = tuple(external_pool)
        self._random_below = random_below
        self.start_over(service_cidrs)

    def start_over(self, service_cidrs: Iterable[str]) -> None:
        """Forget what is held; ClusterIPs come from these ranges from here on."""
        self.service_cidrs = tuple(service_cidrs)
        self.pools = Pools(
            cluster_ips=_by_family("ClusterIP", [RangePool(service_range(cidr)) for cidr in self.service_cidrs]),
            node_ports=PortPool(*self._node_port_range),
            internal=_by_family("internal", [RangePool(pool_range(text)) for text in self._internal_pool]),
            external=_by_family("external", [RangePool(pool_range(text)) for text in self._external_pool]),
            random_below=self._random_below,
        )

    def hold(self, table: str, key: str) -> None:
        """Note that a claim exists."""
        if table == "node_ports":
            self.pools.node_ports.hold(int(key))
        for pool, address in self._address_pools(table, key):
            pool.hold(address)

    def release(self, table: str, key: str) -> None:
        """Note that a claim is gone."""
        if table == "node_ports":
            self.pools.node_ports.release(int(key))
        for pool, address in self._address_pools(table, key):
            pool.release(address)

    def moved(self, old: Service | IPAddress | None, new: Service | IPAddress | None, cluster: Cluster) -> bool:
        """Note the difference between what two states of an object hold; answers whether anything was released."""
        before, after = _claimed(old, cluster), _claimed(new, cluster)
        for table, key in after - before:
            self.hold(table, key)
        released = before - after
        for table, key in released:
            self.release(table, key)
        return bool(released)

    def sizes(self) -> Iterator[tuple[str, int, int]]:
        """Each pool's name, its size, and how much of it is free."""
        pools = self.pools
        yield "node ports", pools.node_ports.size, pools.node_ports.free
        for name, group in (
            ("ClusterIP", pools.cluster_ips),
            ("internal", pools.internal),
            ("external", pools.external),
        ):
            for family, pool in group.items():
                yield f"{name} {family}", pool.size, pool.free

    def _address_pools(self, table: str, key: str) -> Iterator[tuple[Pool[str], str]]:
        pools = self.pools
        if table == "cluster_ips":
            groups: tuple[Mapping[str, Pool[str]], ...] = (pools.cluster_ips,)
        elif table == "lb_addresses":
            groups = (pools.internal, pools.external)
        else:
            return
        address = key.partition("/")[0]
        family = "IPv6" if ":" in address else "IPv4"
        for group in groups:
            if family in group:
                yield group[family], address


def _by_family(name: str, ranges: Sequence[RangePool]) -> dict[str, FamilyPool]:
    families = dict.fromkeys(part.family for part in ranges)
    return {family: FamilyPool(name, [part for part in ranges if part.family == family]) for family in families}


def _claimed(obj: Service | IPAddress | None, cluster: Cluster) -> set[tuple[str, str]]:
    if obj is None:
        return set()
    if isinstance(obj, Service):
        claims = SERVICE.strategy.claims(obj, cluster)
    else:
        claims = IP_ADDRESS.strategy.claims(obj, cluster)
    return {(claim.table, claim.key) for claim in claims if claim.table in POOLED_CLAIMS}
