"""The conditions of a Service: `Allocated`, `Resolvable`, `Programmed`, `PublicNames`.

Only the server writes them: a client's write to `/status` does not change them. Services have no generation, so the
conditions have none. A condition is written only when it changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.kinds.meta import Condition
from app.domain.kinds.service import Service
from app.domain.rules.addresses import canonical, family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.conditions import with_condition
from app.domain.rules.data_plane import serving_planes
from app.domain.rules.service.changing_addresses import ADDRESS_CHANGING, changing_families
from app.domain.rules.service.load_balancer_wish import is_ours, wish_of
from app.domain.rules.service.needs import (
    EXTERNAL_NAME,
    ingress_addresses,
    is_headless,
    lacks_health_check_node_port,
    missing_cluster_ip_families,
    missing_node_ports,
)

ALLOCATED, RESOLVABLE, PROGRAMMED = "Allocated", "Resolvable", "Programmed"
PUBLIC_NAMES, PUBLISHED = "PublicNames", "Published"
OWN = (ALLOCATED, RESOLVABLE, PROGRAMMED, PUBLIC_NAMES, PUBLISHED, ADDRESS_CHANGING)
OUTSIDE_POOLS = "OutsidePools"
"""Reason of the condition Allocated if no pool has an address of the Service. The condition is True nevertheless."""

PENDING, NO_RECONCILER = "Pending", "NoReconciler"
"""Reasons of the condition Allocated as long as no reconciler has tried to allocate."""

NO_DATA_PLANE = "NoDataPlane"
"""Reason of the condition Programmed where no data plane is there for the Service."""

NO_PLANE, NO_PLANE_SERVES = "no data plane has reported yet", "no data plane serves its addresses"
"""Messages with it: there is no data plane at all, or others have data planes."""

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"


@dataclass(frozen=True, slots=True)
class Shortage:
    """Something that a Service should have and that cannot be allocated now.

    Attributes:
        reason: The reason of the condition, such as `PoolExhausted`.
        pool: The pool that has too little.
        size: How many values the pool has in all.
        free: How many of them nobody holds.
        message: What is missing and what will help.
    """

    reason: str
    pool: str
    size: int
    free: int
    message: str


def missing_frontend_families(service: Service, cluster: Cluster) -> list[str]:
    """The families for which our load balancer controller has not allocated an address, or not the one asked for."""
    if not is_ours(service, cluster):
        return []
    frontends = ingress_addresses(service)
    for address in wish_of(service).additional_addresses:
        # Once: a frontend that is asked for by name may turn out to be the same address.
        if address in frontends:
            frontends.remove(address)
    held = set(map(family_of, frontends)) - set(changing_families(service))
    return [family for family in service.spec.ip_families or [] if family not in held]


def missing_additional_addresses(service: Service, cluster: Cluster) -> list[str]:
    """The additional addresses that status does not show yet."""
    if not is_ours(service, cluster):
        return []
    shown = ingress_addresses(service)
    return [address for address in wish_of(service).additional_addresses if address not in shown]


def is_pending(service: Service, cluster: Cluster) -> bool:
    """Whether something is left to allocate. A Service that is being deleted needs nothing new."""
    return service.metadata.deletion_timestamp is None and bool(missing(service, cluster))


def missing(service: Service, cluster: Cluster) -> list[str]:
    """What the Service should have and does not have, in words."""
    spec = service.spec
    words = [f"an {family} ClusterIP" for family in missing_cluster_ip_families(spec)]
    words += [f"a node port for port {port.port}/{port.protocol}" for port in missing_node_ports(spec)]
    words += ["a health check node port"] if lacks_health_check_node_port(spec) else []
    words += [_frontend_in_words(service, family) for family in missing_frontend_families(service, cluster)]
    return words + [f"the additional address {address}" for address in missing_additional_addresses(service, cluster)]


def _frontend_in_words(service: Service, family: str) -> str:
    wish = wish_of(service)
    asked = wish.asked.get(family)
    if asked is not None:
        return f"the {family} load balancer address {asked.address or asked.name}"
    kind = f"internal {family}" if wish.internal else family
    return f"an {kind} load balancer address{f' of the pool {wish.pool}' if wish.pool else ''}"


def refresh_conditions(
    service: Service, cluster: Cluster, shortages: Sequence[Shortage] = (), before: Service | None = None
) -> None:
    """Write the conditions: what the Service has, and why it lacks the rest.

    Args:
        service: Changed in place.
        cluster: For the time, and for whether our controller serves load balancers.
        shortages: What an allocation did not find.
        before: The stored state of a changed Service: what was said of that holds as long as it lacks the same.
    """
    _refresh_programmed(service, cluster)
    _refresh_allocated(service, cluster, shortages, before)
    _refresh_resolvable(service, cluster)


def keep_own_conditions(new: Service, old: Service) -> None:
    """Restore our conditions as they are stored, in place. Other conditions are the client's."""
    own = {item.type: item for item in old.status.conditions or [] if item.type in OWN}
    kept = []
    for item in new.status.conditions or []:
        if item.type not in OWN:
            kept.append(item)
        elif item.type in own:
            kept.append(own.pop(item.type))
    new.status.conditions = [*kept, *own.values()] or None


def set_condition(service: Service, cluster: Cluster, type_: str, status: str, *, reason: str, message: str) -> None:
    """Write one condition, in place. Its transition time changes only if its status does."""
    service.status.conditions = with_condition(
        service.status.conditions, type_, status, reason=reason, message=message, now=cluster.now
    )


def find_condition(service: Service, type_: str) -> Condition | None:
    """One condition, or None."""
    for item in service.status.conditions or ():
        if item.type == type_:
            return item
    return None


def _refresh_programmed(service: Service, cluster: Cluster) -> None:
    ours, told = is_ours(service, cluster), find_condition(service, PROGRAMMED)
    if ours and (told is None or told.status == UNKNOWN) and _is_nobodys(service, cluster):
        # Said with the addresses: the controller would write to a Service that somebody already works with.
        set_condition(service, cluster, PROGRAMMED, UNKNOWN, reason=NO_DATA_PLANE, message=NO_PLANE_SERVES)
    elif ours and told is None:
        reason, message = NO_DATA_PLANE, NO_PLANE
        if any(plane.connected for plane in cluster.data_planes):
            reason, message = "Waiting", "the data planes have not taken it over yet"
        set_condition(service, cluster, PROGRAMMED, UNKNOWN, reason=reason, message=message)
    if not ours and told is not None:
        rest = [item for item in service.status.conditions or [] if item.type != PROGRAMMED]
        service.status.conditions = rest or None


def _is_nobodys(service: Service, cluster: Cluster) -> bool:
    """Whether it has addresses, and there are data planes, of which none serves them."""
    if not cluster.data_planes:
        return False
    addresses = list(map(canonical, ingress_addresses(service)))
    pools = [next((pool for pool in cluster.pools if address in pool.usable), None) for address in addresses]
    frontends = [(pool.scope, pool.name) for pool in pools if pool is not None]
    if not frontends or None in pools:
        return False
    return not serving_planes(cluster.data_planes, frontends)


def _refresh_allocated(
    service: Service, cluster: Cluster, shortages: Sequence[Shortage], before: Service | None
) -> None:
    lacks = missing(service, cluster)
    if not lacks:
        reason, message = "Allocated", "all addresses and ports of the spec are allocated"
        if outside := _outside_pools(service, cluster):
            reason, message = OUTSIDE_POOLS, f"{message}; no address pool has {', '.join(outside)} any more"
        set_condition(service, cluster, ALLOCATED, TRUE, reason=reason, message=message)
    elif shortages:
        message = "; ".join(shortage.message for shortage in shortages)
        set_condition(service, cluster, ALLOCATED, FALSE, reason=shortages[0].reason, message=message)
    elif not is_explained(service) or (before is not None and missing(before, cluster) != lacks):
        reason, message = PENDING, f"waiting for {', '.join(lacks)}"
        if not cluster.allocating:
            reason, message = NO_RECONCILER, f"no reconciler allocates at the moment; {message}"
        set_condition(service, cluster, ALLOCATED, FALSE, reason=reason, message=message)


def _outside_pools(service: Service, cluster: Cluster) -> list[str]:
    """The frontends whose addresses are in no pool."""
    if not cluster.pools or not is_ours(service, cluster):
        return []
    additional = wish_of(service).additional_addresses
    frontends = [address for address in map(canonical, ingress_addresses(service)) if address not in additional]
    return [address for address in frontends if not any(address in pool.usable for pool in cluster.pools)]


def is_explained(service: Service) -> bool:
    """Whether a shortage explains why something is missing."""
    found = find_condition(service, ALLOCATED)
    return found is not None and found.status != TRUE and found.reason not in (PENDING, NO_RECONCILER)


def _refresh_resolvable(service: Service, cluster: Cluster) -> None:
    spec = service.spec
    if spec.type == EXTERNAL_NAME:
        message = "the name is an alias of spec.externalName"
    elif is_headless(spec):
        message = "the name resolves to the addresses of the endpoints"
    else:
        message = "the name resolves to the ClusterIPs"
    lacks = missing_cluster_ip_families(spec)
    if lacks:
        text = f"the name gets its records with the {' and '.join(lacks)} ClusterIP"
        set_condition(service, cluster, RESOLVABLE, FALSE, reason="NoClusterIP", message=text)
    else:
        set_condition(service, cluster, RESOLVABLE, TRUE, reason="RecordsExist", message=message)
