"""Which EndpointSlices belong to which Service, followed from the mirror."""

from collections.abc import Iterable, Sequence

from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.documents.encoding import decode_object
from app.domain.documents.peeking import labels_of
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL, EndpointSlice
from app.mirror.entry import Change, Entry, NamespacedName
from app.mirror.mirror import Mirror


class ServiceSlices:
    """As current as the mirror for whoever subscribes to the mirror after it.

    A slice belongs to the Service that its label names, in its own namespace; the label may change.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        # Most Services have one slice, and there may be a million: names are kept in tuples.
        self._names: dict[NamespacedName, tuple[str, ...]] = {}
        mirror.subscribe(self._changed, self._reload, [ENDPOINT_SLICE.key])
        self._reload()

    def __contains__(self, service: NamespacedName) -> bool:
        return service in self._names

    def services(self) -> Iterable[NamespacedName]:
        """The Services that slices are labelled with."""
        return self._names.keys()

    def of(self, service: NamespacedName) -> list[EndpointSlice]:
        """The slices of a Service, whoever manages them."""
        return [decode_object(ENDPOINT_SLICE, entry.wire) for entry in self.entries_of(service)]

    def entries_of(self, service: NamespacedName) -> list[Entry]:
        """The same, encoded."""
        found = (self._mirror.get(ENDPOINT_SLICE.key, service[0], name) for name in self._names.get(service, ()))
        return [entry for entry in found if entry is not None]

    def _reload(self) -> None:
        self._names = {}
        for entry in self._mirror.list(ENDPOINT_SLICE.key, None):
            self._add(service_of(entry), entry.name)

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            before = None if change.previous is None else service_of(change.previous)
            after = None if change.type == "DELETED" else service_of(change.entry)
            if before != after:
                self._remove(before, change.entry.name)
                self._add(after, change.entry.name)

    def _add(self, service: NamespacedName | None, name: str) -> None:
        if service is not None:
            self._names[service] = (*self._names.get(service, ()), name)

    def _remove(self, service: NamespacedName | None, name: str) -> None:
        if service is None:
            return
        rest = tuple(each for each in self._names.get(service, ()) if each != name)
        if rest:
            self._names[service] = rest
        else:
            self._names.pop(service, None)


def service_of(entry: Entry) -> NamespacedName | None:
    """The Service that a slice belongs to, None if it has no label that names one."""
    name = labels_of(entry.wire).get(SERVICE_NAME_LABEL)
    return (entry.namespace, name) if name else None


def services_of(change: Change) -> Iterable[NamespacedName]:
    """The Services that the change of a slice concerns: the one that it belonged to, and the one that it belongs to."""
    states = [change.entry] if change.previous is None else [change.previous, change.entry]
    return {service for service in map(service_of, states) if service is not None}
