"""The pools that load balancer addresses come from, as the AddressPool objects of this moment say."""

from collections.abc import Sequence

from app.cluster.service_ranges import ServiceRanges
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.documents.encoding import decode_object
from app.domain.kinds.address_pool import AddressPool
from app.domain.rules.address_pools import described_pools
from app.domain.rules.label_selectors import matcher_of
from app.domain.rules.pool_description import PoolDescription
from app.domain.selectors import LabelSelector
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror


class PoolDescriptions:
    """As current as the mirror: it subscribes to it, as `ServiceRanges` does, and after them.

    Attributes:
        pools: In order of their names. The same object as long as nothing but a status changes.
    """

    def __init__(self, mirror: Mirror, ranges: ServiceRanges) -> None:
        self._mirror = mirror
        self._ranges = ranges
        self._objects: dict[str, AddressPool] = {}
        # By pool that has a selector: what chooses its namespaces, and those that it chose.
        self._selectors: dict[str, LabelSelector] = {}
        self._chosen: dict[str, set[str]] = {}
        self.pools: tuple[PoolDescription, ...] = ()
        mirror.subscribe(self._changed, self._reload)
        self._reload()

    def _changed(self, changes: Sequence[Change]) -> None:
        news = [self._note(change) for change in changes]
        if any(news):
            self._describe()

    def _note(self, change: Change) -> bool:
        """Answer whether a change concerns the pools."""
        entry, gone = change.entry, change.type == "DELETED"
        if entry.kind == ADDRESS_POOL.key:
            return self._forget(entry.name) if gone else self._learn(entry)
        if entry.kind == NAMESPACE.key and self._selectors:
            return self._sort_in(entry.name, None if gone else _labels(entry))
        return entry.kind == SERVICE_CIDR.key

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
        selector = pool.spec.namespace_selector
        self._selectors.pop(entry.name, None)
        self._chosen.pop(entry.name, None)
        if selector is not None:
            matcher = self._selectors[entry.name] = matcher_of(selector)
            namespaces = self._mirror.list(NAMESPACE.key, None)
            self._chosen[entry.name] = {each.name for each in namespaces if matcher.matches(_labels(each))}
        return True

    def _forget(self, name: str) -> bool:
        self._selectors.pop(name, None)
        self._chosen.pop(name, None)
        return self._objects.pop(name, None) is not None

    def _sort_in(self, namespace: str, labels: dict[str, str] | None) -> bool:
        """Note a namespace's labels, None when it is gone; answers whether another pool chooses it than before."""
        changed = False
        for name, matcher in self._selectors.items():
            chosen = labels is not None and matcher.matches(labels)
            if chosen != (namespace in self._chosen[name]):
                self._chosen[name] ^= {namespace}
                changed = True
        return changed

    def _describe(self) -> None:
        namespaces = {name: frozenset(chosen) for name, chosen in self._chosen.items()}
        pools = described_pools(self._objects.values(), self._ranges.every, namespaces)
        if pools != self.pools:
            self.pools = pools


def _labels(entry: Entry) -> dict[str, str]:
    return decode_object(NAMESPACE, entry.wire).metadata.labels or {}


def _essence(pool: AddressPool) -> tuple[object, ...]:
    """What a status does not change."""
    return pool.spec, pool.metadata.deletion_timestamp, pool.metadata.creation_timestamp
