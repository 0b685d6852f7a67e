"""The fields that the writer of a new object owns. They follow from its shape, by which they are remembered."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import msgspec

from app.domain.documents.objects import KubeObject
from app.domain.documents.schema import Type, schema_of
from app.domain.patching.comparison import compare
from app.domain.patching.field_sets import FieldSet, difference
from app.domain.patching.typed_values import ANY, child_type, is_granular_list

_REMEMBERED = 256
_LARGEST_REMEMBERED = 4096
"""Bytes of an outline. A client may send objects of a megabyte, and no two alike."""

_NEVER_OWNED: FieldSet = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        ".": {},
        "f:name": {},
        "f:namespace": {},
        "f:creationTimestamp": {},
        "f:selfLink": {},
        "f:uid": {},
        "f:generation": {},
        "f:managedFields": {},
        "f:resourceVersion": {},
    },
}


def strip(fields: FieldSet) -> FieldSet:
    """A set without the fields that nobody owns: those that identify the object or that only the server sets."""
    return difference(fields, _NEVER_OWNED)


def empty(model: type[KubeObject]) -> dict[str, Any]:
    """The document of an object of a model without any fields set."""
    document: dict[str, Any] = msgspec.to_builtins(model())
    return document


def fields_of_new(model: type[KubeObject], document: Mapping[str, Any], ignored: tuple[str, ...]) -> FieldSet:
    """The fields that a new object sets. Nobody may change the answer: other objects have the same.

    Args:
        model: Of the object.
        document: The object.
        ignored: Top-level fields that do not count.
    """
    if not _follows_from_outline(model):
        return _fields(model, document, ignored)
    counting = {name: part for name, part in document.items() if name not in ignored}
    outline = msgspec.json.encode(_outline(schema_of(model), counting))
    read = _read if len(outline) <= _LARGEST_REMEMBERED else _read.__wrapped__
    return read(model, outline, ignored)


def _outline(of: Type, value: Any) -> Any:
    """A value without the scalars in it, but for those in lists whose items are told apart by what is in them."""
    if isinstance(value, dict):
        return {
            name: _outline(child_type(of, name) or ANY, part) if isinstance(part, dict | list) else None
            for name, part in value.items()
        }
    return value if is_granular_list(of) else None


@lru_cache(maxsize=_REMEMBERED)
def _read(model: type[KubeObject], outline: bytes, ignored: tuple[str, ...]) -> FieldSet:
    return _fields(model, msgspec.json.decode(outline), ignored)


def _fields(model: type[KubeObject], document: Mapping[str, Any], ignored: tuple[str, ...]) -> FieldSet:
    return strip(compare(schema_of(model), empty(model), document).ignoring(ignored).written)


@cache
def _follows_from_outline(model: type[KubeObject]) -> bool:
    """Whether no value matters: an empty object has none that a new one may repeat, which then does not set it."""
    return _has_no_values(empty(model))


def _has_no_values(document: Mapping[str, Any]) -> bool:
    return all(isinstance(part, dict) and _has_no_values(part) for part in document.values())
