"""The pools that load balancer addresses come from, as the AddressPool objects of this moment say."""

from collections.abc import Sequence

from app.cluster.chosen_namespaces import ChosenNamespaces
from app.cluster.service_ranges import ServiceRanges
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.documents.encoding import decode_object
from app.domain.kinds.address_pool import AddressPool
from app.domain.rules.address_pools import described_pools
from app.domain.rules.pool_description import PoolDescription
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror

POOL_KINDS = (ADDRESS_POOL.key, SERVICE_CIDR.key, NAMESPACE.key)
"""The kinds that pools follow from: a pool may choose who uses it by the labels of namespaces."""


class PoolDescriptions:
    """As current as the mirror: it subscribes to it, as `ServiceRanges` does, and after them.

    Attributes:
        pools: In order of their names. The same object as long as nothing but a status changes.
    """

    def __init__(self, mirror: Mirror, ranges: ServiceRanges) -> None:
        self._mirror = mirror
        self._ranges = ranges
        self._objects: dict[str, AddressPool] = {}
        self._namespaces = ChosenNamespaces(mirror)
        self.pools: tuple[PoolDescription, ...] = ()
        mirror.subscribe(self._changed, self._reload, POOL_KINDS)
        self._reload()

    def _changed(self, changes: Sequence[Change]) -> None:
        news = [self._note(change) for change in changes]
        if any(news):
            self._describe()

    def _note(self, change: Change) -> bool:
        """Answer whether a change concerns the pools."""
        entry = change.entry
        if entry.kind == ADDRESS_POOL.key:
            return self._forget(entry.name) if change.type == "DELETED" else self._learn(entry)
        return self._namespaces.changed(change) or entry.kind == SERVICE_CIDR.key

    def _reload(self) -> None:
        for name in list(self._objects):
            self._forget(name)
        for entry in self._mirror.list(ADDRESS_POOL.key, None):
            self._learn(entry)
        self._describe()

    def _learn(self, entry: Entry) -> bool:
        pool, before = decode_object(ADDRESS_POOL, entry.wire), self._objects.get(entry.name)
        self._objects[entry.name] = pool
        if before is not None and _essence(before) == _essence(pool):
            return False
        self._namespaces.learn(entry.name, pool.spec.namespace_selector)
        return True

    def _forget(self, name: str) -> bool:
        self._namespaces.forget(name)
        return self._objects.pop(name, None) is not None

    def _describe(self) -> None:
        pools = described_pools(self._objects.values(), self._ranges.every, self._namespaces.by_name())
        if pools != self.pools:
            self.pools = pools


def _essence(pool: AddressPool) -> tuple[object, ...]:
    """What a status does not change."""
    return pool.spec, pool.metadata.deletion_timestamp, pool.metadata.creation_timestamp
