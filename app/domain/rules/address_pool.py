"""The rules of an AddressPool."""

from collections.abc import Iterable, Iterator, Sequence

from app.domain.errors import (
    FIELD_IS_IMMUTABLE,
    Cause,
    duplicate,
    invalid,
    invalid_for,
    not_supported,
    required,
    too_many,
)
from app.domain.kinds.address_pool import AddressPool, AddressPoolFamily, AddressPoolSpec, AddressPoolStatus
from app.domain.rules.address_ranges import address_number, pool_range, range_of
from app.domain.rules.address_sets import AddressSet
from app.domain.rules.addresses import address_causes, network_causes
from app.domain.rules.cluster import Cluster
from app.domain.rules.conditions import with_condition
from app.domain.rules.label_selectors import selector_causes
from app.domain.rules.names import resource_name_problems
from app.domain.rules.pool_description import SCOPES, PoolDescription
from app.domain.rules.strategy import Strategy

FINALIZER = "fairlead.io/address-pool"
"""The finalizer that delays the deletion of a pool while an object holds one of its addresses."""

READY, TERMINATING = "Ready", "Terminating"
"""Types of conditions."""

SHOWN_HOLDERS = 10
"""How many holders of addresses a message names."""

_MAX_ENTRIES, _MAX_ALIASES, _MAX_REUSE_SECONDS = 256, 32, 30 * 24 * 60 * 60
_SHOWN = 3
_LARGEST = 2**63 - 1
_MAX_SIZE = 2**64
_UNFIT = AddressSet.of(
    map(range_of, ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255", "::", "fe80::/10", "ff00::/8"))
)
"""Unspecified, link-local, multicast and broadcast addresses."""
_LOOPBACK = AddressSet.of(map(range_of, ("127.0.0.0/8", "::1")))


def usable_addresses(spec: AddressPoolSpec) -> AddressSet:
    """The addresses of a valid pool: those of its ranges that are not excluded."""
    excluded = AddressSet.of(map(range_of, spec.exclude or []))
    return AddressSet.of(map(pool_range, spec.addresses or [])) - excluded


def leaving_addresses(new: AddressPool, old: AddressPool) -> AddressSet:
    """The addresses that an update takes out of a pool. No object may hold one of them."""
    return usable_addresses(old.spec) - usable_addresses(new.spec)


def held_cause(new: AddressPool, leaving: AddressSet, holders: Sequence[str], count: int) -> Cause:
    """The error if objects hold addresses that an update takes out of a pool.

    Args:
        new: The pool as it would be.
        leaving: The addresses that it would lose.
        holders: The first addresses that are held, each with its holder, in words.
        count: How many there are in all.
    """
    taken = ", ".join(leaving.texts()[:_SHOWN])
    return invalid(
        "spec.addresses",
        ", ".join(new.spec.addresses or []),
        f"{taken} cannot be taken out of the pool while addresses of it are held, {count} in all: "
        f"{listed_holders(holders, count)}; set spec.drain, and take them out when nobody holds them any more",
    )


def listed_holders(holders: Sequence[str], count: int) -> str:
    """The first holders, in words, and how many there are beside them."""
    more = f", and {count - len(holders)} more" if count > len(holders) else ""
    return f"{', '.join(holders)}{more}"


def hold(pool: AddressPool) -> None:
    """Add the finalizer that delays a deletion until no object holds an address of the pool."""
    meta = pool.metadata
    meta.finalizers = list(dict.fromkeys([*(meta.finalizers or []), FINALIZER]))


def family_counts(counts: Iterable[tuple[str, int, int, int, int]]) -> list[AddressPoolFamily]:
    """The status of each family: its name, and the numbers of all, used, reserved and free addresses."""
    return [AddressPoolFamily(family, *(min(count, _LARGEST) for count in counted)) for family, *counted in counts]


def tell_ready(pool: AddressPool, description: PoolDescription, now: str) -> None:
    """Write the condition Ready, in place: whether the pool gives all of its addresses."""
    if pool.metadata.deletion_timestamp is not None:
        told = ("False", TERMINATING, "the pool is being deleted: nobody gets an address of it any more")
    elif pool.spec.drain:
        told = ("False", "Draining", "spec.drain is true: nobody gets an address of it any more")
    elif description.overlap:
        told = ("False", "Overlap", description.overlap)
    else:
        told = ("True", READY, "addresses of the pool are given")
    status, reason, message = told
    pool.status.conditions = with_condition(
        pool.status.conditions, READY, status, reason=reason, message=message, now=now
    )


def tell_holders(pool: AddressPool, holders: Sequence[str], count: int, now: str) -> None:
    """Write the condition Terminating, in place: which holders a deletion waits for. Arguments as for `held_cause`."""
    reason = "HoldersRemain" if holders else "NoHolders"
    message = "no address of the pool is held"
    if holders:
        message = f"addresses of the pool are held, {count} in all: {listed_holders(holders, count)}"
    pool.status.conditions = with_condition(
        pool.status.conditions, TERMINATING, "True", reason=reason, message=message, now=now
    )


class AddressPoolStrategy(Strategy[AddressPool]):
    """An address belongs to one pool. The claims tell whether an object holds an address that is taken out."""

    def default(self, new: AddressPool) -> None:
        """Services that name no pool may use the pool, unless it says otherwise."""
        if new.spec.auto_assign is None:
            new.spec.auto_assign = True

    def asks_of_cluster(self, new: AddressPool) -> bool:
        """Yes: other pools and ranges may have been created a moment ago."""
        del new
        return True

    def prepare_create(self, new: AddressPool, cluster: Cluster) -> None:
        """Drop the status, which the server sets, and add the finalizer."""
        del cluster
        new.status = AddressPoolStatus()
        new.metadata.generation = 1
        hold(new)

    def prepare_update(self, new: AddressPool, old: AddressPool, cluster: Cluster) -> None:
        """Keep the status. Increase the generation if the spec changed."""
        del cluster
        new.status = old.status
        if new.spec != old.spec:
            new.metadata.generation = (old.metadata.generation or 0) + 1

    def prepare_status(self, new: AddressPool, old: AddressPool, cluster: Cluster) -> None:
        """Keep the spec."""
        del cluster
        new.spec = old.spec

    def validate_create(self, new: AddressPool, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong. Overlaps are looked for only if all ranges are valid."""
        causes = _spec_causes(new) or _loopback_causes(new.spec, cluster)
        return causes or [*_overlap_causes(new, AddressSet(), cluster), *_alias_causes(new, cluster)]

    def validate_update(self, new: AddressPool, old: AddressPool, cluster: Cluster) -> list[Cause]:
        """As on create, and the scope cannot change. Overlaps that were there before do not prevent other changes."""
        causes = _spec_causes(new) or _loopback_causes(new.spec, cluster)
        if new.spec.scope != old.spec.scope:
            problem = f"{FIELD_IS_IMMUTABLE}: it is {old.spec.scope}; make another pool"
            causes.append(invalid("spec.scope", new.spec.scope, problem))
        if causes:
            return causes
        return [*_overlap_causes(new, usable_addresses(old.spec), cluster), *_alias_causes(new, cluster)]

    def warnings(self, new: AddressPool, old: AddressPool | None, cluster: Cluster) -> list[str]:
        """Point out exclusions without effect."""
        del old, cluster
        whole = AddressSet.of(map(pool_range, new.spec.addresses or []))
        return [
            f"spec.exclude[{index}]: {text} has no effect: the pool has none of these addresses"
            for index, text in enumerate(new.spec.exclude or [])
            if not whole & AddressSet.of([range_of(text)])
        ]


def _spec_causes(pool: AddressPool) -> list[Cause]:
    spec = pool.spec
    causes = list(_addresses_causes(spec))
    if not spec.scope:
        causes.append(required("spec.scope", "internal for private addresses, or external for public ones"))
    elif spec.scope not in SCOPES:
        causes.append(not_supported("spec.scope", spec.scope, SCOPES))
    if not 0 <= spec.reuse_after_seconds <= _MAX_REUSE_SECONDS:
        problem = f"must be from 0 to {_MAX_REUSE_SECONDS}"
        causes.append(invalid("spec.reuseAfterSeconds", spec.reuse_after_seconds, problem))
    aliases = spec.aliases or []
    if len(aliases) > _MAX_ALIASES:
        causes.append(too_many("spec.aliases", len(aliases), _MAX_ALIASES))
    for index, alias in enumerate(aliases):
        causes += invalid_for(f"spec.aliases[{index}]", alias, resource_name_problems(alias))
    return [*causes, *selector_causes("spec.namespaceSelector", spec.namespace_selector)]


def _addresses_causes(spec: AddressPoolSpec) -> Iterator[Cause]:
    if not spec.addresses:
        yield required("spec.addresses", "CIDRs or ranges, such as 198.18.0.0/16 or 198.18.0.10-198.18.0.20")
    wrong = False
    for name, texts in (("addresses", spec.addresses or []), ("exclude", spec.exclude or [])):
        if len(texts) > _MAX_ENTRIES:
            yield too_many(f"spec.{name}", len(texts), _MAX_ENTRIES)
        causes = [cause for i, text in enumerate(texts) for cause in _range_causes(f"spec.{name}[{i}]", text)]
        wrong = wrong or bool(causes)
        yield from causes
    if spec.addresses and not wrong:
        yield from _whole_causes(spec)


def _whole_causes(spec: AddressPoolSpec) -> Iterator[Cause]:
    """What is wrong with ranges that are valid each by itself."""
    taken = AddressSet()
    for index, text in enumerate(spec.addresses or []):
        field, part = f"spec.addresses[{index}]", AddressSet.of([range_of(text)])
        if part & _UNFIT:
            unfit = (part & _UNFIT).texts()[0]
            yield invalid(field, text, f"{unfit} cannot be used: it is reserved for another purpose")
        if part.size(range_of(text).version) > _MAX_SIZE:
            yield invalid(field, text, "is too large: an IPv6 range has a prefix of /64 or longer, such as /112")
        if part & taken:
            yield duplicate(field, text, f"{(part & taken).texts()[0]} is in an earlier entry, too")
        taken = taken | part
    if not usable_addresses(spec):
        texts = ", ".join(spec.exclude or [])
        yield invalid(
            "spec.exclude", texts, "leaves no address in the pool; set spec.drain for a pool that gives no addresses"
        )


def _loopback_causes(spec: AddressPoolSpec, cluster: Cluster) -> list[Cause]:
    """Loopback is only there for the data plane of a server that is on loopback itself."""
    problem = "is loopback: only `serve --data-plane envoy` on --host 127.0.0.1 has a data plane for such addresses"
    return [
        invalid(f"spec.addresses[{index}]", text, problem)
        for index, text in enumerate(spec.addresses or [])
        if not cluster.loopback and AddressSet.of([range_of(text)]) & _LOOPBACK
    ]


def _range_causes(field: str, text: str) -> list[Cause]:
    if "-" not in text:
        return network_causes(field, text) if "/" in text else address_causes(field, text)
    low, high = (part.strip() for part in text.split("-", 1))
    causes = [*address_causes(field, low), *address_causes(field, high)]
    if causes:
        return causes[:1]
    (version, first), (other, last) = address_number(low), address_number(high)
    if version != other or first > last:
        return [invalid(field, text, "must be two addresses of one family, the lower one first")]
    return []


def _overlap_causes(pool: AddressPool, before: AddressSet, cluster: Cluster) -> Iterator[Cause]:
    """Name each pool and range of ClusterIPs that has one of the addresses that this pool would get."""
    added = usable_addresses(pool.spec) - before
    pools = {f'the pool "{each.name}"': each.usable for each in cluster.pools if each.name != pool.metadata.name}
    cidrs = cluster.every_service_cidr or cluster.service_cidrs
    ranges = {f"the service range {cidr}": AddressSet.of([range_of(cidr)]) for cidr in cidrs}
    for name, addresses in (pools | ranges).items():
        common = added & addresses
        if common:
            index, text = _first_with(pool.spec.addresses or [], common)
            yield invalid(f"spec.addresses[{index}]", text, f"overlaps {name}: both have {common.texts()[0]}")


def _first_with(texts: Sequence[str], addresses: AddressSet) -> tuple[int, str]:
    return next((i, text) for i, text in enumerate(texts) if AddressSet.of([pool_range(text)]) & addresses)


def _alias_causes(pool: AddressPool, cluster: Cluster) -> Iterator[Cause]:
    """No two pools have the same name or alias."""
    others = [other for other in cluster.pools if other.name != pool.metadata.name]
    if namesake := _called(pool.metadata.name, others):
        yield invalid("metadata.name", pool.metadata.name, f'the pool "{namesake}" has this name as an alias')
    known = {pool.metadata.name}
    for index, alias in enumerate(pool.spec.aliases or []):
        field = f"spec.aliases[{index}]"
        if alias in known:
            yield duplicate(field, alias, "the pool has this name already")
        elif namesake := _called(alias, others):
            yield invalid(field, alias, f'is a name of the pool "{namesake}"')
        known.add(alias)


def _called(name: str, pools: Iterable[PoolDescription]) -> str:
    return next((pool.name for pool in pools if pool.is_called(name)), "")
