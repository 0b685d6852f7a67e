"""The DNS zones, as the DNSZone objects of this moment say."""

from collections.abc import Sequence

from app.cluster.chosen_namespaces import ChosenNamespaces
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.encoding import decode_object
from app.domain.kinds.dns_zone import DNSZone
from app.domain.rules.dns_zone import described_zone
from app.domain.rules.zone_description import ZoneDescription
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror

ZONE_KINDS = (DNS_ZONE.key, NAMESPACE.key)
"""The kinds that zones follow from: a zone may choose who has names in it by the labels of namespaces."""


class ZoneDescriptions:
    """As current as the mirror, to which it subscribes.

    Attributes:
        zones: In order of the names of their objects. The same value as long as nothing but a status changes.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._objects: dict[str, DNSZone] = {}
        self._namespaces = ChosenNamespaces(mirror)
        self.zones: tuple[ZoneDescription, ...] = ()
        mirror.subscribe(self._changed, self._reload, ZONE_KINDS)
        self._reload()

    def _changed(self, changes: Sequence[Change]) -> None:
        news = [self._note(change) for change in changes]
        if any(news):
            self._describe()

    def _note(self, change: Change) -> bool:
        """Answer whether a change concerns the zones."""
        entry = change.entry
        if entry.kind != DNS_ZONE.key:
            return self._namespaces.changed(change)
        return self._forget(entry.name) if change.type == "DELETED" else self._learn(entry)

    def _reload(self) -> None:
        for name in list(self._objects):
            self._forget(name)
        for entry in self._mirror.list(DNS_ZONE.key, None):
            self._learn(entry)
        self._describe()

    def _learn(self, entry: Entry) -> bool:
        zone, before = decode_object(DNS_ZONE, entry.wire), self._objects.get(entry.name)
        self._objects[entry.name] = zone
        if before is not None and before.spec == zone.spec:
            return False
        self._namespaces.learn(entry.name, zone.spec.namespace_selector)
        return True

    def _forget(self, name: str) -> bool:
        self._namespaces.forget(name)
        return self._objects.pop(name, None) is not None

    def _describe(self) -> None:
        chosen = self._namespaces.by_name()
        self.zones = tuple(described_zone(self._objects[name], chosen.get(name)) for name in sorted(self._objects))
