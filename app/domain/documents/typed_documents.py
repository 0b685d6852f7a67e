"""Turns documents into typed objects, field by field, with Go's rules.

`null` is the zero value, names are case-sensitive, and numbers must fit Go's types. An empty list or map means the same
as one that is left out.
"""

import binascii
import json
import re
from base64 import b64decode
from typing import Any, TypeVar

from app.domain.documents.paths import MAX_PROBLEMS, Path, path_text
from app.domain.documents.schema import AnyType, Field, ListType, MapType, ScalarType, StructType, Type, schema_of, zero
from app.domain.documents.wire import QUANTITY, Wire
from app.domain.errors import BadRequest, shortened
from app.domain.timestamps import format_micro_time, format_time, parse_time

WireT = TypeVar("WireT", bound=Wire)

MAX_OBJECTS = 100_000
"""Objects of known types that a body may have. Even an empty one takes some hundred bytes of memory."""

_MAX_SHOWN = 80


class _Findings:
    """What is found while a document is read.

    Attributes:
        unknown: Paths of the first `MAX_PROBLEMS` fields that the model does not know.
    """

    __slots__ = ("_objects", "unknown")

    def __init__(self) -> None:
        self.unknown: list[Path] = []
        self._objects = 0

    def add_unknown(self, path: Path, name: str) -> None:
        if len(self.unknown) < MAX_PROBLEMS:
            self.unknown.append((path, name))

    def count_object(self) -> None:
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            raise BadRequest(f"the body has more than {MAX_OBJECTS} objects")


def convert(model: type[WireT], document: dict[str, Any]) -> tuple[WireT, list[Path]]:
    """Turn a document into a typed object.

    Returns:
        The object, and the paths of the first `MAX_PROBLEMS` fields that the model does not know.

    Raises:
        BadRequest: A value has the wrong type, and the message names its path; or there are more than `MAX_OBJECTS`.
    """
    findings = _Findings()
    obj: WireT = _struct(schema_of(model), document, None, findings)
    return obj, findings.unknown


def drop_empty(obj: Any, struct: StructType) -> None:
    """Set empty lists and maps that may be left out to None, at all levels."""
    for each in struct.compound:
        value = getattr(obj, each.name)
        of = each.type
        if isinstance(of, StructType):
            if value is not None:
                drop_empty(value, of)
        elif not value:
            if value is not None and _may_be_dropped(each):
                setattr(obj, each.name, None)
        elif isinstance(of, ListType) and isinstance(of.item, StructType):
            for part in value:
                drop_empty(part, of.item)


def shown(value: Any) -> str:
    """A JSON value for an error message: its type, and the value itself if it is short and has no parts."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value[:_MAX_SHOWN] if isinstance(value, str) else value)
    return f"the {json_type(value)} {text[:_MAX_SHOWN]}" if value is not None else "null"


def shown_as(of: Type, value: Any) -> str:
    """The same for a value that should be of a type; of what may be a secret it tells the kind of value only."""
    inner = of.value if isinstance(of, MapType) else of
    confidential = isinstance(inner, ScalarType) and inner.is_confidential
    return _ARTICLES[json_type(value)] if confidential and value is not None else shown(value)


def _struct(struct: StructType, document: dict[str, Any], path: Path, findings: _Findings) -> Any:
    findings.count_object()
    values: dict[str, Any] = {}
    for name, value in document.items():
        known = struct.fields.get(name)
        if known is None:
            findings.add_unknown(path, name)
        elif value is not None:
            read = _value(known.type, value, (path, name), findings)
            if read or not _may_be_dropped(known):
                values[known.name] = read
    return struct.model(**values)


def _may_be_dropped(known: Field) -> bool:
    """Whether an empty value is left out: Go does so with empty slices and maps."""
    return known.nullable and not known.keeps_empty and isinstance(known.type, ListType | MapType)


def _value(of: Type, value: Any, path: Path, findings: _Findings) -> Any:
    match of:
        case ScalarType():
            return _scalar(of, value, path)
        case StructType():
            if isinstance(value, dict):
                return _struct(of, value, path, findings)
            raise _wrong_type(path, "an object", of, value)
        case ListType(item=item):
            if isinstance(value, list):
                return [_element(item, part, (path, index), findings) for index, part in enumerate(value)]
            raise _wrong_type(path, "a list", of, value)
        case MapType(value=item):
            if isinstance(value, dict):
                return {key: _element(item, part, (path, key), findings) for key, part in value.items()}
            raise _wrong_type(path, "an object", of, value)
        case AnyType():
            return value


def _element(of: Type, value: Any, path: Path, findings: _Findings) -> Any:
    return zero(of) if value is None else _value(of, value, path, findings)


def _scalar(of: ScalarType, value: Any, path: Path) -> Any:
    if of.format == QUANTITY:
        return _quantity(of, value, path)
    name = json_type(value)
    if name == "integer" and name not in of.names and "number" in of.names:
        return float(value)
    if name not in of.names:
        raise _wrong_type(path, " or ".join(_ARTICLES[each] for each in of.names), of, value)
    if name == "integer" and not of.minimum <= value <= of.maximum:
        raise BadRequest(f"{path_text(path)} must be between {of.minimum} and {of.maximum}, not {value}")
    if of.format == "date-time" and not re.match(of.pattern, value):
        return _moment(of, value, path)
    return _bytes(value, path) if of.format == "byte" else value


def _quantity(of: ScalarType, value: Any, path: Path) -> str:
    """A quantity as text. As in Go, it may be written as a number."""
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, bool | dict | list) or not re.match(of.pattern, text):
        raise BadRequest(f"{path_text(path)} must be a quantity such as 5, 1500m or 2Gi, not {shown(value)}")
    return text


def _bytes(text: str, path: Path) -> bytes:
    """Decode base64. As in Go, line breaks are ignored: many programs write them."""
    try:
        return b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        wanted = "base64, such as aGVsbG8=, padded to a multiple of four characters"
        raise BadRequest(f"{path_text(path)} must be {wanted}") from error


def _moment(of: ScalarType, text: str, path: Path) -> str:
    try:
        moment = parse_time(text)
        seconds = format_time(moment)
        return seconds if re.match(of.pattern, seconds) else format_micro_time(moment)
    except (ValueError, OverflowError) as error:
        wanted = "an RFC 3339 timestamp such as 2026-01-02T03:04:05Z"
        raise BadRequest(f'{path_text(path)} must be {wanted}, not "{shortened(text)}"') from error


_ARTICLES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


def json_type(value: Any) -> str:
    """The JSON Schema name of a value's type."""
    for of, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, of):
            return name
    return "object"


def _wrong_type(path: Path, wanted: str, of: Type, value: Any) -> BadRequest:
    return BadRequest(f"{path_text(path)} must be {wanted}, not {shown_as(of, value)}")
