"""The DNS zones, as the DNSZone objects of this moment say."""

from collections.abc import Mapping

from app.cluster.described_objects import DescribedObjects
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.kinds.dns_zone import DNSZone
from app.domain.rules.dns_zone import described_zone
from app.domain.rules.zone_description import ZoneDescription
from app.mirror.mirror import Mirror

ZONE_KINDS = (DNS_ZONE.key, NAMESPACE.key)
"""The kinds that zones follow from: a zone may choose who has names in it by the labels of namespaces."""


class ZoneDescriptions(DescribedObjects[DNSZone]):
    """As current as the mirror.

    Attributes:
        zones: In order of the names of their objects. The same value as long as nothing but a status changes.
    """

    def __init__(self, mirror: Mirror) -> None:
        self.zones: tuple[ZoneDescription, ...] = ()
        super().__init__(mirror, DNS_ZONE)

    def _essence(self, obj: DNSZone) -> object:
        return obj.spec

    def _describe(self, objects: Mapping[str, DNSZone], chosen: Mapping[str, frozenset[str]]) -> None:
        self.zones = tuple(described_zone(objects[name], chosen.get(name)) for name in sorted(objects))
