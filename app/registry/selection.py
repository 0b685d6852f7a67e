"""Which objects a request selects: label and field selectors over entries."""

from typing import Any

import msgspec

from app.domain.encoding import decode_object
from app.domain.kinds.kind import Kind
from app.domain.selectors import FieldSelector, LabelSelector, parse_field_selector, parse_label_selector
from app.mirror.entry import Entry


class _Labels(msgspec.Struct):
    labels: dict[str, str] = {}


class _Labelled(msgspec.Struct):
    metadata: _Labels


_LABELS = msgspec.json.Decoder(_Labelled)
_OWN_FIELDS = ("metadata.name", "metadata.namespace")


class Selection:
    """A parsed pair of selectors for one kind.

    Raises:
        BadRequest: On construction, when a selector cannot be parsed or names a field the kind cannot select by.
    """

    def __init__(self, kind: Kind[Any], label_selector: str, field_selector: str) -> None:
        self._kind = kind
        self._labels: LabelSelector | None = parse_label_selector(label_selector) if label_selector else None
        self._fields: FieldSelector | None = (
            parse_field_selector(field_selector, (*_OWN_FIELDS, *kind.selectable)) if field_selector else None
        )

    @property
    def everything(self) -> bool:
        """Whether nothing is filtered out."""
        return self._labels is None and self._fields is None

    def matches(self, entry: Entry) -> bool:
        """Whether the object is selected."""
        if self._labels is not None and not self._labels.matches(_LABELS.decode(entry.wire).metadata.labels):
            return False
        return self._fields is None or self._fields.matches(self._field_reader(entry))

    def _field_reader(self, entry: Entry) -> "_FieldReader":
        return _FieldReader(self._kind, entry)


class _FieldReader:
    """Reads field labels of one entry, decoding it only when a field beyond name and namespace is asked for."""

    def __init__(self, kind: Kind[Any], entry: Entry) -> None:
        self._kind = kind
        self._entry = entry
        self._decoded: Any = None

    def __call__(self, label: str) -> str:
        if label == "metadata.name":
            return self._entry.name
        if label == "metadata.namespace":
            return self._entry.namespace
        if self._decoded is None:
            self._decoded = decode_object(self._kind, self._entry.wire)
        return self._kind.selectable[label](self._decoded)
