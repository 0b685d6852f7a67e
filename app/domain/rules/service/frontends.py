"""The addresses of a LoadBalancer Service that our own controller serves: which it may ask for, which it keeps.

A Service keeps the address it has. It gives one up only when it asks for another, moves between private and public, or
drops the family.
"""

from collections.abc import Iterator

from app.domain.errors import Cause, invalid
from app.domain.kinds.service import LoadBalancerIngress, LoadBalancerStatus, Service
from app.domain.rules.addresses import canonical, family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.families import FAMILIES
from app.domain.rules.service.load_balancer_wish import (
    additional_addresses,
    is_ours,
    static_address,
)
from app.domain.rules.service.pool_choice import PoolWish, admits_address, keeps_address, listed


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
    asked = [static_address(service, family) for family in FAMILIES if family not in families]
    return [
        f"{each.field} is ignored: the Service has only {' and '.join(families)}" for each in asked if each is not None
    ]


def _is_kept(point: LoadBalancerIngress, new: Service, old: Service, cluster: Cluster) -> bool:
    if not point.ip or point.ip in additional_addresses(old):
        return not point.ip or point.ip in additional_addresses(new)
    family = family_of(point.ip)
    asked, asked_before = static_address(new, family), static_address(old, family)
    if family not in (new.spec.ip_families or []):
        return False
    if asked is None:
        wish, before = PoolWish.of(new), PoolWish.of(old)
        return wish == before or keeps_address(wish, canonical(point.ip), cluster.pools)
    return asked == asked_before or asked.address == canonical(point.ip)


def _load_balancer_ip_causes(new: Service, old: Service | None) -> Iterator[Cause]:
    """The deprecated field names one address of a family that the Service has; the annotations beat it."""
    text = new.spec.load_balancer_ip
    if not text or (old is not None and old.spec.load_balancer_ip == text):
        return
    family, families = family_of(text), new.spec.ip_families or []
    if not family:
        yield invalid("spec.loadBalancerIP", text, "must be an IP address, such as 10.9.8.7 or 2001:db8::ffff")
    elif families and family not in families:
        yield invalid("spec.loadBalancerIP", text, f"must be {' or '.join(families)}, as spec.ipFamilies says")


def _pool_causes(new: Service, old: Service | None, cluster: Cluster) -> Iterator[Cause]:
    """An address asked for comes from a pool of its side, private or public, that the Service may use."""
    wish = PoolWish.of(new)
    for family in new.spec.ip_families or [] if cluster.pools else []:
        asked = static_address(new, family)
        if asked is None or not asked.address:
            continue
        unchanged = old is not None and PoolWish.of(old) == wish and static_address(old, family) == asked
        if not unchanged and not admits_address(wish, asked.address, cluster.pools):
            pools = listed(wish, asked.address, cluster.pools)
            yield invalid(asked.field, asked.address, f"must be a usable address of {wish.side}: {pools}")
