"""What is free, from memory: the pools, kept in step with claims that others make and let go."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.kinds.ip_address import IPAddress
from app.domain.kinds.service import Service
from app.domain.kinds.static_address import StaticAddress
from app.domain.pools.address_pool import HeldAddresses
from app.domain.pools.number_pool import Clock, PortPool, RandomBelow
from app.domain.pools.picking import CLUSTER_IPS, NODE_PORTS, Picks, Pools
from app.domain.pools.portions import CLUSTER_IP_POOL, StockKey
from app.domain.rules.address_claims import ALONE, LB_ADDRESSES, OWN, claimed_address, how
from app.domain.rules.address_ranges import service_range
from app.domain.rules.cluster import Cluster
from app.domain.rules.pool_description import PoolDescription

POOLED_CLAIMS = (CLUSTER_IPS, NODE_PORTS, LB_ADDRESSES)
"""The claim tables that mirror pools; the rest only guard against collisions."""

Holder = Service | StaticAddress | IPAddress
"""What holds claims of pools."""

_GIVEN_TO = ""
"""Stands for the object that an address was given to: there is one, so that it need not be known which."""


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
        # Who holds an address, where it is not only one that it was given to; it is free when nobody does any more.
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
        self._cluster_ips.describe([PoolDescription(CLUSTER_IP_POOL, "", ranges)] if ranges else [])
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
            self._hold_address(claimed_address(key), _holder(key, owner))

    def release(self, table: str, key: str, owner: str = "") -> bool:
        """Note that a claim is gone; answers whether what it stood for is free now."""
        if table == CLUSTER_IPS:
            return self._cluster_ips.release(key)
        if table == NODE_PORTS:
            return self._node_ports.release(int(key))
        return table == LB_ADDRESSES and self._release_address(claimed_address(key), _holder(key, owner))

    def rest(self, address: str, ago: float) -> None:
        """Let a load balancer address rest that was released some seconds ago, as long as its pool says."""
        self._lb_addresses.rest(address, ago)

    def held_by_others(self, address: str, uid: str) -> bool:
        """Whether an object other than the one with this uid holds a load balancer address.

        The uid is of one that has asked for the address, or is about to have another one.
        """
        sharers = self._sharers.get(address)
        return self._lb_addresses.holds(address) if sharers is None else bool(sharers - {uid})

    def give_back(self, picks: Picks) -> None:
        """Let go of everything that was picked: it was not stored, so that nobody ever used it."""
        for table, key in picks.picked:
            if table == NODE_PORTS:
                self._node_ports.release(int(key), unused=True)
            else:
                held = self._cluster_ips if table == CLUSTER_IPS else self._lb_addresses
                held.release(key, unused=True)

    def set_aside(self, pool: StockKey, most: int, seconds: float) -> Sequence[str | int]:
        """Set values of a pool aside for a stock; see `NumberPool.set_aside`. None of a pool whose addresses rest.

        Somebody may ask for an address of a stock and release it: it would rest, and the stock would not know of it.
        """
        table, name, family = pool
        if table == NODE_PORTS:
            return self._node_ports.set_aside(most, self._random_below, seconds)
        held = {CLUSTER_IPS: self._cluster_ips, LB_ADDRESSES: self._lb_addresses}.get(table)
        found = None if held is None else held.pools.get((name, family))
        if found is None or found.description.reuse_after_seconds or not found.description.gives:
            return []
        return found.set_aside(most, self._random_below, seconds)

    def moved(self, old: Holder | None, new: Holder | None, cluster: Cluster) -> bool:
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

    def _hold_address(self, address: str, holder: str) -> None:
        sharers = self._sharers.get(address)
        if sharers is not None:
            sharers.add(holder)
        elif holder == _GIVEN_TO:
            self._lb_addresses.hold(address)
        else:
            given = {_GIVEN_TO} if self._lb_addresses.holds(address) else set()
            self._sharers[address] = {holder, *given}
            self._lb_addresses.hold(address)

    def _release_address(self, address: str, holder: str) -> bool:
        sharers = self._sharers.get(address)
        if sharers is None:
            return holder == _GIVEN_TO and self._lb_addresses.release(address)
        sharers.discard(holder)
        if sharers - {_GIVEN_TO}:
            return False
        del self._sharers[address]
        return not sharers and self._lb_addresses.release(address)

    def _laid_out(self) -> Pools:
        return Pools(
            cluster_ips={family: pool for (_, family), pool in self._cluster_ips.pools.items()},
            node_ports=self._node_ports,
            addresses=self._lb_addresses.pools,
            random_below=self._random_below,
            held_by_others=self.held_by_others,
        )


def _holder(key: str, owner: str) -> str:
    """Who holds an address by a claim, as far as that has to be remembered."""
    return _GIVEN_TO if how(key)[1] in (OWN, ALONE) else owner


def _claimed(obj: Holder | None, cluster: Cluster) -> set[tuple[str, str, str]]:
    if obj is None:
        return set()
    if isinstance(obj, Service):
        claims = SERVICE.strategy.claims(obj, cluster)
    elif isinstance(obj, StaticAddress):
        claims = STATIC_ADDRESS.strategy.claims(obj, cluster)
    else:
        claims = IP_ADDRESS.strategy.claims(obj, cluster)
    owner = obj.metadata.uid or ""
    return {(claim.table, claim.key, owner) for claim in claims if claim.table in POOLED_CLAIMS}
