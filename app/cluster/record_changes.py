"""What each change of the log changed in DNS records."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from app.cluster.record_sources import SOURCES, records_of, source_at, source_name
from app.cluster.service_slices import ServiceSlices, service_of, services_of
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.wanted.zone_journal import Difference, Record, difference, each_record
from app.mirror.entry import Change, Entry, NamespacedName
from app.mirror.mirror import Mirror


class RecordChange(NamedTuple):
    """What one change of the log changed."""

    revision: int
    changed: Difference


class _State:
    """A source and its slices at one moment, and the records that follow from them."""

    def __init__(self, source: Entry | None, slices: Iterable[Entry]) -> None:
        self.source = source
        self.slices = {entry.name: entry for entry in slices}
        self._records: frozenset[Record] | None = None

    def put(self, entry: Entry, *, is_there: bool) -> None:
        """Bring in the state of the source or of one of its slices."""
        if entry.kind in SOURCES:
            self.source = entry if is_there else None
        elif is_there:
            self.slices[entry.name] = entry
        else:
            self.slices.pop(entry.name, None)
        self._records = None

    def records(self, domain: str) -> frozenset[Record]:
        """The records of this moment; computed once for each state."""
        if self._records is None:
            found = [] if self.source is None else records_of(self.source, self.slices.values(), domain)
            self._records = frozenset(each_record(found))
        return self._records


def record_changes(
    changes: Sequence[Change], mirror: Mirror, slices: ServiceSlices, domain: str
) -> Iterator[RecordChange]:
    """What each of some changes changed in DNS records, in their order.

    Args:
        changes: In the order of the log, with none left out between the first of them and the present.
        mirror: Shows the state after the last of them.
        slices: As current as the mirror.
        domain: The cluster's, without the dot at the end.
    """
    states = _rewound(changes, lambda name: _State(source_at(mirror, name), slices.entries_of(name)))
    return _forward(changes, states, domain)


def _forward(changes: Iterable[Change], states: dict[NamespacedName, _State], domain: str) -> Iterator[RecordChange]:
    for change in changes:
        if change.entry.kind in SOURCES and not change.alters_content:
            states[source_name(change.entry)].source = change.entry
            continue
        before = [(states[name], states[name].records(domain)) for name in _concerned(change)]
        _apply(change, states)
        removed, added = set[Record](), set[Record]()
        for state, records in before:
            changed = difference(records, state.records(domain))
            removed |= changed.removed
            added |= changed.added
        if removed != added:
            # A slice that went from one Service to another may have brought the same record to both sides.
            yield RecordChange(change.revision, Difference(frozenset(removed - added), frozenset(added - removed)))


def _rewound(changes: Sequence[Change], present: Callable[[NamespacedName], _State]) -> dict[NamespacedName, _State]:
    """The state of each source before the first of some changes that concern it."""
    states = {name: present(name) for change in changes for name in _concerned(change)}
    for change in reversed(changes):
        for name in _concerned(change):
            states[name].put(change.entry, is_there=False)
        if change.previous is not None and (owner := _owner(change.previous)) is not None:
            states[owner].put(change.previous, is_there=True)
    return states


def _apply(change: Change, states: dict[NamespacedName, _State]) -> None:
    owner = None if change.type == "DELETED" else _owner(change.entry)
    for name in _concerned(change):
        states[name].put(change.entry, is_there=name == owner)


def _concerned(change: Change) -> Iterable[NamespacedName]:
    if change.entry.kind in SOURCES:
        return (source_name(change.entry),)
    return services_of(change) if change.entry.kind == ENDPOINT_SLICE.key else ()


def _owner(entry: Entry) -> NamespacedName | None:
    """The source that an entry is the state of, or of whose slices it is one."""
    if entry.kind in SOURCES:
        return source_name(entry)
    return service_of(entry) if entry.kind == ENDPOINT_SLICE.key else None
