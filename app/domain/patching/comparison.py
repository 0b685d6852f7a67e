"""Compares two versions of an object: which fields were added, modified and removed."""

from typing import Any

from app.domain.documents.schema import ListType, ScalarType, Type
from app.domain.patching.field_sets import SELF, FieldSet, field_element, union, without
from app.domain.patching.typed_values import ANY, child_type, is_granular_list, is_granular_map, items_by_element


class Comparison:
    """Three sets of fields, which are empty if the versions are equal.

    Attributes:
        added: Fields that only the newer version has.
        modified: Leaves that both versions have, with different values.
        removed: Fields that only the older version has.
    """

    __slots__ = ("added", "modified", "removed")

    def __init__(
        self, added: FieldSet | None = None, modified: FieldSet | None = None, removed: FieldSet | None = None
    ) -> None:
        self.added: FieldSet = {} if added is None else added
        self.modified: FieldSet = {} if modified is None else modified
        self.removed: FieldSet = {} if removed is None else removed

    @property
    def written(self) -> FieldSet:
        """The fields that were added or modified."""
        return union(self.modified, self.added) if self.modified else self.added

    def ignoring(self, names: tuple[str, ...]) -> "Comparison":
        """The comparison without some top-level fields."""
        return Comparison(without(self.added, names), without(self.modified, names), without(self.removed, names))

    def collect(self, element: str, of: Type, old: Any, new: Any) -> None:
        """Compare a field or item that both versions have, and add the differences under its element."""
        if old is new or (old == new and type(old) is type(new)):
            return
        if not _has_parts(of, old, new):
            self.modified[element] = {}
            return
        below = compare(of, old, new)
        for mine, found in ((self.added, below.added), (self.modified, below.modified), (self.removed, below.removed)):
            if found:
                mine[element] = found


def compare(of: Type, old: Any, new: Any) -> Comparison:
    """Compare two lists, or two objects, of one type."""
    result = Comparison()
    if isinstance(of, ListType):
        _compare_lists(result, of, old or [], new or [])
    else:
        _compare_maps(result, of, old or {}, new or {})
    return result


def _has_parts(of: Type, old: Any, new: Any) -> bool:
    """Whether two values are compared field by field or item by item. Two empty values are leaves."""
    if not old and not new:
        return False
    if is_granular_list(of):
        return isinstance(old, list | None) and isinstance(new, list | None)
    return is_granular_map(of, old, new) and isinstance(old, dict | None) and isinstance(new, dict | None)


def _compare_maps(result: Comparison, of: Type, old: dict[str, Any], new: dict[str, Any]) -> None:
    for name, value in new.items():
        inner = child_type(of, name) or ANY
        if name in old:
            result.collect(field_element(name), inner, old[name], value)
        else:
            result.added[field_element(name)] = _all_fields(inner, value)
    for name, value in old.items():
        if name not in new:
            result.removed[field_element(name)] = _all_fields(child_type(of, name) or ANY, value)


def _compare_lists(result: Comparison, of: ListType, old: list[Any], new: list[Any]) -> None:
    before, after = dict(items_by_element(of, old)), dict(items_by_element(of, new))
    for element, item in after.items():
        if element in before:
            result.collect(element, of.item, before[element], item)
        else:
            result.added[element] = _all_fields(of.item, item)
    for element, item in before.items():
        if element not in after:
            result.removed[element] = _all_fields(of.item, item)


def _all_fields(of: Type, value: Any) -> FieldSet:
    """The set of a value that was added or removed, with all that is in it. It runs for each field of a new object."""
    if not value or isinstance(of, ScalarType):
        return {}
    if isinstance(value, list):
        if not (isinstance(of, ListType) and is_granular_list(of)):
            return {}
        return {SELF: {}, **{element: _all_fields(of.item, item) for element, item in items_by_element(of, value)}}
    if not (isinstance(value, dict) and is_granular_map(of, value)):
        return {}
    node: FieldSet = {SELF: {}}
    for name, part in value.items():
        node[field_element(name)] = {} if isinstance(part, str) else _all_fields(child_type(of, name) or ANY, part)
    return node
