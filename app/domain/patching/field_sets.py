"""Sets of fields in the form of `metadata.managedFields` (KEP-555, FieldsV1): union, intersection, difference.

A set is a tree of path elements: `f:name` is a field, `k:{...}` the list item with these keys, `v:...` the list item
with this value. An element without children is in the set. One with children is in the set if one of them is `.`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from app.domain.errors import shortened

FieldSet = dict[str, Any]
"""The children of an element, by path element. `{}` is the empty set at the top, and an element of the set below."""

SELF = "."
_PREFIXES = ("f:", "k:", "v:", "i:")
_encode = msgspec.json.Encoder(order="sorted").encode


def field_element(name: str) -> str:
    """The path element of a field."""
    return f"f:{name}"


def key_element(keys: Mapping[str, Any]) -> str:
    """The path element of the list item with these keys."""
    return f"k:{_encode(keys).decode()}"


def value_element(value: Any) -> str:
    """The path element of the list item with this value."""
    return f"v:{_encode(value).decode()}"


def index_element(index: int) -> str:
    """The path element of the list item at an index."""
    return f"i:{index}"


def conflict_field(path: tuple[str, ...]) -> str:
    """The text of a path in a conflict: `.spec.ports[port=80,protocol="TCP"].nodePort`."""
    return shortened("".join(_element_text(element) for element in path))


def _element_text(element: str) -> str:
    kind, content = element[:2], element[2:]
    match kind:
        case "f:":
            return f".{content}"
        case "k:":
            keys = json.loads(content)
            return (
                "[" + ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in keys.items()) + "]"
            )
        case "v:":
            return f"[={content}]"
        case _:
            return f"[{content}]"


def is_field_set(document: Any) -> bool:
    """Whether a JSON value is a set of fields."""
    return isinstance(document, dict) and all(
        (name == SELF and part == {}) or (_is_element(name) and is_field_set(part)) for name, part in document.items()
    )


def _is_element(name: str) -> bool:
    if not name.startswith(_PREFIXES):
        return False
    if name.startswith("f:"):
        return True
    try:
        content = json.loads(name[2:])
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) if name.startswith("k:") else not isinstance(content, dict | list)


def is_member(node: FieldSet) -> bool:
    """Whether an element with these children is in the set."""
    return not node or SELF in node


def node_of(children: FieldSet, *, member: bool) -> FieldSet | None:
    """The children of an element for the tree; None if neither it nor anything below is in the set."""
    if not children:
        return {} if member else None
    return {SELF: {}, **children} if member else children


def members(fields: FieldSet, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all elements in the set, parents before children."""
    for element, node in fields.items():
        if element != SELF:
            if is_member(node):
                yield (*path, element)
            yield from members(node, (*path, element))


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    """All elements of two sets."""
    result = dict(one)
    for element, node in other.items():
        if element == SELF:
            continue
        known = result.get(element)
        result[element] = node if known is None else _joined(known, node)
    return result


def union_of(sets: Sequence[FieldSet]) -> FieldSet:
    """All elements of many sets. Uniting them in halves keeps the work from growing with the square of their number."""
    if len(sets) <= 1:
        return sets[0] if sets else {}
    middle = len(sets) // 2
    return union(union_of(sets[:middle]), union_of(sets[middle:]))


def _joined(one: FieldSet, other: FieldSet) -> FieldSet:
    children = union(_children(one), _children(other))
    return node_of(children, member=is_member(one) or is_member(other)) or {}


def intersection(one: FieldSet, other: FieldSet) -> FieldSet:
    """The elements that are in both sets."""
    result: FieldSet = {}
    for element, node in one.items():
        if element != SELF and element in other:
            match = other[element]
            children = intersection(node, match)
            kept = node_of(children, member=is_member(node) and is_member(match))
            if kept is not None:
                result[element] = kept
    return result


def difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """The elements of the first set that are not in the second. Children of an element in the second set stay."""
    result: FieldSet = {}
    for element, node in one.items():
        if element == SELF:
            continue
        match = other.get(element)
        if match is None:
            result[element] = node
            continue
        children = difference(node, match)
        kept = node_of(children, member=is_member(node) and not is_member(match))
        if kept is not None:
            result[element] = kept
    return result


def without(one: FieldSet, names: tuple[str, ...]) -> FieldSet:
    """A set without some top-level fields and all that is below them."""
    gone = {field_element(name) for name in names}
    return {element: node for element, node in one.items() if element not in gone}


def _children(node: FieldSet) -> FieldSet:
    return {element: part for element, part in node.items() if element != SELF}
