"""Allocation: what a Service lacks is picked from pools and written into it.

The claims of the result make it true: whoever stores it and finds a value taken by somebody else picks again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from app.domain.kinds.service import LoadBalancerIngress, LoadBalancerStatus, Service, ServicePort
from app.domain.pools.number_pool import RandomBelow
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.conditions import (
    Shortage,
    missing_additional_addresses,
    missing_frontend_families,
    refresh_conditions,
)
from app.domain.rules.service.load_balancer_wish import (
    INTERNAL_SUBNET,
    StaticAddress,
    annotation_field,
    is_internal,
    static_address,
    subnet,
)
from app.domain.rules.service.needs import lacks_health_check_node_port, missing_cluster_ip_families, missing_node_ports

POOL_EXHAUSTED, NO_POOL, ADDRESS_NOT_FOUND = "PoolExhausted", "NoPool", "AddressNotFound"


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

    def release(self, value: T, /) -> bool:
        """Let go of a value; False when it was not held."""

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
        internal: Private load balancer frontends.
        external: Public load balancer frontends.
        random_below: Source of chance: a number in 0..n-1.
        static_addresses: Addresses reserved by name, keyed `namespace/name`.
        subnets: Parts of the private side by name, each by family.
    """

    cluster_ips: Mapping[str, Pool[str]]
    node_ports: Pool[int]
    internal: Mapping[str, Pool[str]]
    external: Mapping[str, Pool[str]]
    random_below: RandomBelow
    static_addresses: Mapping[str, str] = field(default_factory=dict)
    subnets: Mapping[str, Mapping[str, Pool[str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picks:
    """What became of one attempt.

    Attributes:
        shortages: What is still missing; empty when the Service has everything.
        picked: The values that were picked, each held in its pool now.
        exhausted: The pools that had too little left, and how many values of each are needed at once; trying again
            makes sense when one of them has so many free.
    """

    shortages: tuple[Shortage, ...]
    picked: tuple[tuple[Pool[Any], Any], ...]
    exhausted: tuple[tuple[Pool[Any], int], ...] = ()

    def give_back(self) -> None:
        """Let go of everything picked: the Service was not stored with it."""
        for pool, value in self.picked:
            pool.release(value)


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


class _Attempt:
    """One allocation under way."""

    def __init__(self, service: Service, pools: Pools, cluster: Cluster) -> None:
        self._service = service
        self._pools = pools
        self._cluster = cluster
        self.shortages: list[Shortage] = []
        self.picked: list[tuple[Pool[Any], Any]] = []
        self.exhausted: list[tuple[Pool[Any], int]] = []

    def cluster_ips(self) -> None:
        """One ClusterIP for each of `ipFamilies`; the first is also `clusterIP`. A gap stops, for order is meaning."""
        spec = self._service.spec
        for family in missing_cluster_ip_families(spec):
            address = self._pick_address(self._pools.cluster_ips, family, f"{family} ClusterIP")
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
            asked = static_address(self._service, family)
            address = self._named(asked) if asked else self._pick_frontend(family)
            if address is not None:
                self._show(address)
        for address in missing_additional_addresses(self._service, self._cluster):
            self._show(address)

    def _show(self, address: str) -> None:
        points = self._service.status.load_balancer.ingress or []
        point = LoadBalancerIngress(ip=address, ip_mode="VIP")
        self._service.status.load_balancer = LoadBalancerStatus(ingress=[*points, point])

    def _named(self, asked: StaticAddress) -> str | None:
        if asked.address:
            return asked.address
        address = self._pools.static_addresses.get(f"{self._service.metadata.namespace}/{asked.name}")
        if address is None:
            message = f'{asked.field} names the static address "{asked.name}", which this namespace does not have'
            self.shortages.append(Shortage(ADDRESS_NOT_FOUND, asked.name, 0, 0, message))
        return address

    def _pick_frontend(self, family: str) -> str | None:
        name = subnet(self._service)
        if name and name not in self._pools.subnets:
            message = f'{annotation_field(INTERNAL_SUBNET)} names the subnet "{name}", which does not exist'
            self.shortages.append(Shortage(NO_POOL, name, 0, 0, message))
            return None
        if name:
            return self._pick_address(self._pools.subnets[name], family, f"{family} address in subnet {name}")
        if is_internal(self._service):
            return self._pick_address(self._pools.internal, family, f"internal {family} load balancer address")
        return self._pick_address(self._pools.external, family, f"external {family} load balancer address")

    def _pick_address(self, pools: Mapping[str, Pool[str]], family: str, what: str) -> str | None:
        pool = pools.get(family)
        if pool is None:
            message = f"no {what}: there is no pool of them; add one, and it is given at once"
            self.shortages.append(Shortage(NO_POOL, what, 0, 0, message))
            return None
        address = pool.pick(self._pools.random_below)
        if address is None:
            self._exhausted(pool, f"no {what}")
            return None
        self.picked.append((pool, address))
        return address

    def _pick_ports(self, wanted: Sequence[str]) -> list[int]:
        """A node port for each of what is wanted; none at all where there are too few."""
        pool = self._pools.node_ports
        if pool.free < len(wanted):
            self._exhausted(pool, ", ".join(f"no {what}" for what in wanted), len(wanted))
            return []
        numbers = [port for _ in wanted if (port := pool.pick(self._pools.random_below)) is not None]
        self.picked += [(pool, number) for number in numbers]
        return numbers

    def _exhausted(self, pool: Pool[Any], what: str, needed: int = 1) -> None:
        taken = f"{pool.free} of {pool.size} are free in {pool.label}"
        hope = "as soon as one is released" if needed == 1 else f"as soon as {needed} are free at once"
        self.shortages.append(
            Shortage(POOL_EXHAUSTED, pool.label, pool.size, pool.free, f"{what}: {taken}; it is tried again {hope}")
        )
        self.exhausted.append((pool, needed))
