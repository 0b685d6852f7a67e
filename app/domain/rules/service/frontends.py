"""The addresses of a LoadBalancer Service that our own controller serves: those it may ask for, and those it keeps.

A Service keeps its address until it asks for another one, changes between private and public, or drops the family.
"""

from collections.abc import Iterator

from app.domain.errors import Cause, invalid
from app.domain.kinds.service import LoadBalancerIngress, LoadBalancerStatus, Service
from app.domain.rules.addresses import canonical, family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.load_balancer_wish import is_ours, wish_of
from app.domain.rules.service.pool_choice import PoolWish, keeps_address, why_not_asked


def keep_frontends(new: Service, old: Service, cluster: Cluster) -> None:
    """Leave in status the addresses that the Service may keep, in place."""
    points = new.status.load_balancer.ingress or []
    if points and is_ours(new, cluster):
        kept = [point for point in points if _is_kept(point, new, old, cluster)]
        new.status.load_balancer = LoadBalancerStatus(ingress=kept or None)


def frontend_causes(new: Service, old: Service | None, cluster: Cluster) -> list[Cause]:
    """What is wrong with the addresses asked for; `old` is the stored Service if our controller served it, too."""
    return [*_load_balancer_ip_causes(new, old), *_pool_causes(new, old, cluster)]


def frontend_warnings(service: Service) -> list[str]:
    """Point out an address asked for in a family that the Service does not have."""
    families = service.spec.ip_families or []
    asked = wish_of(service).asked.items()
    return [
        f"{each.field} is ignored: the Service has only {' and '.join(families)}"
        for family, each in asked
        if family not in families
    ]


def _is_kept(point: LoadBalancerIngress, new: Service, old: Service, cluster: Cluster) -> bool:
    wish, before = wish_of(new), wish_of(old)
    if not point.ip or point.ip in before.additional_addresses:
        return not point.ip or point.ip in wish.additional_addresses
    family = family_of(point.ip)
    if family not in (new.spec.ip_families or []):
        return False
    asked = wish.asked.get(family)
    if asked is None:
        pool = PoolWish.of(new)
        return pool == PoolWish.of(old) or keeps_address(pool, canonical(point.ip), cluster.pools)
    return asked == before.asked.get(family) or asked.address == canonical(point.ip)


def _load_balancer_ip_causes(new: Service, old: Service | None) -> Iterator[Cause]:
    """The deprecated field is an address of a family of the Service. Annotations take precedence over it."""
    text = new.spec.load_balancer_ip
    if not text or (old is not None and old.spec.load_balancer_ip == text):
        return
    family, families = family_of(text), new.spec.ip_families or []
    if not family:
        yield invalid("spec.loadBalancerIP", text, "must be an IP address, such as 10.9.8.7 or 2001:db8::ffff")
    elif families and family not in families:
        yield invalid("spec.loadBalancerIP", text, f"must be {' or '.join(families)}, as in spec.ipFamilies")


def _pool_causes(new: Service, old: Service | None, cluster: Cluster) -> Iterator[Cause]:
    """An address that the client asks for is in a pool that the Service may use, private or public."""
    asked_for, pool = wish_of(new).asked, PoolWish.of(new)
    before = wish_of(old).asked if old is not None and PoolWish.of(old) == pool else {}
    for family in new.spec.ip_families or [] if cluster.pools else []:
        asked = asked_for.get(family)
        if asked is None or not asked.address or asked == before.get(family):
            continue
        problem = why_not_asked(pool, asked.address, cluster.pools)
        if problem:
            yield invalid(asked.field, asked.address, problem)
