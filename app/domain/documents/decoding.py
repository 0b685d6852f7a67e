"""Decodes bodies into objects, with the rules of the Kubernetes API server.

Unknown and duplicate fields are dropped, named in warnings or refused (`fieldValidation`). msgspec decodes an ordinary
JSON body straight into its Struct. Only if that fails is the body read field by field, to find out what is wrong and
where.
"""

import json
import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

import msgspec

from app.domain.documents import yaml_documents
from app.domain.documents.paths import MAX_PROBLEMS, Path, is_within, path_text
from app.domain.documents.schema import schema_of
from app.domain.documents.typed_documents import MAX_OBJECTS, convert, drop_empty, shown
from app.domain.documents.wire import Wire
from app.domain.errors import BadRequest

Document = Any
"""JSON as Python has it: dict, list, str, int, float, bool, None."""

WireT = TypeVar("WireT", bound=Wire)

MAX_DEPTH = 100
"""Levels of nesting that a body may have; no kind needs nearly as many."""

LARGE_BODY = 16 * 1024
"""Size in bytes of a body that may take more than ten milliseconds to read: it is read in another thread."""

_MAX_DIGITS = 20
_MAX_NAMED = 10
_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Strictness(StrEnum):
    """How unknown and duplicate fields are treated (query parameter `fieldValidation`)."""

    IGNORE = "Ignore"
    WARN = "Warn"
    STRICT = "Strict"


class StrictDecodingError(BadRequest):
    """Unknown or duplicate fields under `fieldValidation=Strict`.

    Attributes:
        problems: A text for each, as the warnings would have it.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("strict decoding error: " + ", ".join(problems))
        self.problems = tuple(problems)


def parse_json(data: bytes) -> tuple[Document, list[Path]]:
    """Parse a JSON body.

    Returns:
        The document, where the last of duplicate fields counts, and the paths of the first `MAX_PROBLEMS` duplicates.

    Raises:
        BadRequest: The body is not JSON, not UTF-8, or nested too deeply.
    """
    try:
        parsed = _PARSER.decode(data.decode())
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise BadRequest(f"the body is not valid JSON: {error}") from error
    duplicates: dict[Path, None] = {}
    document = _resolved(parsed, None, duplicates, 0)
    _check_encodable(document)
    return document, list(duplicates)


def parse_yaml(data: bytes) -> tuple[Document, list[Path]]:
    """Parse the first document of a YAML body; JSON is YAML, too.

    Returns:
        The document, where the last of duplicate keys counts, and the paths of the first `MAX_PROBLEMS` duplicates.

    Raises:
        BadRequest: The body is not YAML, has no form in JSON, is not UTF-8, or exceeds a limit.
    """
    document, duplicates = yaml_documents.parse_yaml(data, MAX_DEPTH)
    _check_encodable(document)
    return document, duplicates


def decode_json(model: type[WireT], data: bytes, *, strictness: Strictness) -> tuple[WireT, list[str]]:
    """Decode a JSON body.

    Returns:
        The object and the texts of warnings.

    Raises:
        BadRequest: The body is malformed or a value has the wrong type.
        StrictDecodingError: It has unknown or duplicate fields, and `strictness` is STRICT.
    """
    obj = _decode_ordinary(model, data)
    if obj is not None:
        return obj, []
    document, duplicates = parse_json(data)
    return decode(model, document, strictness=strictness, duplicates=duplicates)


def decode_yaml(model: type[WireT], data: bytes, *, strictness: Strictness) -> tuple[WireT, list[str]]:
    """Decode a YAML body; see `decode_json`. There is one warning for all its duplicate keys."""
    document, duplicates = parse_yaml(data)
    return decode(model, document, strictness=strictness, problems=yaml_problems(duplicates))


def decode(
    model: type[WireT],
    document: Document,
    *,
    strictness: Strictness,
    duplicates: Sequence[Path] = (),
    problems: Sequence[str] = (),
) -> tuple[WireT, list[str]]:
    """Decode a parsed document.

    Args:
        model: The type that it must have.
        document: JSON as Python has it.
        strictness: How unknown and duplicate fields are treated.
        duplicates: Paths that appeared twice in the body. Those inside of unknown fields are not told.
        problems: Texts about other problems that parsing found.

    Returns:
        The object and the texts of warnings.

    Raises:
        BadRequest: A value has the wrong type.
        StrictDecodingError: It has unknown or duplicate fields, and `strictness` is STRICT.
    """
    if not isinstance(document, dict):
        raise BadRequest(f"the body must be a JSON object, not {shown(document)}")
    obj, unknown = convert(model, document)
    unread = set(unknown)
    texts = [*problems, *(f'unknown field "{path_text(path)}"' for path in unknown)]
    texts += duplicate_fields(path for path in duplicates if not is_within(path, unread))
    return obj, warnings_of(texts, strictness)


def warnings_of(problems: Sequence[str], strictness: Strictness) -> list[str]:
    """The warnings for unknown and duplicate fields.

    Raises:
        StrictDecodingError: There are such fields, and `strictness` is STRICT.
    """
    if strictness is Strictness.IGNORE or not problems:
        return []
    if strictness is Strictness.STRICT:
        raise StrictDecodingError(problems[:MAX_PROBLEMS])
    return list(problems[:MAX_PROBLEMS])


def duplicate_fields(duplicates: Iterable[Path]) -> list[str]:
    """A text for each duplicate field of a JSON body."""
    return [f'duplicate field "{path_text(path)}"' for path in duplicates]


def yaml_problems(duplicates: Sequence[Path]) -> list[str]:
    """One text for all duplicate keys of a YAML body, as the API server has it; none if there are no duplicates."""
    if not duplicates:
        return []
    named = ", ".join(f'"{path_text(path)}"' for path in duplicates[:_MAX_NAMED])
    return [f"duplicate field {named}" + (" and others" if len(duplicates) > _MAX_NAMED else "")]


def to_document(obj: Wire) -> dict[str, Any]:
    """The document of an object, without the fields that have their zero value."""
    document: dict[str, Any] = msgspec.to_builtins(obj)
    return document


@cache
def _decoder(model: type[WireT]) -> msgspec.json.Decoder[WireT]:
    return msgspec.json.Decoder(model)


def _decode_ordinary(model: type[WireT], data: bytes) -> WireT | None:
    """Decode an ordinary body; None for any other, which may be right or wrong.

    Parsing keeps one field of each name. So a body with duplicate fields has more colons than the same document when it
    is encoded again. With an escaped colon that comparison would not work. The document is freed before the object is
    made, so that they never take memory at the same time.
    """
    try:
        document = _decode(data)
        compact = _encode(document)
        if b"\\u003" in data or data.count(b":") != compact.count(b":"):
            return None
        objects = compact.count(b"{")
        if objects > MAX_OBJECTS or (objects + compact.count(b"[") > MAX_DEPTH and is_too_deep(document)):
            return None
        del document
        obj: WireT = _decoder(model).decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError):
        return None
    if b"{}" in compact or b"[]" in compact:
        drop_empty(obj, schema_of(model))
    return obj


def is_too_deep(document: Document, depth: int = 0) -> bool:
    """Whether a document is nested more than `MAX_DEPTH` levels deep."""
    if isinstance(document, dict | list):
        parts = document.values() if isinstance(document, dict) else document
        return depth > MAX_DEPTH or any(is_too_deep(part, depth + 1) for part in parts)
    return False


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _integer(text: str) -> int | float:
    """An integer of 64 bits or else a float, as in Go. `int` takes quadratic time, so the digits are limited."""
    value = int(text) if len(text) <= _MAX_DIGITS else _finite(text)
    return value if _INT64_MIN <= value <= _UINT64_MAX else _finite(text)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _too_deep() -> BadRequest:
    return BadRequest(f"the body is nested more than {MAX_DEPTH} levels deep")


def _resolved(value: Any, path: Path, duplicates: dict[Path, None], depth: int) -> Document:
    """Keep the last of duplicate names in a parsed value, which is changed; collect the paths of the duplicates."""
    if not isinstance(value, _CONTAINERS):
        return value
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, list):
        for index, part in enumerate(value):
            if isinstance(part, _CONTAINERS):
                value[index] = _resolved(part, (path, index), duplicates, depth + 1)
        return value
    document = value if isinstance(value, dict) else {}
    for name, part in value.items():
        if document is not value and name in document and len(duplicates) < MAX_PROBLEMS:
            duplicates[path, name] = None
        document[name] = _resolved(part, (path, name), duplicates, depth + 1)
    return document


def _check_encodable(document: Document) -> None:
    """Refuse what JSON can express and msgspec cannot encode: half a surrogate pair, too large a number."""
    try:
        _encode(document)
    except (UnicodeEncodeError, OverflowError) as error:
        raise BadRequest(f"the body has a value that cannot be represented: {error}") from error


class _Repeating:
    """A JSON object in which a name comes twice, as it was written."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self._pairs = pairs

    def items(self) -> list[tuple[str, Any]]:
        return self._pairs


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Repeating:
    members = dict(pairs)
    return members if len(members) == len(pairs) else _Repeating(pairs)


_CONTAINERS = (dict, list, _Repeating)
_PARSER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_finite, parse_constant=_refuse_constant
)
