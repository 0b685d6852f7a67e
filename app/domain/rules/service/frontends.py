"""The addresses of a LoadBalancer Service that our own controller serves: those it may ask for, and those it keeps.

A Service keeps its address until it asks for another one, changes between private and public, or drops the family. Then
it takes traffic at the old address until it has the new one.
"""

from collections.abc import Iterator

from app.domain.errors import Cause, invalid
from app.domain.kinds.service import LoadBalancerIngress, LoadBalancerStatus, Service
from app.domain.rules.addresses import canonical, family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.annotations import ADDITIONAL_ADDRESSES, annotation_field
from app.domain.rules.service.asked_addresses import ADDRESS_NOT_FOUND, asked_of, find
from app.domain.rules.service.changing_addresses import changing_families, tell_changing
from app.domain.rules.service.load_balancer_wish import AskedAddress, is_ours, wish_of
from app.domain.rules.service.pool_choice import PoolWish, keeps_address, why_not_asked


def keep_frontends(new: Service, old: Service, cluster: Cluster) -> None:
    """Drop the addresses of families that the Service has no more, and note which shall change, in place."""
    points = new.status.load_balancer.ingress or []
    if not is_ours(new, cluster):
        tell_changing(new, (), cluster)
        return
    kept = [point for point in points if _is_kept(point, new, old)]
    if points:
        new.status.load_balancer = LoadBalancerStatus(ingress=kept or None)
    changing = [
        family
        for family in new.spec.ip_families or []
        if (current := frontend_of(new, family)) and not _fits(current, family, new, old, cluster)
    ]
    tell_changing(new, changing, cluster)


def frontend_of(service: Service, family: str) -> str:
    """The address of a family at which the Service takes traffic, in canonical text; "" if it has none."""
    additional = wish_of(service).additional_addresses
    for point in service.status.load_balancer.ingress or ():
        if point.ip and point.ip not in additional and family_of(point.ip) == family:
            return canonical(point.ip)
    return ""


def frontend_causes(new: Service, old: Service | None, cluster: Cluster) -> list[Cause]:
    """What is wrong with the addresses asked for; `old` is the stored Service if our controller served it, too."""
    return [
        *_load_balancer_ip_causes(new, old),
        *_asked_causes(new, old, cluster),
        *_additional_causes(new, old, cluster),
    ]


def frontend_warnings(service: Service) -> list[str]:
    """Point out an address asked for in a family that the Service does not have."""
    families = service.spec.ip_families or []
    asked = wish_of(service).asked.items()
    return [
        f"{each.field} is ignored: the Service has only {' and '.join(families)}"
        for family, each in asked
        if family not in families
    ]


def _is_kept(point: LoadBalancerIngress, new: Service, old: Service) -> bool:
    if not point.ip or point.ip in wish_of(old).additional_addresses:
        return not point.ip or point.ip in wish_of(new).additional_addresses
    return family_of(point.ip) in (new.spec.ip_families or [])


def _fits(current: str, family: str, new: Service, old: Service, cluster: Cluster) -> bool:
    """Whether the current address is what the Service asks for now.

    Whether an address that was asked for can stay when it is not asked for any more, is for the reconciler to say: it
    knows who else holds it.
    """
    pool, asked, before = PoolWish.of(new), asked_of(new, family), asked_of(old, family)
    was_changing = family in changing_families(old)
    if asked == before and pool == PoolWish.of(old) and not was_changing:
        return True
    if asked is not None:
        return find(asked, new, family, cluster).address == current and _why_not_in_pool(asked, new, cluster) == ""
    return before is None and not was_changing and keeps_address(pool, current, cluster.pools)


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


def _additional_causes(new: Service, old: Service | None, cluster: Cluster) -> Iterator[Cause]:
    """An additional address is not the one that the Service has already: nobody could tell which of the two it is.

    Nor is it of a pool that the Service may not use.
    """
    before = () if old is None else wish_of(old).additional_addresses
    added = sorted(set(wish_of(new).additional_addresses) - set(before))
    own = set() if old is None else {frontend_of(old, family) for family in new.spec.ip_families or []}
    namespace = new.metadata.namespace or ""
    for address in added:
        if address in own:
            yield invalid(annotation_field(ADDITIONAL_ADDRESSES), address, "is the Service's own address; leave it out")
        for pool in cluster.pools:
            if address in pool.usable and not pool.admits(namespace):
                problem = f'pool "{pool.name}" does not admit the namespace {namespace}'
                yield invalid(annotation_field(ADDITIONAL_ADDRESSES), address, problem)


def _asked_causes(new: Service, old: Service | None, cluster: Cluster) -> Iterator[Cause]:
    """An address that the client asks for is one that the Service may use. One that is not there yet is waited for."""
    same_pools = old is not None and PoolWish.of(old) == PoolWish.of(new)
    for family in new.spec.ip_families or [] if cluster.pools else []:
        asked = asked_of(new, family)
        if asked is None or (same_pools and old is not None and asked == asked_of(old, family)):
            continue
        found = find(asked, new, family, cluster)
        problem = "" if found.reason == ADDRESS_NOT_FOUND else found.problem
        problem = problem or _why_not_in_pool(asked, new, cluster)
        if problem:
            yield invalid(asked.field, asked.address or asked.name, problem)


def _why_not_in_pool(asked: AskedAddress, service: Service, cluster: Cluster) -> str:
    """Why no pool gives the Service an address that it asks for by itself, and that no StaticAddress keeps."""
    if not asked.address or not cluster.pools or cluster.addresses.static_at(asked.address) is not None:
        return ""
    return why_not_asked(PoolWish.of(service), asked.address, cluster.pools)
