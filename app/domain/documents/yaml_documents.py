"""YAML to JSON documents, with the scalars that the Kubernetes API server's parser knows.

The parser's events are read one by one, so that depth and aliases stay bounded, duplicate keys are found, and nothing
but JSON can come out: no dates, no sets, no objects of any class.
"""

import copy
import math
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml import CSafeLoader
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from app.domain.errors import BadRequest

MAX_ALIASED_NODES = 10_000
"""Values that all aliases of a document together may repeat."""

_MERGE_KEY = "<<"
_STRING_TAGS = ("!", "tag:yaml.org,2002:str")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_INTEGER = re.compile(r"[-+]?(0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+|[1-9][0-9]*|0)")
_OCTAL = re.compile(r"([-+]?)0([0-7]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAX_EXACT = 2.0**53
_MAX_INTEGER_TEXT = 80
_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1


def parse_yaml(data: bytes, max_depth: int) -> tuple[Any, list[str]]:
    """Parse the first document of a YAML body.

    Returns:
        The document (None when there is none), where the last of duplicate keys counts, and the paths of those.

    Raises:
        BadRequest: It is no YAML, or not representable as JSON, or nested deeper than `max_depth`.
    """
    for document in parse_yaml_documents(data, max_depth):
        return document
    return None, []


def parse_yaml_documents(data: bytes, max_depth: int) -> Iterator[tuple[Any, list[str]]]:
    """Parse all documents of a YAML stream; see `parse_yaml`."""
    try:
        events = yaml.parse(data.decode(), Loader=CSafeLoader)
        for event in events:
            if isinstance(event, DocumentStartEvent):
                builder = _Builder(events, max_depth)
                yield builder.build(next(events), "", 0), list(builder.duplicates)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except yaml.YAMLError as error:
        raise BadRequest(f"the body is not valid YAML: {' '.join(str(error).split())}") from error


class _Builder:
    """Builds one document from the parser's events."""

    def __init__(self, events: Iterator[Event], max_depth: int) -> None:
        self.duplicates: dict[str, None] = {}
        self._events = events
        self._max_depth = max_depth
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._aliased = 0

    def build(self, event: Event, path: str, depth: int) -> Any:
        """Build the value that starts with `event`."""
        if depth > self._max_depth:
            raise BadRequest(f"the body is nested more than {self._max_depth} levels deep")
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self._nodes
        self._nodes += 1
        match event:
            case MappingStartEvent():
                value: Any = self._mapping(path, depth)
            case SequenceStartEvent():
                value = self._sequence(path, depth)
            case ScalarEvent():
                value = _scalar(event)
            case _:
                raise BadRequest(f"the body is not valid YAML: unexpected {type(event).__name__}")
        if event.anchor:
            self._anchors[event.anchor] = value, self._nodes - before
        return value

    def _alias(self, event: AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            raise BadRequest(f"the body is not valid YAML: no anchor &{event.anchor} before its alias")
        value, size = self._anchors[event.anchor]
        self._aliased += size
        self._nodes += size
        if self._aliased > MAX_ALIASED_NODES:
            raise BadRequest(f"the aliases in the body repeat more than {MAX_ALIASED_NODES} values")
        return copy.deepcopy(value)

    def _sequence(self, path: str, depth: int) -> list[Any]:
        items: list[Any] = []
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self.build(event, f"{path}[{len(items)}]", depth + 1))
        return items

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        document: dict[str, Any] = {}
        merged: list[Any] = []
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            is_merge = isinstance(event, ScalarEvent) and event.implicit[0] and event.value == _MERGE_KEY
            key = _key(self.build(event, path, depth + 1), path)
            at = f"{path}.{key}" if path else key
            value = self.build(next(self._events), at, depth + 1)
            if is_merge:
                merged.extend(value if isinstance(value, list) else [value])
                continue
            if key in document:
                self.duplicates[at] = None
            document[key] = value
        for source in merged:
            if not isinstance(source, dict):
                raise BadRequest(f"the body is not valid YAML: << at {path or 'the top'} must name a mapping")
            document = {**source, **document}
        return document


def _key(value: Any, path: str) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise BadRequest(f"a key in {path or 'the body'} is not a string")


def _scalar(event: ScalarEvent) -> Any:
    text: str = event.value
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
    """Read a number, None if the text is none; JSON writes whole ones without a fraction, so they become integers."""
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
