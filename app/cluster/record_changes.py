"""What each change of the log changed in DNS records."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from app.cluster.record_sources import SOURCES, names_of, records_of, source_at, source_name
from app.cluster.service_slices import ServiceSlices, service_of, services_of
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.service import SERVICE
from app.domain.documents.peeking import may_be_headless
from app.domain.wanted.zone_journal import Difference, Record, difference, each_record
from app.mirror.entry import Change, Entry, NamespacedName
from app.mirror.mirror import Mirror


class RecordChange(NamedTuple):
    """What one change of the log changed.

    Attributes:
        revision: Of the change.
        names: Of the records that it removed or added.
        changed: Computes these records, unless that was necessary to know the names.
    """

    revision: int
    names: Collection[str]
    changed: Callable[[], Difference]


class _State:
    """A headless Service and its slices at one moment, and the records that follow from them."""

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
            self._records = _records(self.source, self.slices.values(), domain)
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
    states = {name: _State(source_at(mirror, name), slices.entries_of(name)) for name in _headless(changes, mirror)}
    _rewind(changes, states)
    for change in changes:
        if change.entry.kind not in SOURCES:
            found = _computed(change.revision, _stepped(change, states, domain))
        elif not change.alters_content:
            _apply(change, states)
            continue
        elif source_name(change.entry) in states:
            found = _computed(change.revision, _stepped(change, states, domain))
        else:
            found = _of_source_alone(change, domain)
        if found.names:
            yield found


def _headless(changes: Iterable[Change], mirror: Mirror) -> set[NamespacedName]:
    """The Services in some changes whose records follow from their slices, too, at least for a while."""
    found: set[NamespacedName] = set()
    sliced: set[NamespacedName] = set()
    for change in changes:
        if change.entry.kind == SERVICE.key:
            if may_be_headless(change.entry.wire) or (
                change.previous is not None and may_be_headless(change.previous.wire)
            ):
                found.add(source_name(change.entry))
        elif change.entry.kind == ENDPOINT_SLICE.key:
            sliced.update(services_of(change))
    present = ((name, source_at(mirror, name)) for name in sliced - found)
    return found | {name for name, entry in present if entry is not None and may_be_headless(entry.wire)}


def _computed(revision: int, changed: Difference) -> RecordChange:
    return RecordChange(revision, {record.name for side in changed for record in side}, lambda: changed)


def _of_source_alone(change: Change, domain: str) -> RecordChange:
    """What the change of a source without slices that matter changed: all its records, if it came or went."""
    before, after = change.previous, change.after
    source = after if before is None else before if after is None else None
    if source is not None:
        return RecordChange(change.revision, names_of(source, domain), partial(_between, before, after, domain))
    return _computed(change.revision, _between(before, after, domain))


def _between(before: Entry | None, after: Entry | None, domain: str) -> Difference:
    return difference(_records(before, (), domain), _records(after, (), domain))


def _records(source: Entry | None, slices: Iterable[Entry], domain: str) -> frozenset[Record]:
    return frozenset() if source is None else frozenset(each_record(records_of(source, slices, domain)))


def _stepped(change: Change, states: Mapping[NamespacedName, _State], domain: str) -> Difference:
    """Bring a change into the states that it concerns; answers what it changed in their records."""
    before = [(states[name], states[name].records(domain)) for name in _concerned(change) if name in states]
    _apply(change, states)
    removed, added = set[Record](), set[Record]()
    for state, records in before:
        changed = difference(records, state.records(domain))
        removed |= changed.removed
        added |= changed.added
    # A slice that went from one Service to another may have brought the same record to both sides.
    return Difference(frozenset(removed - added), frozenset(added - removed))


def _rewind(changes: Sequence[Change], states: Mapping[NamespacedName, _State]) -> None:
    """Bring each state to where it was before the first of some changes that concern it."""
    for change in reversed(changes) if states else ():
        for name in _concerned(change):
            if name in states:
                states[name].put(change.entry, is_there=False)
        owner = None if change.previous is None else _owner(change.previous)
        if change.previous is not None and owner is not None and owner in states:
            states[owner].put(change.previous, is_there=True)


def _apply(change: Change, states: Mapping[NamespacedName, _State]) -> None:
    owner = None if change.type == "DELETED" else _owner(change.entry)
    for name in _concerned(change):
        if name in states:
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
