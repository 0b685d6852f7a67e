"""What is free, from memory: the pools, kept in step with claims that others make and let go."""

from collections.abc import Iterator
from typing import NamedTuple

from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.service import SERVICE
from app.domain.kinds.ip_address import IPAddress
from app.domain.kinds.service import Service
from app.domain.pools.address_pool import HeldAddresses
from app.domain.pools.allocation import CLUSTER_IPS, LB_ADDRESSES, NODE_PORTS, Picks, Pools
from app.domain.pools.number_pool import Clock, PortPool, RandomBelow
from app.domain.rules.address_ranges import service_range
from app.domain.rules.cluster import Cluster
from app.domain.rules.pool_description import PoolDescription

POOLED_CLAIMS = (CLUSTER_IPS, NODE_PORTS, LB_ADDRESSES)
"""The claim tables that mirror pools; the rest only guard against collisions."""

_SHARED = "/shared"


class Fill(NamedTuple):
    """How full a pool is.

    Attributes:
        pool: Its name.
        family: Of its addresses, "" for ports.
        scope: `internal` or `external`, "" for what is neither.
        size: How many addresses or ports it has.
        used: How many of them are held.
        resting: How many can be given to nobody yet because they were released a moment ago.
        free: How many can be given now.
    """

    pool: str
    family: str
    scope: str
    size: int
    used: int
    resting: int
    free: int


class PoolSet:
    """The pools that Services are given from, addressed by the claims that show what is held.

    Attributes:
        pools: For `allocate`.
    """

    def __init__(self, random_below: RandomBelow, clock: Clock) -> None:
        self._random_below = random_below
        self._clock = clock
        self._cluster_ips = HeldAddresses(clock)
        self._lb_addresses = HeldAddresses(clock)
        self._node_ports = PortPool(0, -1, clock)
        # Who shares an address; it is free when nobody does any more.
        self._sharers: dict[str, set[str]] = {}
        self._described: tuple[object, ...] = ()
        self.pools = self._laid_out()

    def describe(self, cluster: Cluster) -> bool:
        """Have the pools that the cluster has now, over what is held; answers whether any is another one than before.

        Costs nothing where nothing changed.
        """
        ports = cluster.node_port_range
        described = (cluster.service_cidrs, cluster.pools, ports)
        if self._described == described:
            return False
        ranges = tuple(map(service_range, cluster.service_cidrs))
        self._cluster_ips.describe([PoolDescription("ClusterIP", "", ranges)] if ranges else [])
        self._lb_addresses.describe(cluster.pools)
        if not self._described or self._described[2] != ports:
            self._node_ports = PortPool(*ports, self._clock)
        self._described = described
        self.pools = self._laid_out()
        return True

    def clear(self) -> None:
        """Forget what is held."""
        self._cluster_ips.clear()
        self._lb_addresses.clear()
        self._sharers.clear()
        self._node_ports = PortPool(self._node_ports.first, self._node_ports.last, self._clock)
        self.pools = self._laid_out()

    def hold(self, table: str, key: str, owner: str = "") -> None:
        """Note that an object, by its uid, holds a claim."""
        if table == CLUSTER_IPS:
            self._cluster_ips.hold(key)
        elif table == NODE_PORTS:
            self._node_ports.hold(int(key))
        elif table == LB_ADDRESSES:
            address = key.removesuffix(_SHARED)
            if address != key:
                self._sharers.setdefault(address, set()).add(owner)
            self._lb_addresses.hold(address)

    def release(self, table: str, key: str, owner: str = "") -> bool:
        """Note that a claim is gone; answers whether what it stood for is free now."""
        if table == CLUSTER_IPS:
            return self._cluster_ips.release(key)
        if table == NODE_PORTS:
            return self._node_ports.release(int(key))
        return table == LB_ADDRESSES and self._release_shared(key.removesuffix(_SHARED), owner)

    def give_back(self, picks: Picks) -> None:
        """Let go of everything that was picked: it was not stored, so that nobody ever used it."""
        for table, key in picks.picked:
            if table == NODE_PORTS:
                self._node_ports.release(int(key), unused=True)
            else:
                held = self._cluster_ips if table == CLUSTER_IPS else self._lb_addresses
                held.release(key, unused=True)

    def moved(self, old: Service | IPAddress | None, new: Service | IPAddress | None, cluster: Cluster) -> bool:
        """Note the difference between what two states of an object hold; answers whether anything was released."""
        before, after = _claimed(old, cluster), _claimed(new, cluster)
        for table, key, owner in after - before:
            self.hold(table, key, owner)
        released = [self.release(table, key, owner) for table, key, owner in before - after]
        return any(released)

    def fills(self) -> Iterator[Fill]:
        """How full each pool is."""
        ports = self._node_ports
        yield Fill("node ports", "", "", ports.size, ports.used, ports.resting, ports.free)
        for (name, family), pool in (*self._cluster_ips.pools.items(), *self._lb_addresses.pools.items()):
            numbers = pool.numbers
            scope = pool.description.scope
            yield Fill(name, family, scope, numbers.size, numbers.used, numbers.resting, numbers.free)

    def _release_shared(self, address: str, owner: str) -> bool:
        sharers = self._sharers.get(address)
        if sharers is not None:
            sharers.discard(owner)
            if sharers:
                return False
            del self._sharers[address]
        return self._lb_addresses.release(address)

    def _laid_out(self) -> Pools:
        return Pools(
            cluster_ips={family: pool for (_, family), pool in self._cluster_ips.pools.items()},
            node_ports=self._node_ports,
            addresses=self._lb_addresses.pools,
            random_below=self._random_below,
        )


def _claimed(obj: Service | IPAddress | None, cluster: Cluster) -> set[tuple[str, str, str]]:
    if obj is None:
        return set()
    if isinstance(obj, Service):
        claims = SERVICE.strategy.claims(obj, cluster)
    else:
        claims = IP_ADDRESS.strategy.claims(obj, cluster)
    owner = obj.metadata.uid or ""
    return {(claim.table, claim.key, owner) for claim in claims if claim.table in POOLED_CLAIMS}
