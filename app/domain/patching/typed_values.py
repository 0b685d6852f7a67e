"""Operations on documents of a type: the set of their fields, merging two, removing fields.

The semantics are those of Kubernetes' structured merge (KEP-555): objects and maps are merged field by field, lists of
type `map` or `set` item by item. Every other value is a leaf, which has one owner and is replaced as a whole.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.documents.schema import AnyType, ListType, MapType, ScalarType, StructType, Type
from app.domain.patching.field_sets import (
    FieldSet,
    field_element,
    index_element,
    is_member,
    key_element,
    node_of,
    value_element,
)

ANY = AnyType()
_BY_FIELD = (StructType, MapType)


class NoElement(ValueError):  # noqa: N818 - named after what the item lacks
    """A list item has no path element: it lacks its keys, or is of the wrong type."""


def child_type(of: Type, name: str) -> Type | None:
    """The type of a field or of a map's values; None for a field that is not declared."""
    if isinstance(of, StructType):
        known = of.fields.get(name)
        return None if known is None else known.type
    return of.value if isinstance(of, MapType) else ANY


def is_granular_map(of: Type, *values: Any) -> bool:
    """Whether each field of an object has its own owners."""
    if isinstance(of, _BY_FIELD):
        return not of.atomic
    return isinstance(of, AnyType) and any(isinstance(value, dict) for value in values)


def is_granular_list(of: Type) -> bool:
    """Whether each item of a list has its own owners."""
    return isinstance(of, ListType) and of.merge != "atomic"


def item_element(of: ListType, item: Any) -> str:
    """The path element of an item of a granular list.

    Raises:
        NoElement: It lacks a key, or is of the wrong type.
    """
    if of.merge == "set":
        if item is None or isinstance(item, dict | list):
            raise NoElement("an item of a set must be a string, a number or a boolean")
        return value_element(item)
    if not isinstance(item, dict):
        raise NoElement("an item of this list must be an object")
    keys = {}
    for name in of.keys:
        value = item.get(name)
        if value is None:
            value = _key_default(of.item, name)
        if value is None:
            raise NoElement(f"an item of this list must have {' and '.join(of.keys)}")
        keys[name] = value
    return key_element(keys)


def _key_default(of: Type, name: str) -> Any:
    return of.fields[name].default if isinstance(of, StructType) and name in of.fields else None


def items_by_element(of: ListType, items: Sequence[Any]) -> list[tuple[str, Any]]:
    """The items with their path elements. An item that lacks its keys gets the element of its index."""
    result = []
    for index, item in enumerate(items):
        try:
            element = item_element(of, item)
        except NoElement:
            element = index_element(index)
        result.append((element, item))
    return result


def field_set(of: Type, value: Any) -> FieldSet:
    """The set of all leaves and list items of a value: what a manager owns that applies it."""
    return _node(of, value) or {}


def _node(of: Type, value: Any) -> FieldSet | None:
    if isinstance(of, ScalarType):  # most fields are
        return {}
    if is_granular_list(of) and isinstance(of, ListType):
        items = items_by_element(of, value) if isinstance(value, list) else []
        return {element: node_of(field_set(of.item, item), member=True) for element, item in items} or None
    if not is_granular_map(of, value):
        return {}
    children: FieldSet = {}
    for name, part in value.items() if isinstance(value, dict) else ():
        inner = child_type(of, name) or ANY
        node = _node(inner, part)
        owned = part is None or part == {} or not isinstance(of, StructType)
        if owned or node is not None:
            children[field_element(name)] = _with_self(node) if owned else node
    return children or None


def _with_self(node: FieldSet | None) -> FieldSet:
    return {} if not node else {".": {}, **node}


def with_named_fields(of: Type, fields: FieldSet) -> FieldSet:
    """The set with the declared fields above its elements added."""
    result: FieldSet = {}
    for element, node in fields.items():
        if element == ".":
            continue
        inner, named = _below(of, element)
        children = with_named_fields(inner, node)
        result[element] = node_of(children, member=is_member(node) or named) or {}
    return result


def _below(of: Type, element: str) -> tuple[Type, bool]:
    """The type of the value of an element, and whether the element is a declared field."""
    if element.startswith("f:"):
        named = isinstance(of, StructType) and element[2:] in of.fields
        return child_type(of, element[2:]) or ANY, named
    return (of.item if isinstance(of, ListType) else ANY), False


def remove_fields(of: Type, value: Any, gone: FieldSet) -> Any:
    """A value without the elements of a set. A value that has nothing left becomes null, and so does a leaf."""
    if isinstance(of, ScalarType) or not isinstance(value, dict | list):
        return value
    if is_granular_list(of) and isinstance(of, ListType) and isinstance(value, list):
        return list(_kept_items(of, value, gone)) or None
    if not (is_granular_map(of, value) and isinstance(value, dict)):
        return None
    kept: dict[str, Any] = {}
    for name, part in value.items():
        node = gone.get(field_element(name))
        if node is None:
            kept[name] = part
        elif not is_member(node):
            kept[name] = remove_fields(child_type(of, name) or ANY, part, node)
    return kept or None


def _kept_items(of: ListType, items: list[Any], gone: FieldSet) -> Iterator[Any]:
    for element, item in items_by_element(of, items):
        node = gone.get(element)
        if node is None:
            yield item
        elif not is_member(node):
            yield remove_fields(of.item, item, node)


def merge_values(of: Type, live: Any, applied: Any) -> Any:
    """Merge an applied value into the live one. An applied leaf replaces; null does not replace an object or list."""
    if is_granular_list(of) and isinstance(of, ListType):
        if live or applied:
            return _merge_items(of, live or [], applied or [])
        return applied
    if is_granular_map(of, live, applied) and isinstance(live, dict | None) and isinstance(applied, dict | None):
        if not live or not applied:
            return applied or live or applied
        merged = dict(live)
        for name, part in applied.items():
            merged[name] = merge_values(child_type(of, name) or ANY, live[name], part) if name in live else part
        return merged
    return applied


def _merge_items(of: ListType, live: list[Any], applied: list[Any]) -> list[Any]:
    """Merge two lists by item: shared items in the applied order, other live items before the next shared one."""
    left, right = items_by_element(of, live), items_by_element(of, applied)
    known: dict[str, Any] = {}
    for element, item in left:
        known[element] = None if element in known else item
    wanted = {element for element, _ in right}
    shared = iter([element for element, _ in right if element in known])
    following = next(shared, None)
    result: list[Any] = []
    place = 0
    for element, item in right:
        while place < len(left) and left[place][0] != following:
            if left[place][0] not in wanted:
                result.append(left[place][1])
            place += 1
        if element == following:
            following = next(shared, None)
            place += 1
        result.append(merge_values(of.item, known[element], item) if known.get(element) is not None else item)
    result.extend(item for element, item in left[place:] if element not in wanted)
    return result
