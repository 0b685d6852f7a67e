"""Allocation: what a Service lacks is picked from pools and written into it.

The claims of the result make it true. If another object turns out to hold a value when the result is stored, the caller
picks again.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from app.domain.kinds.service import LoadBalancerIngress, LoadBalancerStatus, Service, ServicePort
from app.domain.pools.address_pool import PoolKey
from app.domain.pools.picking import CLUSTER_IPS, NO_POOL, Picking, Picks, Pools
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.asked_addresses import ADDRESS_IN_USE, ADDRESS_NOT_FOUND, asked_of, find, must_exist
from app.domain.rules.service.changing_addresses import settle_changing
from app.domain.rules.service.conditions import (
    missing_additional_addresses,
    missing_frontend_families,
    refresh_conditions,
)
from app.domain.rules.service.frontends import frontend_of
from app.domain.rules.service.load_balancer_wish import AskedAddress
from app.domain.rules.service.needs import lacks_health_check_node_port, missing_cluster_ip_families, missing_node_ports
from app.domain.rules.service.pool_choice import PoolWish, keeps_address, pools_for, why_none

NOTHING_REFUSED: Mapping[str, str] = MappingProxyType({})


def allocate(
    service: Service, pools: Pools, cluster: Cluster, *, created: bool, refused: Mapping[str, str] = NOTHING_REFUSED
) -> Picks:
    """Give a Service what it lacks, in place, conditions included; what it has stays.

    Args:
        service: Changed in place.
        pools: What to pick from; picks are held there.
        cluster: For the conditions, and for who serves load balancers.
        created: Whether this is a new Service, whose ports of one number share a nodePort.
        refused: Addresses that the Service asks for and that turned out to be another's, each with why, in words.
    """
    attempt = _Attempt(service, Picking(pools), cluster, refused)
    attempt.cluster_ips()
    attempt.node_ports(shared=created)
    attempt.frontends()
    refresh_conditions(service, cluster, attempt.picking.shortages)
    return attempt.picking.result()


def pools_in_question(service: Service, cluster: Cluster) -> Iterator[PoolKey]:
    """The pools of load balancer addresses that `allocate` would look into, by name and family."""
    wish = PoolWish.of(service)
    for family in missing_frontend_families(service, cluster):
        for pool in pools_for(wish, family, cluster.pools):
            yield pool.name, family


class _Attempt:
    """One allocation under way."""

    def __init__(self, service: Service, picking: Picking, cluster: Cluster, refused: Mapping[str, str]) -> None:
        self._service = service
        self._cluster = cluster
        self._refused = refused
        self.picking = picking

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
        numbers = self.picking.ports([*wanted, "health check node port"] if checked else wanted)
        for ports, number in zip(lacking.values(), numbers, strict=False):
            for port in ports:
                port.node_port = number
        if checked and numbers:
            spec.health_check_node_port = numbers[-1]

    def frontends(self) -> None:
        """A load balancer address for each family that lacks one or asks for another, and the additional addresses."""
        for family in missing_frontend_families(self._service, self._cluster):
            current = frontend_of(self._service, family)
            asked = asked_of(self._service, family)
            address = self._asked(asked, family) if asked else self._given(family, current)
            if address is not None:
                self._show(address, current)
                settle_changing(self._service, family, self._cluster)
        for address in missing_additional_addresses(self._service, self._cluster):
            self._show(address, "")

    def _show(self, address: str, current: str) -> None:
        """Take traffic at an address, in the place of the current one."""
        points = self._service.status.load_balancer.ingress or []
        point = LoadBalancerIngress(ip=address, ip_mode="VIP")
        shown = [point if current and each.ip == current else each for each in points]
        self._service.status.load_balancer = LoadBalancerStatus(ingress=shown if current else [*shown, point])

    def _asked(self, asked: AskedAddress, family: str) -> str | None:
        """The address that the Service asks for, if there is one that it may use."""
        found = find(asked, self._service, family, self._cluster)
        reason, problem, address = found.reason, found.problem, found.address
        if address in self._refused:
            reason, problem = ADDRESS_IN_USE, self._refused[address]
        elif not problem and must_exist(asked, self._service, self._cluster) and not self._is_held(address):
            problem = "neither a StaticAddress nor another Service of the namespace has this address"
            reason = ADDRESS_NOT_FOUND
        if not problem:
            return address
        told = asked.name or asked.address
        awaited = [f"{asked.namespace or self._service.metadata.namespace}/{asked.name}"] if asked.name else []
        self.picking.lacks(reason, told, f'{asked.field} asks for "{told}": {problem}', *awaited, address)
        return None

    def _given(self, family: str, current: str) -> str | None:
        """The address that the Service has, if it may keep it and nobody shares it, or else another one of a pool."""
        wish = PoolWish.of(self._service)
        stays = current and current not in self._refused and keeps_address(wish, current, self._cluster.pools)
        if stays and not self._is_held(current):
            return current
        what = f"no {wish.scope} {family} load balancer address"
        chosen = pools_for(wish, family, self._cluster.pools)
        if not chosen:
            message = f"{what}: {why_none(wish, family, self._cluster.pools)}"
            self.picking.lacks(NO_POOL, wish.pool or what, message)
            return None
        return self.picking.frontend(what, [(pool.name, family) for pool in chosen])

    def _is_held(self, address: str) -> bool:
        return self.picking.pools.held_by_others(address, self._service.metadata.uid or "")

    def _pick_cluster_ip(self, family: str) -> str | None:
        what = f"no {family} ClusterIP"
        pools = self.picking.pools.cluster_ips
        if family not in pools:
            self.picking.lacks(NO_POOL, what, f"{what}: there is no range of them")
            return None
        return self.picking.address(CLUSTER_IPS, what, [pools[family]])
