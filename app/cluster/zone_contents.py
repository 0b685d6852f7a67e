"""All records of a zone as of one moment."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from app.cluster.dns_zones import DNSZones
from app.cluster.record_sources import records_of
from app.cluster.service_slices import ServiceSlices
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.documents.peeking import may_be_headless, mentions
from app.domain.rules.service.name_wish import NAMES
from app.domain.rules.zone_description import CLUSTER, PUBLIC, ZoneDescription
from app.domain.wanted.zone_journal import Record, each_record
from app.mirror.entry import Entry
from app.mirror.mirror import Mirror

_SOURCES_IN_A_ROW = 100
"""Sources whose records are computed before the event loop gets its turn."""


class ZoneContents:
    """Reads zones, in any number at the same time.

    Args:
        mirror: Of the process.
        slices: It follows the mirror.
        zones: They follow the mirror.
        domain: The cluster's, without the dot at the end.
    """

    def __init__(self, mirror: Mirror, slices: ServiceSlices, zones: DNSZones, domain: str) -> None:
        self._mirror = mirror
        self._slices = slices
        self._zones = zones
        self._domain = domain

    def of(self, zone: ZoneDescription) -> AsyncIterator[Record]:
        """The records of a zone as they are at the time of this call, but for its SOA record."""
        own = [*self._zones.apex_records(zone), *self._zones.delegations(zone)]
        apex = [each for each in each_record(own) if each.type != "SOA"]
        # The states of objects never change, so it is enough to note which ones there are now.
        sources = [
            (entry, self._slices.entries_of((entry.namespace, entry.name)) if may_be_headless(entry.wire) else ())
            for entry in self._mirror.list(SERVICE.key, None)
            if zone.kind != PUBLIC or mentions(entry.wire, NAMES)
        ]
        if zone.kind != CLUSTER:
            sources += [(entry, ()) for entry in self._mirror.list(STATIC_ADDRESS.key, None)]
        return self._records(zone, apex, sources)

    async def _records(
        self, zone: ZoneDescription, apex: Sequence[Record], sources: Sequence[tuple[Entry, Sequence[Entry]]]
    ) -> AsyncIterator[Record]:
        for record in apex:
            yield record
        below = f".{zone.fqdn}"
        nested = {each.fqdn for each in self._zones.zones.values() if each.fqdn.endswith(below)}
        for number, (source, slices) in enumerate(sources, start=1):
            for record in each_record(records_of(source, slices, self._domain)):
                is_within = record.name.endswith(below) or record.name == zone.fqdn
                if is_within and not (nested and self._zones.zone_of(record.name) != zone):
                    yield record
            if number % _SOURCES_IN_A_ROW == 0:
                await asyncio.sleep(0)
