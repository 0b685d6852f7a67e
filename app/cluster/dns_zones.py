"""The zones that the DNS server has authority for at this moment, and their serials."""

from collections.abc import Callable, Sequence

from app.cluster.address_pools import POOL_KINDS
from app.cluster.zone_descriptions import ZONE_KINDS
from app.cluster.zone_journals import ZoneJournals
from app.domain.rules.cluster import Cluster
from app.domain.rules.dns_zone import described_zone
from app.domain.rules.zone_description import ZoneDescription, ancestors
from app.domain.wanted.dns_records import Records
from app.domain.wanted.dns_zones import apex_records, delegation_records
from app.domain.wanted.initial_zones import initial_zones
from app.mirror.entry import Change
from app.mirror.mirror import Mirror


class DNSZones:
    """The zones of all DNSZone objects but those that another server has, and those whose objects are still to come.

    As current as the mirror: it subscribes to it.

    Attributes:
        zones: By their names, with the dot at the end. The same mapping as long as no zone comes, goes or changes.
    """

    def __init__(
        self, mirror: Mirror, journals: ZoneJournals, cluster: Callable[[], Cluster], addresses: Sequence[str]
    ) -> None:
        """Follow the mirror.

        Args:
            mirror: Of the process.
            journals: Tell the serials; they follow the mirror, too, and come first.
            cluster: Tells the ranges, pools and zones of the moment; they follow the mirror, too, and come first.
            addresses: At which others reach a name server whose name is in its zone.
        """
        self._journals = journals
        self._cluster = cluster
        self._addresses = tuple(addresses)
        self._described: object = None
        self.zones: dict[str, ZoneDescription] = {}
        mirror.subscribe(self._changed, self._reload, (*POOL_KINDS, *ZONE_KINDS))
        self._reload()

    def zone_of(self, name: str) -> ZoneDescription | None:
        """The zone with authority for a name (with the dot at the end), None if it is another server's."""
        zones = self.zones
        return next((zones[parent] for parent in ancestors(name) if parent in zones), None)

    def serial(self, zone: ZoneDescription) -> int:
        """The serial of the zone. While it is not known, the last one that its DNSZone shows."""
        journal = self._journals.of(zone.name)
        if journal is not None:
            return journal.serial
        shown = self._journals.object_of(zone.name)
        return 0 if shown is None else shown.status.serial

    def apex_records(self, zone: ZoneDescription) -> list[Records]:
        """The records that belong to a zone and to no Service, its SOA with the present serial."""
        return apex_records(zone, self.serial(zone), self._addresses)

    def delegations(self, zone: ZoneDescription) -> list[Records]:
        """The records by which a zone delegates to the zones that begin below it."""
        below = f".{zone.fqdn}"
        nested = [each for each in self.zones.values() if each.fqdn.endswith(below)]
        delegated = [each for each in nested if self.zone_of(each.fqdn.partition(".")[2]) == zone]
        return [record for each in delegated for record in delegation_records(each, self._addresses)]

    def _changed(self, _changes: Sequence[Change]) -> None:
        self._reload()

    def _reload(self) -> None:
        cluster = self._cluster()
        described = (cluster.service_cidrs, cluster.every_service_cidr, cluster.pools, cluster.zones)
        if described == self._described:
            return
        self._described = described
        found = {zone.spec.name: described_zone(zone, None) for zone in initial_zones(cluster)}
        found |= {zone.name: zone for zone in cluster.zones}
        self.zones = {zone.fqdn: zone for zone in found.values() if not zone.is_pushed}
