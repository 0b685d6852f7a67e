"""Small pools, and Services with what was picked from them."""

from typing import NamedTuple

from msgspec.structs import replace

from app.domain.declarations.service import SERVICE
from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.static_address import StaticAddress, StaticAddressSpec, StaticAddressStatus
from app.domain.pools.address_pool import HeldAddresses
from app.domain.pools.allocation import allocate
from app.domain.pools.number_pool import PortPool
from app.domain.pools.picking import Pools
from app.domain.rules.address_ranges import service_range
from app.domain.rules.addresses import family_of
from app.domain.rules.known_addresses import NoAddresses
from app.domain.rules.pool_description import PoolDescription
from tests.unit.rules.builders import SINGLE, created

INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
SUBNET = "service.beta.kubernetes.io/azure-load-balancer-internal-subnet"
IPV4 = "service.beta.kubernetes.io/azure-load-balancer-ipv4"
IPV6 = "service.beta.kubernetes.io/azure-load-balancer-ipv6"
NAME = "service.beta.kubernetes.io/azure-pip-name"
MORE = "service.beta.kubernetes.io/azure-additional-public-ips"
WHOLE = "service.beta.kubernetes.io/azure-load-balancer-enable-high-availability-ports"


class Known(NoAddresses):
    """StaticAddresses by namespace and name."""

    def __init__(self, addresses):
        self._all = {}
        for path, address in addresses.items():
            namespace, name = path.split("/")
            spec = StaticAddressSpec(family=family_of(address), address=address)
            metadata = ObjectMeta(name=name, namespace=namespace)
            status = StaticAddressStatus(address=address)
            self._all[namespace, name] = StaticAddress("fairlead.io/v1", "StaticAddress", metadata, spec, status)

    def static(self, namespace, name):
        return self._all.get((namespace, name))

    def static_at(self, address):
        return next((each for each in self._all.values() if each.status.address == address), None)


class Small(NamedTuple):
    """Small pools that are picked from in order, and what a cluster knows of them and of static addresses."""

    pools: Pools
    described: tuple[PoolDescription, ...]
    addresses: Known


INSIDE = PoolDescription.of("internal", "internal", ["10.240.0.1-10.240.0.9", "fd01::1-fd01::9"])
OUTSIDE = PoolDescription.of("external", "external", ["20.0.0.1-20.0.0.9", "fd02::1-fd02::9"])


def held_by_nobody(*described):
    """Pools by name and family."""
    held = HeldAddresses(lambda: 0.0)
    held.describe(described)
    return held.pools


def cluster_ips(*texts):
    """The ClusterIPs of these ranges, by family."""
    pools = held_by_nobody(PoolDescription.of("ClusterIP", "", texts))
    return {family: pool for (_, family), pool in pools.items()}


def node_ports(first, last):
    return PortPool(first, last, lambda: 0.0)


HELD = ("20.0.0.5", "20.0.0.6")
"""Addresses that other objects hold, and that can be shared."""


def pools(*described, static_addresses=None, **more):
    """Small pools; without `described` an internal and an external one of both families."""
    described = described or (INSIDE, OUTSIDE)
    given = {
        "cluster_ips": cluster_ips("10.96.0.1-10.96.0.9", "fd00::1-fd00::9"),
        "node_ports": node_ports(30000, 30009),
        "addresses": held_by_nobody(*described),
        "random_below": lambda _size: 0,
        "held_by_others": lambda address, _uid: address in HELD,
    }
    return Small(Pools(**{**given, **more}), described, Known(static_addresses or {}))


def no_cluster_ips(**others):
    """A range of IPv4 that has no address to give."""
    empty = held_by_nobody(PoolDescription("ClusterIP", "", (service_range("10.96.0.0/31"),)))
    return {"IPv4": empty["ClusterIP", "IPv4"], **others}


def allocated(service, at, from_=None, *, is_new=False):
    """Give a Service what it lacks, in place; answers what became of it."""
    small = from_ or pools()
    here = replace(at, pools=small.described, addresses=small.addresses)
    return allocate(service, small.pools, here, created=is_new)


def given(spec, at=SINGLE, *, from_=None, is_new=True, **metadata):
    """A new Service with what it was given."""
    new, causes = created(spec, at, **metadata)
    assert causes == []
    return new, allocated(new, at, from_, is_new=is_new)


def ingress(service):
    points = service.status.load_balancer.ingress or []
    assert all(point.ip_mode == "VIP" for point in points)
    return [point.ip for point in points]


def pending(service, at=SINGLE):
    return SERVICE.strategy.pending(service, at)


def claimed(service, at=SINGLE):
    return {(claim.table, claim.key) for claim in SERVICE.strategy.claims(service, at)}
