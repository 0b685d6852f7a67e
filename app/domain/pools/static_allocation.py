"""Allocation for a StaticAddress: the address that it keeps."""

from app.domain.kinds.static_address import StaticAddress
from app.domain.pools.picking import NO_POOL, Picking, Picks, Pools
from app.domain.rules.cluster import Cluster
from app.domain.rules.static_address import ALLOCATED, pool_of, tell, tell_ready


def allocate_static(address: StaticAddress, pools: Pools, cluster: Cluster) -> Picks:
    """Give a StaticAddress its address, in place, conditions included.

    Args:
        address: Changed in place.
        pools: What to pick from; a pick is held there.
        cluster: For the pools and the conditions.
    """
    picking = Picking(pools)
    address.status.address = address.status.address or address.spec.address or _picked(address, picking, cluster)
    if address.status.address:
        told = ("True", ALLOCATED, "the address is kept until this object is deleted")
    else:
        told = ("False", picking.shortages[0].reason, picking.shortages[0].message)
    status, reason, message = told
    tell(address, ALLOCATED, status, reason=reason, message=message, now=cluster.now)
    tell_ready(address, cluster)
    return picking.result()


def _picked(address: StaticAddress, picking: Picking, cluster: Cluster) -> str:
    spec, pool = address.spec, pool_of(address, cluster)
    what = f"no {spec.family} address"
    if pool is None:
        picking.lacks(NO_POOL, spec.pool, f'{what}: there is no pool "{spec.pool}"')
    elif not pool.gives:
        picking.lacks(NO_POOL, spec.pool, f'{what}: pool "{pool.name}" gives no addresses: {pool.obstacle}')
    elif spec.family not in pool.families:
        picking.lacks(NO_POOL, spec.pool, f'{what}: pool "{pool.name}" has no {spec.family} addresses')
    else:
        return picking.frontend(what, [(pool.name, spec.family)]) or ""
    return ""
