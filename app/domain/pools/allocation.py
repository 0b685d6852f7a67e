"""Allocation: what a Service lacks is picked from pools and written into it.

The claims of the result make it true. If another object turns out to hold a value when the result is stored, the caller
picks again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from app.domain.kinds.service import LoadBalancerIngress, LoadBalancerStatus, Service, ServicePort
from app.domain.pools.address_pool import PoolKey
from app.domain.pools.number_pool import RandomBelow
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.conditions import (
    Shortage,
    missing_additional_addresses,
    missing_frontend_families,
    refresh_conditions,
)
from app.domain.rules.service.load_balancer_wish import AskedAddress, wish_of
from app.domain.rules.service.needs import lacks_health_check_node_port, missing_cluster_ip_families, missing_node_ports
from app.domain.rules.service.pool_choice import PoolWish, pools_for, why_none

POOL_EXHAUSTED, NO_POOL, ADDRESS_NOT_FOUND = "PoolExhausted", "NoPool", "AddressNotFound"

CLUSTER_IPS, NODE_PORTS, LB_ADDRESSES = "cluster_ips", "node_ports", "lb_addresses"
"""The claim tables that mirror pools."""

_SHOWN = 3

T = TypeVar("T")


class Pool(Protocol[T]):
    """Addresses or ports, some of which are held: a FamilyPool, a PortPool or a sample of one."""

    @property
    def label(self) -> str:
        """How a shortage names it."""

    @property
    def size(self) -> int:
        """How many values there are when none is held."""

    @property
    def free(self) -> int:
        """How many can be picked."""

    def hold(self, value: T, /) -> bool:
        """Note that a value is held; False when it is not among those that can be picked."""

    def parts(self, random_below: RandomBelow) -> Iterator[tuple[T, T]]:
        """First and last of each part of it, in the order in which a pick looks through them."""

    def pick(self, random_below: RandomBelow) -> T | None:
        """Hold a value that was not held and return it, None when there is none."""


@dataclass(frozen=True, slots=True)
class Pools:
    """What can be picked from, by IP family where families differ.

    Attributes:
        cluster_ips: ClusterIPs; a family may have several ranges (KEP-1880).
        node_ports: Node ports and health check node ports.
        addresses: Load balancer addresses, by name of the pool and family.
        random_below: Source of chance: a number in 0..n-1.
        static_addresses: Addresses reserved by name, keyed `namespace/name`.
    """

    cluster_ips: Mapping[str, Pool[str]]
    node_ports: Pool[int]
    addresses: Mapping[PoolKey, Pool[str]]
    random_below: RandomBelow
    static_addresses: Mapping[str, str] = field(default_factory=dict)

    def hold(self, table: str, key: str) -> None:
        """Keep what a claim stands for from being picked."""
        if table == NODE_PORTS:
            self.node_ports.hold(int(key))
        elif table in (CLUSTER_IPS, LB_ADDRESSES):
            pools = self.cluster_ips.values() if table == CLUSTER_IPS else self.addresses.values()
            for pool in pools:
                pool.hold(key.partition("/")[0])


@dataclass(frozen=True, slots=True)
class Picks:
    """What became of one attempt.

    Attributes:
        shortages: What is still missing; empty when the Service has everything.
        picked: Table and key of the claims that were picked, each held in its pool now.
        exhausted: The pools that had too little left, and how many values of each are needed at once; trying again
            makes sense when one of them has so many free.
    """

    shortages: tuple[Shortage, ...]
    picked: tuple[tuple[str, str], ...]
    exhausted: tuple[tuple[Pool[Any], int], ...] = ()


def allocate(service: Service, pools: Pools, cluster: Cluster, *, created: bool) -> Picks:
    """Give a Service what it lacks, in place, conditions included; what it has stays.

    Args:
        service: Changed in place.
        pools: What to pick from; picks are held there.
        cluster: For the conditions, and for who serves load balancers.
        created: Whether this is a new Service, whose ports of one number share a nodePort.
    """
    attempt = _Attempt(service, pools, cluster)
    attempt.cluster_ips()
    attempt.node_ports(shared=created)
    attempt.frontends()
    refresh_conditions(service, cluster, attempt.shortages)
    return Picks(tuple(attempt.shortages), tuple(attempt.picked), tuple(attempt.exhausted))


def pools_in_question(service: Service, cluster: Cluster) -> Iterator[PoolKey]:
    """The pools of load balancer addresses that `allocate` would look into, by name and family."""
    wish = PoolWish.of(service)
    for family in missing_frontend_families(service, cluster):
        for pool in pools_for(wish, family, cluster.pools):
            yield pool.name, family


class _Attempt:
    """One allocation under way."""

    def __init__(self, service: Service, pools: Pools, cluster: Cluster) -> None:
        self._service = service
        self._pools = pools
        self._cluster = cluster
        self.shortages: list[Shortage] = []
        self.picked: list[tuple[str, str]] = []
        self.exhausted: list[tuple[Pool[Any], int]] = []

    def cluster_ips(self) -> None:
        """One ClusterIP for each of `ipFamilies`; the first is also `clusterIP`. A gap stops, for order is meaning."""
        spec = self._service.spec
        for family in missing_cluster_ip_families(spec):
            address = self._pick_cluster_ip(family)
            if address is None:
                return
            spec.cluster_ips = [*(spec.cluster_ips or []), address]
            spec.cluster_ip = spec.cluster_ips[0]

    def node_ports(self, *, shared: bool) -> None:
        """A nodePort for each port that lacks one, and one for health checks: all of them or none.

        Services that each kept part of what the others wait for would wait for ever. On create, ports of one number
        (TCP and UDP) share a nodePort.
        """
        spec = self._service.spec
        asked = {port.port: port.node_port for port in reversed(spec.ports or []) if port.node_port and shared}
        lacking: dict[int, list[ServicePort]] = {}
        for index, port in enumerate(missing_node_ports(spec)):
            if port.port in asked:
                port.node_port = asked[port.port]
            else:
                lacking.setdefault(port.port if shared else index, []).append(port)
        wanted = [f"node port for port {ports[0].port}/{ports[0].protocol}" for ports in lacking.values()]
        checked = lacks_health_check_node_port(spec)
        numbers = self._pick_ports([*wanted, "health check node port"] if checked else wanted)
        for ports, number in zip(lacking.values(), numbers, strict=False):
            for port in ports:
                port.node_port = number
        if checked and numbers:
            spec.health_check_node_port = numbers[-1]

    def frontends(self) -> None:
        """A load balancer address for each family that lacks one, and the additional addresses."""
        for family in missing_frontend_families(self._service, self._cluster):
            asked = wish_of(self._service).asked.get(family)
            address = self._named(asked) if asked else self._pick_frontend(family)
            if address is not None:
                self._show(address)
        for address in missing_additional_addresses(self._service, self._cluster):
            self._show(address)

    def _show(self, address: str) -> None:
        points = self._service.status.load_balancer.ingress or []
        point = LoadBalancerIngress(ip=address, ip_mode="VIP")
        self._service.status.load_balancer = LoadBalancerStatus(ingress=[*points, point])

    def _named(self, asked: AskedAddress) -> str | None:
        if asked.address:
            return asked.address
        address = self._pools.static_addresses.get(f"{self._service.metadata.namespace}/{asked.name}")
        if address is None:
            message = f'{asked.field} names the static address "{asked.name}", which this namespace does not have'
            self.shortages.append(Shortage(ADDRESS_NOT_FOUND, asked.name, 0, 0, message))
        return address

    def _pick_cluster_ip(self, family: str) -> str | None:
        what = f"no {family} ClusterIP"
        if family not in self._pools.cluster_ips:
            self.shortages.append(Shortage(NO_POOL, what, 0, 0, f"{what}: there is no range of them"))
            return None
        return self._pick(CLUSTER_IPS, what, [self._pools.cluster_ips[family]])

    def _pick_frontend(self, family: str) -> str | None:
        wish = PoolWish.of(self._service)
        what = f"no {wish.scope} {family} load balancer address"
        chosen = pools_for(wish, family, self._cluster.pools)
        if not chosen:
            message = f"{what}: {why_none(wish, family, self._cluster.pools)}"
            self.shortages.append(Shortage(NO_POOL, wish.pool or what, 0, 0, message))
            return None
        return self._pick(LB_ADDRESSES, what, [self._pools.addresses[pool.name, family] for pool in chosen])

    def _pick(self, table: str, what: str, pools: Sequence[Pool[str]]) -> str | None:
        """An address from the first pool that has one."""
        for pool in pools:
            address = pool.pick(self._pools.random_below)
            if address is not None:
                self.picked.append((table, address))
                return address
        self._exhausted(pools, what)
        return None

    def _pick_ports(self, wanted: Sequence[str]) -> list[int]:
        """A node port for each of what is wanted; none at all where there are too few."""
        pool = self._pools.node_ports
        if pool.free < len(wanted):
            self._exhausted([pool], ", ".join(f"no {what}" for what in wanted), len(wanted))
            return []
        numbers = [port for _ in wanted if (port := pool.pick(self._pools.random_below)) is not None]
        self.picked += [(NODE_PORTS, str(number)) for number in numbers]
        return numbers

    def _exhausted(self, pools: Sequence[Pool[Any]], what: str, needed: int = 1) -> None:
        taken = ", ".join(f"{pool.free} of {pool.size} are free in {pool.label}" for pool in pools[:_SHOWN])
        hope = "as soon as one is released" if needed == 1 else f"as soon as {needed} are free at once"
        message = f"{what}: {taken}; it is tried again {hope}"
        size, free = sum(pool.size for pool in pools), sum(pool.free for pool in pools)
        self.shortages.append(Shortage(POOL_EXHAUSTED, pools[0].label, size, free, message))
        self.exhausted += [(pool, needed) for pool in pools]
