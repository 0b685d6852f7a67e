"""All AddressPools together, and the addresses that each of them has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from app.domain.kinds.address_pool import AddressPool
from app.domain.rules.address_ranges import AddressRange, range_of
from app.domain.rules.address_sets import AddressSet
from app.domain.rules.pool_description import PoolDescription

_NOBODY: frozenset[str] = frozenset()


def described_pools(
    pools: Iterable[AddressPool], service_cidrs: Sequence[str], namespaces: Mapping[str, frozenset[str]]
) -> tuple[PoolDescription, ...]:
    """The pools as the rules and the allocation see them, in order of their names.

    No address is in two pools. Validation ensures that, except for objects that are written at the same time: then the
    older pool has the address. An address in a range of ClusterIPs is in no pool.

    Args:
        pools: All pools.
        service_cidrs: All ranges of ClusterIPs.
        namespaces: By name of each pool that has a selector, the namespaces that it chooses.
    """
    taken = {f"the service range {cidr}": AddressSet.of([range_of(cidr)]) for cidr in service_cidrs}
    found = []
    for pool in sorted(pools, key=_seniority):
        described = _described(pool, namespaces)
        for owner, addresses in taken.items():
            described = _without(described, owner, addresses)
        taken[f'the pool "{pool.metadata.name}"'] = described.usable
        found.append(described)
    return tuple(sorted(found, key=lambda each: each.name))


def _seniority(pool: AddressPool) -> tuple[str, str]:
    return pool.metadata.creation_timestamp or "", pool.metadata.name


def _described(pool: AddressPool, namespaces: Mapping[str, frozenset[str]]) -> PoolDescription:
    spec, name = pool.spec, pool.metadata.name
    return PoolDescription.of(
        name,
        spec.scope,
        spec.addresses or [],
        spec.exclude or [],
        obstacle=_obstacle(pool),
        auto_assign=spec.auto_assign is not False,
        priority=spec.priority,
        aliases=tuple(spec.aliases or ()),
        namespaces=None if spec.namespace_selector is None else namespaces.get(name, _NOBODY),
        reuse_after_seconds=spec.reuse_after_seconds,
    )


def _obstacle(pool: AddressPool) -> str:
    if pool.metadata.deletion_timestamp is not None:
        return "it is being deleted"
    return "spec.drain is true" if pool.spec.drain else ""


def _without(pool: PoolDescription, owner: str, addresses: AddressSet) -> PoolDescription:
    """A pool without the addresses of older pools and of ranges of ClusterIPs."""
    common = pool.usable & addresses
    if not common:
        return pool
    excluded = tuple(AddressRange(each, *span, 0, "") for each, spans in common.spans.items() for span in spans)
    overlap = f"{', '.join(common.texts()[:3])} is given by {owner}, not from here"
    return replace(pool, excluded=(*pool.excluded, *excluded), overlap=pool.overlap or overlap)
