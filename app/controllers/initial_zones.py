"""The zones of the cluster, of the service ranges and of the pools exist without being asked for."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.controller import Controller
from app.controllers.own_writes import conflict, creation, deletion, write_in_turn
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.documents.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.kinds.dns_zone import DNSZone
from app.domain.rules.cluster import Cluster
from app.domain.wanted.initial_zones import MANAGED_LABEL, initial_zones
from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing, NameTaken, Write


class InitialZones(Controller[str]):
    """Makes the zones that are missing. A reverse zone that nobody needs or has configured any more goes."""

    name = "initial-zones"
    kinds = (ADDRESS_POOL.key, SERVICE_CIDR.key, DNS_ZONE.key)
    resync = 60.0

    def __init__(self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[str]:
        """The one key, if pools, ranges or zones came or went, or are others."""
        return () if all(change.alters_status_alone for change in changes) else self.all_keys()

    def all_keys(self) -> Iterable[str]:
        """The one key."""
        return [self.name]

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Create the zones that are missing, and delete those that are not needed."""
        await self._mirror.fresh()
        cluster = self._cluster()
        wanted = {zone.spec.name: zone for zone in initial_zones(cluster)}
        present = {zone.name for zone in cluster.zones}
        writes = [
            creation(DNS_ZONE, zone, cluster, lease)
            for zone in wanted.values()
            if zone.spec.name not in present and self._mirror.get(DNS_ZONE.key, "", zone.metadata.name) is None
        ]
        outcomes = await write_in_turn(self._writer, [*writes, *self._deletions(wanted, cluster, lease)])
        failed = [each for each in outcomes if not isinstance(each, Committed | Missing | NameTaken)]
        return dict.fromkeys(keys, conflict(failed[0])) if failed else {}

    def _deletions(self, wanted: Mapping[str, DNSZone], cluster: Cluster, lease: LeaseGuard) -> Iterable[Write]:
        for entry in self._mirror.list(DNS_ZONE.key, None):
            zone = decode_object(DNS_ZONE, entry.wire)
            if zone.spec.name not in wanted and _is_as_made(zone):
                write = deletion(DNS_ZONE, entry, cluster, lease)
                if write is not None:
                    yield write


def _is_as_made(zone: DNSZone) -> bool:
    """Whether the server made a zone, and nobody has configured anything for it."""
    key, value = MANAGED_LABEL
    spec = zone.spec
    return (zone.metadata.labels or {}).get(key) == value and not (
        spec.name_servers or spec.secondaries or spec.allow_transfer
    )
