"""Turns YAML into JSON documents, with the scalars that the parser of the Kubernetes API server knows.

The parser's events are read one by one. So depth and aliases are limited, duplicate keys are found, and the result can
only be JSON: no dates, no sets, no objects of Python classes.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml import CSafeLoader
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from app.domain.documents.paths import MAX_PROBLEMS, Path, path_text
from app.domain.errors import BadRequest, shortened

MAX_VALUES = 2_000_000
"""Values that a body may have; reading so many takes some seconds."""

MAX_ALIASED_VALUES = 10_000
"""Values that all aliases of a body together may repeat."""

MAX_ALIASED_CHARACTERS = 2**20
"""Characters of text that all aliases of a body together may repeat."""

MAX_TAG_LENGTH = 256
"""Characters of a tag, the prefix from `%TAG` included: the parser makes such a text for each value."""

MAX_TAG_DIRECTIVES = 100
"""`%TAG` directives that a body may have: the parser compares each with all others."""

_MERGE_KEY = "<<"
_STRING_TAGS = ("!", "tag:yaml.org,2002:str")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_INTEGER = re.compile(r"[-+]?(0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+|[1-9][0-9]*|0)")
_OCTAL = re.compile(r"([-+]?)0([0-7]+)")
_TAG_DIRECTIVE = re.compile(r"(?:^|[\r\n\x85\u2028\u2029])%TAG\b")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAX_EXACT = 2.0**53
_MAX_INTEGER_TEXT = 80
_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1


def parse_yaml(data: bytes, max_depth: int) -> tuple[Any, list[Path]]:
    """Parse the first document of a YAML body.

    Returns:
        The document (None if there is none), where the last of duplicate keys counts, and the paths of the first
        `MAX_PROBLEMS` duplicates.

    Raises:
        BadRequest: The body is not YAML, has no form in JSON, is nested deeper than `max_depth`, or exceeds one of the
            limits above.
    """
    for document in parse_yaml_documents(data, max_depth):
        return document
    return None, []


def parse_yaml_documents(data: bytes, max_depth: int) -> Iterator[tuple[Any, list[Path]]]:
    """Parse all documents of a YAML stream; see `parse_yaml`. The limits hold for all of them together."""
    try:
        text = data.decode()
        if len(_TAG_DIRECTIVE.findall(text)) > MAX_TAG_DIRECTIVES:
            raise BadRequest(f"the body has more than {MAX_TAG_DIRECTIVES} %TAG directives")
        events, expansion = yaml.parse(text, Loader=CSafeLoader), _Expansion()
        for event in events:
            if isinstance(event, DocumentStartEvent):
                builder = _Builder(events, max_depth, expansion)
                yield builder.build(next(events), None, 0), list(builder.duplicates)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except yaml.YAMLError as error:
        raise BadRequest(f"the body is not valid YAML: {' '.join(str(error).split())}") from error


class _Expansion:
    """Counts the values of a stream, and what its aliases repeat."""

    def __init__(self) -> None:
        self.values = 0
        self.characters = 0
        self._aliased_values = 0
        self._aliased_characters = 0

    def repeat(self, values: int, characters: int) -> None:
        """Count the values and characters that an alias repeats.

        Raises:
            BadRequest: All aliases together repeat too much.
        """
        self.values += values
        self.characters += characters
        self._aliased_values += values
        self._aliased_characters += characters
        if self._aliased_values > MAX_ALIASED_VALUES:
            raise BadRequest(f"the aliases in the body repeat more than {MAX_ALIASED_VALUES} values")
        if self._aliased_characters > MAX_ALIASED_CHARACTERS:
            raise BadRequest(f"the aliases in the body repeat more than {MAX_ALIASED_CHARACTERS} characters")


class _Builder:
    """Builds one document from the parser's events."""

    def __init__(self, events: Iterator[Event], max_depth: int, expansion: _Expansion) -> None:
        self.duplicates: dict[Path, None] = {}
        self._events = events
        self._max_depth = max_depth
        self._expansion = expansion
        self._anchors: dict[str, tuple[Any, int, int]] = {}

    def build(self, event: Event, path: Path, depth: int) -> Any:
        """Build the value that starts with `event`."""
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        expansion = self._expansion
        values, characters = expansion.values, expansion.characters
        if values >= MAX_VALUES:
            raise BadRequest(f"the body has more than {MAX_VALUES} values; send as much in several requests")
        expansion.values += 1
        if isinstance(event, ScalarEvent):
            expansion.characters += len(event.value)
            value = _scalar(event)
        elif isinstance(event, CollectionStartEvent):
            value = self._container(event, path, depth)
        else:
            raise BadRequest(f"the body is not valid YAML: unexpected {type(event).__name__}")
        if event.anchor:
            self._anchors[event.anchor] = value, expansion.values - values, expansion.characters - characters
        return value

    def _container(self, event: CollectionStartEvent, path: Path, depth: int) -> Any:
        _check_tag(event)
        self._check_depth(depth)
        return self._mapping(path, depth) if isinstance(event, MappingStartEvent) else self._sequence(path, depth)

    def _check_depth(self, depth: int) -> None:
        if depth > self._max_depth:
            raise BadRequest(f"the body is nested more than {self._max_depth} levels deep")

    def _alias(self, event: AliasEvent, depth: int) -> Any:
        name = event.anchor or ""
        if name not in self._anchors:
            raise BadRequest(f"the body is not valid YAML: no anchor &{shortened(name)} before its alias")
        value, values, characters = self._anchors[name]
        self._expansion.repeat(values, characters)
        return self._copied(value, depth)

    def _copied(self, value: Any, depth: int) -> Any:
        """A copy for each place, so that changing one does not change the others."""
        match value:
            case dict():
                self._check_depth(depth)
                return {name: self._copied(part, depth + 1) for name, part in value.items()}
            case list():
                self._check_depth(depth)
                return [self._copied(part, depth + 1) for part in value]
            case _:
                return value

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        items: list[Any] = []
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self.build(event, (path, len(items)), depth + 1))
        return items

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        document: dict[str, Any] = {}
        merged: list[Any] = []
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            is_merge = isinstance(event, ScalarEvent) and event.implicit[0] and event.value == _MERGE_KEY
            key = _key(self.build(event, path, depth + 1), path)
            value = self.build(next(self._events), (path, key), depth + 1)
            if is_merge:
                merged.extend(value if isinstance(value, list) else [value])
                continue
            if key in document and len(self.duplicates) < MAX_PROBLEMS:
                self.duplicates[path, key] = None
            document[key] = value
        for source in merged:
            if not isinstance(source, dict):
                where = path_text(path) or "the top"
                raise BadRequest(f"the body is not valid YAML: << at {where} must name a mapping")
            for key, value in source.items():
                document.setdefault(key, value)
        return document


def _key(value: Any, path: Path) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise BadRequest(f"a key in {path_text(path) or 'the body'} is not a string")


def _check_tag(event: ScalarEvent | CollectionStartEvent) -> None:
    if event.tag and len(event.tag) > MAX_TAG_LENGTH:
        raise BadRequest(f"the body is not valid YAML: a tag has more than {MAX_TAG_LENGTH} characters")


def _scalar(event: ScalarEvent) -> Any:
    text: str = event.value
    if event.tag is not None:
        _check_tag(event)
    if event.tag in _STRING_TAGS or (event.tag is None and not event.implicit[0]):
        return text
    if event.tag is not None and not event.tag.startswith("tag:yaml.org,2002:"):
        return text
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text[0] in "+-.0123456789":
        number = _number(text.replace("_", ""))
        if number is not None:
            return number
    if event.tag is not None or text.lstrip("+-").lower() in (".inf", ".nan"):
        raise BadRequest(f"the YAML value {text[:80]} has no form in JSON")
    return text


def _number(text: str) -> int | float | None:
    """Read a number; None if the text is none. Whole numbers become integers, as JSON writes them."""
    octal = _OCTAL.fullmatch(text)
    if octal is not None:
        text = f"{octal[1]}0o{octal[2]}"
    if len(text) <= _MAX_INTEGER_TEXT and _INTEGER.fullmatch(text):
        value: int | float = int(text, 0)
        return value if _INT64_MIN <= value <= _UINT64_MAX else float(value)
    if not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    if math.isinf(value):
        raise BadRequest(f"the YAML value {text[:80]} is too large a number")
    return int(value) if value.is_integer() and abs(value) <= _MAX_EXACT else value
