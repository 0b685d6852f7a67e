"""The kinds whose objects get addresses and ports, and what differs between them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.kinds.service import Service
from app.domain.kinds.static_address import StaticAddress
from app.domain.pools.address_pool import PoolKey
from app.domain.pools.allocation import NOTHING_REFUSED, allocate, pools_in_question
from app.domain.pools.picking import Picks, Pools
from app.domain.pools.static_allocation import allocate_static
from app.domain.rules.address_claims import LB_ADDRESSES, claimed_address
from app.domain.rules.cluster import Cluster
from app.domain.rules.known_addresses import names_given_to
from app.domain.rules.service import conditions
from app.domain.rules.service.needs import ingress_addresses
from app.domain.rules.static_address import is_explained, pool_of

ALLOCATED: Mapping[str, Kind[Any]] = {kind.key: kind for kind in (SERVICE, STATIC_ADDRESS)}
"""By their keys."""

Allocated = Service | StaticAddress


def kind_of(obj: Allocated) -> Kind[Any]:
    """The declaration of an object's kind."""
    return SERVICE if isinstance(obj, Service) else STATIC_ADDRESS


def allocate_for(
    obj: Allocated, pools: Pools, cluster: Cluster, *, created: bool, refused: Mapping[str, str] = NOTHING_REFUSED
) -> Picks:
    """Give an object what it lacks, in place; see `allocate`."""
    if isinstance(obj, StaticAddress):
        return allocate_static(obj, pools, cluster)
    return allocate(obj, pools, cluster, created=created, refused=refused)


def pools_for_object(obj: Allocated, cluster: Cluster) -> Iterator[PoolKey]:
    """The pools of load balancer addresses that would be looked into, by name and family."""
    if isinstance(obj, Service):
        yield from pools_in_question(obj, cluster)
    elif (pool := pool_of(obj, cluster)) is not None and obj.spec.family in pool.families:
        yield pool.name, obj.spec.family


def statics_in(objects: Iterable[Any]) -> list[StaticAddress]:
    """The StaticAddresses among objects of any kind."""
    return [each for each in objects if isinstance(each, StaticAddress)]


def has_waited(obj: Allocated) -> bool:
    """Whether people were told that something is not to be had."""
    return conditions.is_explained(obj) if isinstance(obj, Service) else is_explained(obj)


def addresses_in_question(obj: Allocated, cluster: Cluster) -> set[str]:
    """The load balancer addresses of which it matters who else holds them."""
    claims = kind_of(obj).strategy.claims(obj, cluster)
    return {claimed_address(claim.key) for claim in claims if claim.table == LB_ADDRESSES}


def names_touched(obj: Allocated) -> Iterator[str]:
    """The addresses, and names of addresses, that others may wait for and that a change of the object concerns."""
    namespace = obj.metadata.namespace or ""
    if isinstance(obj, StaticAddress):
        yield from (f"{namespace}/{obj.metadata.name}", obj.status.address or obj.spec.address)
    elif points := ingress_addresses(obj):
        yield from points
        yield from (f"{namespace}/{name}" for name in names_given_to(obj.metadata.uid or ""))
