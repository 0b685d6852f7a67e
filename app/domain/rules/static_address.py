"""The rules of a StaticAddress."""

from collections.abc import Iterator, Mapping, Sequence

from app.domain.errors import Cause, immutable, invalid, invalid_for, not_supported, required, too_many
from app.domain.kinds.static_address import AddressUser, StaticAddress, StaticAddressStatus
from app.domain.rules.address_claims import STATIC, address_claim
from app.domain.rules.address_pool import SHOWN_HOLDERS, listed_holders
from app.domain.rules.address_ranges import VERSIONS
from app.domain.rules.addresses import address_causes, canonical, family_of, strict_address
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.conditions import with_condition
from app.domain.rules.dns_labels import label_claim
from app.domain.rules.names import dns_label_problems
from app.domain.rules.pool_description import INTERNAL, PoolDescription
from app.domain.rules.quota_resources import EXTERNAL_ADDRESSES, INTERNAL_ADDRESSES
from app.domain.rules.strategy import Strategy
from app.domain.rules.zone_description import has_labels, label_zone

FINALIZER = "fairlead.io/static-address"
"""The finalizer that delays the deletion of a StaticAddress while Services use it."""

ALLOCATED, READY, TERMINATING = "Allocated", "Ready", "Terminating"
"""Types of conditions."""

EVERYBODY = "*"
"""In `spec.sharedWith`: all namespaces."""

_PENDING = "Pending"
_MAX_SHARED_WITH = 256
_SHOWN_USERS = 100


def pool_of(address: StaticAddress, cluster: Cluster) -> PoolDescription | None:
    """The pool that a StaticAddress names; without a name, the pool that has its address."""
    spec = address.spec
    if spec.pool:
        return next((pool for pool in cluster.pools if pool.is_called(spec.pool)), None)
    return next((pool for pool in cluster.pools if spec.address and spec.address in pool.usable), None)


def is_shared_with(address: StaticAddress, namespace: str) -> bool:
    """Whether Services of a namespace may use it."""
    others = address.spec.shared_with or ()
    return namespace == address.metadata.namespace or namespace in others or EVERYBODY in others


def why_no_further_user(address: StaticAddress) -> str:
    """Why no Service may begin to use it; "" if Services may."""
    if address.metadata.deletion_timestamp is not None:
        return "it is being deleted"
    if address.spec.drain:
        return "its spec.drain is true"
    return "" if address.status.address else "it has no address yet"


def hold(address: StaticAddress) -> None:
    """Add the finalizer that delays a deletion until no Service uses the address."""
    meta = address.metadata
    meta.finalizers = list(dict.fromkeys([*(meta.finalizers or []), FINALIZER]))


def tell(address: StaticAddress, type_: str, status: str, *, reason: str, message: str, now: str) -> None:
    """Write one condition, in place."""
    address.status.conditions = with_condition(
        address.status.conditions, type_, status, reason=reason, message=message, now=now
    )


def tell_ready(address: StaticAddress, cluster: Cluster) -> None:
    """Write the condition Ready, in place: whether Services may use the address."""
    told = ("True", READY, "Services may use the address")
    if address.metadata.deletion_timestamp is not None:
        told = ("False", TERMINATING, "the address is being deleted: no further Service may use it")
    elif not address.status.address:
        told = ("False", "NotAllocated", "there is no address yet")
    elif address.spec.drain:
        told = ("False", "Draining", "spec.drain is true: no further Service may use the address")
    elif not any(address.status.address in pool.usable for pool in cluster.pools):
        told = ("True", "OutsidePools", "Services may use the address, but no AddressPool has it any more")
    status, reason, message = told
    tell(address, READY, status, reason=reason, message=message, now=cluster.now)


def tell_users(address: StaticAddress, users: Sequence[tuple[str, str]], now: str) -> None:
    """Write who uses the address, in place; in one that is being deleted also the condition Terminating.

    Args:
        address: Changed in place.
        users: Namespace and name of each Service that holds the address, in order.
        now: RFC 3339.
    """
    status = address.status
    status.users = len(users)
    status.used_by = [AddressUser(*user) for user in users[:_SHOWN_USERS]] or None
    if address.metadata.deletion_timestamp is None:
        return
    reason, message = "NoUsers", "no Service uses the address"
    if users:
        named = listed_holders(["/".join(user) for user in users[:SHOWN_HOLDERS]], len(users))
        reason, message = "UsersRemain", f"Services use the address, {len(users)} in all: {named}"
    tell(address, TERMINATING, "True", reason=reason, message=message, now=now)


def why_not_deleted(address: StaticAddress, users: Sequence[str], count: int) -> str:
    """Why a StaticAddress may not be deleted.

    Args:
        address: That is to be deleted.
        users: The first Services that use it, in words.
        count: How many there are in all.
    """
    return (
        f"{address.status.address} is used, {count} in all: {listed_holders(users, count)}; delete these or have them "
        "use another address, or set spec.drain: then the StaticAddress goes with the last of them"
    )


class StaticAddressStrategy(Strategy[StaticAddress]):
    """An address stays the same as long as the object lives."""

    def default(self, new: StaticAddress) -> None:
        """Write the address in canonical text. Its family is that of the StaticAddress."""
        spec = new.spec
        spec.address = canonical(spec.address) if strict_address(spec.address) else spec.address
        spec.family = spec.family or family_of(spec.address)

    def asks_of_cluster(self, new: StaticAddress) -> bool:
        """Yes: pools may have changed a moment ago."""
        del new
        return True

    def prepare_create(self, new: StaticAddress, cluster: Cluster) -> None:
        """Drop the status, fill in the pool and the family, and add the finalizer."""
        new.status = StaticAddressStatus()
        new.metadata.generation = 1
        pool = pool_of(new, cluster)
        if pool is not None:
            new.spec.pool = new.spec.pool or pool.name
            new.spec.family = new.spec.family or next(iter(pool.families), "")
        hold(new)
        waiting = f"waiting for an address of {new.spec.pool}"
        tell(new, ALLOCATED, "False", reason=_PENDING, message=waiting, now=cluster.now)

    def prepare_update(self, new: StaticAddress, old: StaticAddress, cluster: Cluster) -> None:
        """Keep the status, and what the server filled in. Increase the generation if the spec changed."""
        new.status = old.status
        spec, before = new.spec, old.spec
        spec.pool, spec.family = spec.pool or before.pool, spec.family or before.family
        spec.address = spec.address or before.address
        if spec != before:
            new.metadata.generation = (old.metadata.generation or 0) + 1
        tell_ready(new, cluster)

    def prepare_status(self, new: StaticAddress, old: StaticAddress, cluster: Cluster) -> None:
        """Keep the spec, and the status, which only the server sets."""
        del cluster
        new.spec, new.status = old.spec, old.status

    def validate_create(self, new: StaticAddress, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong. The claims tell whether another object has the address or the label."""
        causes = _spec_causes(new)
        return causes or [*_pool_causes(new, cluster), *_label_causes(new, cluster)]

    def validate_update(self, new: StaticAddress, old: StaticAddress, cluster: Cluster) -> list[Cause]:
        """As on create, and the address cannot change."""
        spec, before = new.spec, old.spec
        causes = _spec_causes(new)
        if spec.dns_label != before.dns_label:
            causes += _label_causes(new, cluster)
        for field, value, stored in (("pool", spec.pool, before.pool), ("family", spec.family, before.family)):
            if value != stored:
                causes.append(immutable(f"spec.{field}", value, stored))
        if spec.address not in (before.address, old.status.address):
            causes.append(immutable("spec.address", spec.address, before.address or old.status.address))
        return causes

    def claims(self, obj: StaticAddress, cluster: Cluster) -> tuple[Claim, ...]:
        """The address and the label."""
        del cluster
        address, label = obj.status.address or obj.spec.address, obj.spec.dns_label
        home = obj.metadata.namespace or ""
        held = (address_claim(address, home, STATIC, "spec.address"),) if address else ()
        return (*held, label_claim(label, "spec.dnsLabel")) if label else held

    def charges(self, obj: StaticAddress, cluster: Cluster) -> Mapping[str, int]:
        """The address, whoever uses it. One whose pool is gone counts as external."""
        pool = pool_of(obj, cluster)
        return {INTERNAL_ADDRESSES if pool is not None and pool.scope == INTERNAL else EXTERNAL_ADDRESSES: 1}

    def pending(self, obj: StaticAddress, cluster: Cluster) -> bool:
        """Whether it has no address yet. One that is being deleted needs none."""
        del cluster
        return not obj.status.address and obj.metadata.deletion_timestamp is None

    def untried(self, obj: StaticAddress, cluster: Cluster) -> bool:
        """Whether the reconciler has not tried yet."""
        return self.pending(obj, cluster) and not is_explained(obj)


def is_explained(address: StaticAddress) -> bool:
    """Whether a shortage explains why there is no address."""
    told = next((each for each in address.status.conditions or () if each.type == ALLOCATED), None)
    return told is not None and told.status != "True" and told.reason != _PENDING


def _spec_causes(new: StaticAddress) -> list[Cause]:
    spec = new.spec
    causes = []
    if spec.address:
        causes += address_causes("spec.address", spec.address)
    elif not spec.pool:
        causes.append(required("spec.pool", "the name of the AddressPool that the address shall be from"))
    if spec.family and spec.family not in VERSIONS:
        causes.append(not_supported("spec.family", spec.family, VERSIONS))
    elif spec.address and not causes and family_of(spec.address) != spec.family:
        causes.append(invalid("spec.family", spec.family, f"must be {family_of(spec.address)}, as spec.address is"))
    if spec.dns_label:
        causes += invalid_for("spec.dnsLabel", spec.dns_label, dns_label_problems(spec.dns_label))
    return [*causes, *_shared_with_causes(spec.shared_with or [])]


def _shared_with_causes(namespaces: list[str]) -> Iterator[Cause]:
    if len(namespaces) > _MAX_SHARED_WITH:
        yield too_many("spec.sharedWith", len(namespaces), _MAX_SHARED_WITH)
    for index, namespace in enumerate(namespaces):
        if namespace != EVERYBODY:
            yield from invalid_for(f"spec.sharedWith[{index}]", namespace, dns_label_problems(namespace))


def _label_causes(new: StaticAddress, cluster: Cluster) -> Iterator[Cause]:
    """A label is for those who can have a name by it, as soon as there are any."""
    label, namespace = new.spec.dns_label, new.metadata.namespace or ""
    if label and has_labels(cluster.zones) and label_zone(namespace, cluster.zones) is None:
        yield invalid("spec.dnsLabel", label, f"no DNSZone with a location admits the namespace {namespace}")


def _pool_causes(new: StaticAddress, cluster: Cluster) -> Iterator[Cause]:
    """The pool is there, has the family and the address, and may be used from the namespace."""
    spec, pool = new.spec, pool_of(new, cluster)
    if pool is None and spec.pool:
        yield not_supported("spec.pool", spec.pool, [each.name for each in cluster.pools])
    elif pool is None:
        yield invalid("spec.address", spec.address, "is in no AddressPool; choose an address of one")
    elif spec.family not in pool.families:
        yield invalid("spec.family", spec.family, f'the pool "{pool.name}" has only {" and ".join(pool.families)}')
    elif spec.address and spec.address not in pool.usable:
        yield invalid("spec.address", spec.address, f"must be a usable address of {pool.label(spec.family)}")
    elif not pool.admits(new.metadata.namespace or ""):
        yield invalid("spec.pool", spec.pool, f"does not admit the namespace {new.metadata.namespace}")
    elif spec.address and not pool.gives:
        yield invalid("spec.pool", spec.pool, f"gives no addresses: {pool.obstacle}")
