"""The addresses of a LoadBalancer Service that our own controller serves: which it may ask for, which it keeps.

A Service keeps the address it has. It gives one up only when it asks for another, moves between private and public, or
drops the family.
"""

from collections.abc import Iterator, Sequence

from app.domain.errors import Cause, invalid
from app.domain.kinds.service import LoadBalancerIngress, LoadBalancerStatus, Service
from app.domain.rules.address_ranges import pool_range
from app.domain.rules.addresses import canonical, family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.families import FAMILIES
from app.domain.rules.service.load_balancer_wish import (
    additional_addresses,
    is_internal,
    is_ours,
    static_address,
    subnet,
)


def keep_frontends(new: Service, old: Service, cluster: Cluster) -> None:
    """Leave in status the addresses that the Service may keep, in place."""
    points = new.status.load_balancer.ingress or []
    if points and is_ours(new, cluster):
        kept = [point for point in points if _is_kept(point, new, old)]
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


def _is_kept(point: LoadBalancerIngress, new: Service, old: Service) -> bool:
    if not point.ip or point.ip in additional_addresses(old):
        return not point.ip or point.ip in additional_addresses(new)
    family = family_of(point.ip)
    asked, asked_before = static_address(new, family), static_address(old, family)
    if family not in (new.spec.ip_families or []):
        return False
    if asked is None:
        return is_internal(new) == is_internal(old) and subnet(new) == subnet(old)
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
    """An address asked for comes from the pool of its side, private or public."""
    internal = is_internal(new)
    pools = cluster.internal_pools if internal else cluster.external_pools
    if not (cluster.internal_pools or cluster.external_pools):
        return
    for family in new.spec.ip_families or []:
        asked = static_address(new, family)
        if asked is None or not asked.address:
            continue
        unchanged = old is not None and is_internal(old) == internal and static_address(old, family) == asked
        if not unchanged and not any(pool_range(text).covers(asked.address) for text in pools):
            side = "internal" if internal else "external"
            yield invalid(asked.field, asked.address, f"must be a usable address of the {side} pools: {_listed(pools)}")


def _listed(pools: Sequence[str]) -> str:
    return ", ".join(pools) or "there are none"
