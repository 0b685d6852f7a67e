"""Which Service has which DNS names, and the records of a name."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice, takewhile

from app.cluster.dns_zones import DNSZones
from app.cluster.record_sources import SOURCES, records_of, source_at, source_name
from app.cluster.service_slices import ServiceSlices, services_of
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.rules.zone_description import ZoneDescription, ancestors
from app.domain.wanted.dns_records import Records
from app.domain.wanted.dns_zones import Node, nodes_of
from app.mirror.entry import Change, NamespacedName
from app.mirror.mirror import Mirror

Forget = Callable[[Iterable[str] | None], None]
"""Gets the places that have changed; None when everything may have."""

_REMEMBERED_NAMES = 50_000
"""So many names are kept with their records after these were computed."""

_MANY_NAMES = 16
"""A Service with fewer names, as all but headless ones, is computed anew as fast as it is found."""


class DNSNames:
    """The names of all Services, in every zone. As current as the mirror: it subscribes to it.

    Records are computed when they are asked for. What is kept of a Service are the names that do not tell by themselves
    to which Service they belong, such as those of addresses.
    """

    def __init__(self, mirror: Mirror, slices: ServiceSlices, zones: DNSZones, domain: str) -> None:
        """Follow the mirror.

        Args:
            mirror: Of the process.
            slices: It subscribed to the mirror before.
            zones: Likewise.
            domain: The cluster's, without the dot at its end.
        """
        self._mirror = mirror
        self._slices = slices
        self._zones = zones
        self._domain = domain
        self._services = f".svc.{domain}."
        self._forget: Forget = lambda _places: None
        mirror.subscribe(self._changed, self._reload)
        self._reload()

    def when_changed(self, forget: Forget) -> None:
        """Call back after each change with the places (see `place_of`) of all names that it concerns."""
        self._forget = forget

    def place_of(self, name: str) -> str:
        """What changes together with a name: the name of its Service where it is one of the cluster, else the name."""
        if not name.endswith(self._services):
            return name
        return ".".join(name.removesuffix(self._services).rsplit(".", 2)[-2:]) + self._services

    def find(self, name: str, zone: ZoneDescription | None) -> Node | None:
        """The records of a name, None if there is no such name.

        Args:
            name: Fully qualified, in lower case.
            zone: The zone with authority for it, None where there is none.
        """
        service = self._service_named(name)
        if service is not None:
            return self._nodes(service).get(name)
        apex = {} if zone is None else nodes_of(self._zones.apex_records(zone), zone.fqdn)
        owners = self._owners.get(name, ())
        if not owners and name not in apex:
            return {} if name in self._below else None
        nodes = [apex.get(name, {}), *(self._nodes(owner).get(name, {}) for owner in owners)]
        types = dict.fromkeys(each for node in nodes for each in node)
        return {each: [records for node in nodes for records in node.get(each, ())] for each in types}

    def records_of(self, service: NamespacedName) -> Sequence[Records]:
        """All records of a source in all zones, none if there is no such source."""
        entry = source_at(self._mirror, service)
        return () if entry is None else records_of(entry, self._slices.entries_of(service), self._domain)

    def _nodes(self, service: NamespacedName) -> dict[str, dict[str, list[Records]]]:
        nodes = self._remembered.get(service)
        if nodes is not None:
            self._remembered.move_to_end(service)
            return nodes
        return self._remember(service, self.records_of(service))

    def _remember(self, service: NamespacedName, records: Iterable[Records]) -> dict[str, dict[str, list[Records]]]:
        nodes = nodes_of(records, self._name_of(service))
        if len(nodes) < _MANY_NAMES:
            return nodes
        self._remembered[service] = nodes
        self._names_remembered += len(nodes)
        while self._names_remembered > _REMEMBERED_NAMES and len(self._remembered) > 1:
            self._names_remembered -= len(self._remembered.popitem(last=False)[1])
        return nodes

    def _name_of(self, service: NamespacedName) -> str:
        return f"{service[1]}.{service[0]}{self._services}"

    def _service_named(self, name: str) -> NamespacedName | None:
        """The Service to which a name would belong, None if it is none that Services have by the specification."""
        if not name.endswith(self._services):
            return None
        labels = name.removesuffix(self._services).rsplit(".", 2)
        return (labels[-1], labels[-2]) if len(labels) > 1 else None

    def _reload(self) -> None:
        self._remembered: OrderedDict[NamespacedName, dict[str, dict[str, list[Records]]]] = OrderedDict()
        self._names_remembered = 0
        self._names: dict[NamespacedName, tuple[str, ...]] = {}
        self._owners: dict[str, tuple[NamespacedName, ...]] = {}
        self._below: Counter[str] = Counter()
        self._known_zones = self._zones.zones
        for kind in SOURCES:
            for entry in self._mirror.list(kind, None):
                self._refresh(source_name(entry))
        self._forget(None)

    def _changed(self, changes: Sequence[Change]) -> None:
        if self._zones.zones is not self._known_zones:
            self._reload()
            return
        concerned: dict[NamespacedName, None] = {}
        for change in changes:
            if change.entry.kind in SOURCES:
                concerned[source_name(change.entry)] = None
            elif change.entry.kind == ENDPOINT_SLICE.key:
                concerned.update(dict.fromkeys(services_of(change)))
        if concerned:
            self._forget({place for service in concerned for place in self._refresh(service)})

    def _refresh(self, service: NamespacedName) -> set[str]:
        """Learn what a Service has now; answers the places that this may have changed."""
        forgotten = self._remembered.pop(service, None)
        self._names_remembered -= len(forgotten or ())
        before = self._names.get(service, ())
        records = self.records_of(service)
        after = tuple(dict.fromkeys(self.place_of(each.name) for each in records))
        changed = {self._name_of(service), *before, *after}
        for name in set(before) - set(after):
            changed.update(self._remove(name, service))
        for name in set(after) - set(before):
            changed.update(self._add(name, service))
        if after:
            self._names[service] = after
        else:
            self._names.pop(service, None)
        return changed

    def _add(self, name: str, service: NamespacedName) -> list[str]:
        """Note that a Service has a name; answers the domains above it that the name brings into being."""
        owners = self._owners.get(name, ())
        self._owners[name] = (*owners, service)
        parents = [] if owners else list(self._parents(name))
        self._below.update(parents)
        return [parent for parent in parents if self._below[parent] == 1]

    def _remove(self, name: str, service: NamespacedName) -> list[str]:
        """Note that a Service has a name no more; answers the domains above it that end with the name."""
        owners = tuple(each for each in self._owners.pop(name) if each != service)
        if owners:
            self._owners[name] = owners
            return []
        parents = list(self._parents(name))
        self._below.subtract(parents)
        gone = [parent for parent in parents if not self._below[parent]]
        for parent in gone:
            del self._below[parent]
        return gone

    def _parents(self, name: str) -> Iterable[str]:
        """The domains between a name and the top of its zone."""
        zone = self._zones.zone_of(name)
        return () if zone is None else takewhile(lambda parent: parent != zone.fqdn, islice(ancestors(name), 1, None))
