"""Label and field selectors and searches: which objects a request selects."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

from app.domain.declarations.kind import Kind
from app.domain.declarations.search import Search
from app.domain.documents.encoding import decode_object, watch_frame
from app.domain.documents.peeking import labels_of
from app.domain.selectors import (
    FieldRequirement,
    FieldSelector,
    LabelSelector,
    parse_field_selector,
    parse_label_selector,
)
from app.mirror.entry import Change, ChangeType, Entry
from app.registry.options import WatchEvent

_REMEMBERED = 1024
"""Changes whose events a shared selection remembers: more than the mirror fetches at a time."""

_NAME, _NAMESPACE = _OWN_FIELDS = ("metadata.name", "metadata.namespace")


class Selection:
    """The parsed selectors and the search of a request for one kind.

    Raises:
        BadRequest: On construction, when a selector cannot be parsed or names a field the kind cannot select by, or
            the search is too long.
    """

    def __init__(self, kind: Kind[Any], label_selector: str, field_selector: str, search: str = "") -> None:
        self._kind = kind
        # None as long as only one watcher has the selection, since nobody asks for the same event again.
        self._events: dict[tuple[int, str], WatchEvent | None] | None = None
        self._labels: LabelSelector | None = parse_label_selector(label_selector) if label_selector else None
        self._fields: FieldSelector | None = (
            parse_field_selector(field_selector, (*_OWN_FIELDS, *kind.selectable)) if field_selector else None
        )
        self._search: Search | None = Search(kind, search) if search.strip() else None

    @property
    def everything(self) -> bool:
        """Whether it selects all objects."""
        return self._labels is None and self._fields is None and self._search is None

    def equalities(self) -> Sequence[FieldRequirement]:
        """The terms that ask for the value of a field."""
        return [term for term in (self._fields.requirements if self._fields else ()) if term.equal]

    @property
    def name(self) -> str:
        """The name that every selected object has; "" if it asks for none."""
        return next((term.value for term in self.equalities() if term.field == _NAME), "")

    def matches(self, entry: Entry) -> bool:
        """Whether the object is selected."""
        if self._labels is not None and not self._labels.matches(labels_of(entry.wire)):
            return False
        if self._fields is not None and not self._fields.matches(self._field_reader(entry)):
            return False
        return self._search is None or self._search.finds(entry.wire)

    def share(self) -> None:
        """Remember events from now on, because several watchers have the selection."""
        if self._events is None:
            self._events = {}

    def event(self, change: Change) -> WatchEvent | None:
        """A change as a watcher with this selection sees it.

        An object that enters the selection is added, one that leaves it is deleted. A change outside it is no event.
        """
        if self.everything:
            return WatchEvent(change.type, change.entry, change.revision, change.frame)
        if self._events is None:
            return self._event(change)
        # One revision of a Service can change several of the objects that are computed from it.
        key = (change.revision, change.entry.name)
        if key not in self._events:
            if len(self._events) >= _REMEMBERED:
                self._events.clear()
            self._events[key] = self._event(change)
        return self._events[key]

    def _event(self, change: Change) -> WatchEvent | None:
        now = change.type != "DELETED" and self.matches(change.entry)
        before = change.previous if change.type != "DELETED" else change.entry
        was = before is not None and self.matches(before)
        if not now and not was:
            return None
        type_: ChangeType = "DELETED" if not now else "MODIFIED" if was else "ADDED"
        if type_ == change.type:
            return WatchEvent(type_, change.entry, change.revision, change.frame)
        entry = change.entry if now or before is None else before.at(change.revision)
        return WatchEvent(type_, entry, change.revision, watch_frame(type_, entry.wire))

    def _field_reader(self, entry: Entry) -> "_FieldReader":
        return _FieldReader(self._kind, entry)


_shared: WeakValueDictionary[tuple[Kind[Any], str, str, str], Selection] = WeakValueDictionary()
"""The selections of open watches, each as long as a watch has it."""


def shared_selection(kind: Kind[Any], label_selector: str, field_selector: str, search: str = "") -> Selection:
    """The selection that all watchers with the same selectors and search share.

    Raises:
        BadRequest: As of `Selection`.
    """
    key = (kind, label_selector, field_selector, search)
    selection = _shared.get(key)
    if selection is None:
        selection = _shared[key] = Selection(*key)
    else:
        selection.share()
    return selection


class _FieldReader:
    """Reads field labels of one entry. Only fields other than name and namespace need it decoded."""

    def __init__(self, kind: Kind[Any], entry: Entry) -> None:
        self._kind = kind
        self._entry = entry
        self._decoded: Any = None

    def __call__(self, label: str) -> str:
        if label == _NAME:
            return self._entry.name
        if label == _NAMESPACE:
            return self._entry.namespace
        if self._decoded is None:
            self._decoded = decode_object(self._kind, self._entry.wire)
        return self._kind.selectable[label](self._decoded)
