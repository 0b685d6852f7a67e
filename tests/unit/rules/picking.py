"""Small pools, and Services with what was picked from them."""

from app.domain.declarations.service import SERVICE
from app.domain.pools.allocation import Pools, allocate
from app.domain.pools.family_pool import FamilyPool, RangePool
from app.domain.pools.number_pool import PortPool
from app.domain.rules.address_ranges import pool_range
from tests.unit.rules.builders import SINGLE, created

INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
SUBNET = "service.beta.kubernetes.io/azure-load-balancer-internal-subnet"
IPV4 = "service.beta.kubernetes.io/azure-load-balancer-ipv4"
IPV6 = "service.beta.kubernetes.io/azure-load-balancer-ipv6"
NAME = "service.beta.kubernetes.io/azure-pip-name"
MORE = "service.beta.kubernetes.io/azure-additional-public-ips"
WHOLE = "service.beta.kubernetes.io/azure-load-balancer-enable-high-availability-ports"


def pool(name, *texts):
    return FamilyPool(name, [RangePool(pool_range(text)) for text in texts])


def pools(**more):
    """Small pools that are picked from in order."""
    given = {
        "cluster_ips": {"IPv4": pool("ClusterIP", "10.96.0.1-10.96.0.9"), "IPv6": pool("ClusterIP", "fd00::1-fd00::9")},
        "node_ports": PortPool(30000, 30009),
        "internal": {"IPv4": pool("internal", "10.240.0.1-10.240.0.9"), "IPv6": pool("internal", "fd01::1-fd01::9")},
        "external": {"IPv4": pool("external", "20.0.0.1-20.0.0.9"), "IPv6": pool("external", "fd02::1-fd02::9")},
        "random_below": lambda _size: 0,
    }
    return Pools(**{**given, **more})


def given(spec, at=SINGLE, *, from_=None, is_new=True, **metadata):
    """A new Service with what it was given."""
    new, causes = created(spec, at, **metadata)
    assert causes == []
    result = allocate(new, from_ or pools(), at, created=is_new)
    return new, result


def ingress(service):
    points = service.status.load_balancer.ingress or []
    assert all(point.ip_mode == "VIP" for point in points)
    return [point.ip for point in points]


def pending(service, at=SINGLE):
    return SERVICE.strategy.pending(service, at)


def claimed(service, at=SINGLE):
    return {(claim.table, claim.key) for claim in SERVICE.strategy.claims(service, at)}
