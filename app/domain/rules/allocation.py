"""Allocation: what a Service lacks is picked from pools and written into it.

The claims of the result make it true: whoever stores it and finds a value taken by somebody else picks again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.kinds.meta import Cluster
from app.domain.kinds.service import LoadBalancerIngress, LoadBalancerStatus, Service
from app.domain.ranges import AddressPool, PortRange, RandomBelow
from app.domain.rules.conditions import (
    Shortage,
    missing_additional_addresses,
    missing_frontend_families,
    refresh_conditions,
)
from app.domain.rules.load_balancer_wish import (
    INTERNAL_SUBNET,
    StaticAddress,
    annotation_field,
    is_internal,
    static_address,
    subnet,
)
from app.domain.rules.needs import lacks_health_check_node_port, missing_cluster_ip_families, missing_node_ports

POOL_EXHAUSTED, NO_POOL, ADDRESS_NOT_FOUND = "PoolExhausted", "NoPool", "AddressNotFound"


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

    cluster_ips: Mapping[str, AddressPool]
    node_ports: PortRange
    internal: Mapping[str, AddressPool]
    external: Mapping[str, AddressPool]
    random_below: RandomBelow
    static_addresses: Mapping[str, str] = field(default_factory=dict)
    subnets: Mapping[str, Mapping[str, AddressPool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Allocation:
    """What became of one attempt.

    Attributes:
        shortages: What is still missing; empty when the Service has everything.
        picked: The values that were picked, each held in its pool now.
        exhausted: The pools that had nothing left; trying again makes sense when one of them has something free.
    """

    shortages: tuple[Shortage, ...]
    picked: tuple[tuple[AddressPool | PortRange, Any], ...]
    exhausted: tuple[AddressPool | PortRange, ...] = ()

    def give_back(self) -> None:
        """Let go of everything picked: the Service was not stored with it."""
        for pool, value in self.picked:
            pool.release(value)


def allocate(service: Service, pools: Pools, cluster: Cluster, *, created: bool) -> Allocation:
    """Give a Service what it lacks, in place, conditions included; what it has stays.

    Args:
        service: Changed in place.
        pools: What to pick from; picks are held there.
        cluster: For the conditions.
        created: Whether this is a new Service, whose ports of one number share a nodePort.
    """
    attempt = _Attempt(service, pools)
    attempt.cluster_ips()
    attempt.node_ports(shared=created)
    attempt.health_check_node_port()
    attempt.frontends()
    refresh_conditions(service, cluster, attempt.shortages)
    return Allocation(tuple(attempt.shortages), tuple(attempt.picked), tuple(attempt.exhausted))


class _Attempt:
    """One allocation under way."""

    def __init__(self, service: Service, pools: Pools) -> None:
        self._service = service
        self._pools = pools
        self.shortages: list[Shortage] = []
        self.picked: list[tuple[AddressPool | PortRange, Any]] = []
        self.exhausted: list[AddressPool | PortRange] = []

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
        """A nodePort for each port that lacks one; on create, ports of one number (TCP and UDP) share it."""
        spec = self._service.spec
        by_number: dict[int, int] = {}
        if shared:
            for port in reversed(spec.ports or []):
                if port.node_port:
                    by_number[port.port] = port.node_port
        for port in missing_node_ports(spec):
            node_port = by_number.get(port.port) or self._pick_port(f"node port for port {port.port}/{port.protocol}")
            if node_port is None:
                return
            port.node_port = node_port
            if shared:
                by_number[port.port] = node_port

    def health_check_node_port(self) -> None:
        """A port at which each node says whether it has local endpoints."""
        spec = self._service.spec
        if lacks_health_check_node_port(spec):
            spec.health_check_node_port = self._pick_port("health check node port") or 0

    def frontends(self) -> None:
        """A load balancer address for each family that lacks one, and the additional addresses."""
        for family in missing_frontend_families(self._service):
            asked = static_address(self._service, family)
            address = self._named(asked) if asked else self._pick_frontend(family)
            if address is not None:
                self._show(address)
        for address in missing_additional_addresses(self._service):
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

    def _pick_address(self, pools: Mapping[str, AddressPool], family: str, what: str) -> str | None:
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

    def _pick_port(self, what: str) -> int | None:
        pool = self._pools.node_ports
        port = pool.pick(self._pools.random_below)
        if port is None:
            self._exhausted(pool, f"no {what}")
            return None
        self.picked.append((pool, port))
        return port

    def _exhausted(self, pool: AddressPool | PortRange, what: str) -> None:
        taken = f"{pool.free} of {pool.size} are free in {pool.label}"
        message = f"{what}: {taken}; it is tried again as soon as one is released"
        self.shortages.append(Shortage(POOL_EXHAUSTED, pool.label, pool.size, pool.free, message))
        self.exhausted.append(pool)
