"""Strategic merge patch: lists of objects are merged by key, and directives express what merging cannot.

The semantics are those of the Kubernetes API server (design proposals "strategic-merge-patch" and
"preserve-order-in-strategic-merge-patch"); merge keys come from the models.
"""

import operator
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any

from app.domain.documents.schema import ListType, MapType, StructType, Type
from app.domain.errors import BadRequest, Invalid, shortened
from app.domain.patching.list_order import Identity, in_order

Object = dict[str, Any]

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_DELETE_PREFIX = "$deleteFromPrimitiveList/"
_ORDER_PREFIX = "$setElementOrder/"
_BY_VALUE = Identity("")
_NO_FRACTION = (str, int)
_DIRECTIVES = ("delete", "replace", "merge")

MAX_SAME_KEY = 10
"""Items of one list in a patch that may have the same merge key: each is merged into the result of those before."""


def strategic_merge(of: StructType, document: Object, patch: Any) -> Object:
    """Merge `patch` into `document`. Neither of them is changed.

    Args:
        of: The type of the document.
        document: The stored object.
        patch: The patch, parsed.

    Raises:
        BadRequest: The patch, or a directive in it, is malformed.
        Invalid: The patch has a list of lists, which cannot be merged.
    """
    if not isinstance(patch, dict):
        raise BadRequest("a strategic merge patch must be an object")
    merged: Object = _whole_numbers(_merge_objects(of, document, patch))
    return merged


def _merge_objects(of: Type | None, original: Object, patch: Object) -> Object:
    match _directive(patch):
        case "replace":
            return {name: value for name, value in patch.items() if name != _PATCH}
        case "delete":
            return {}
    merged = _retained_fields(original, patch)
    ordered = dict(_ordered_lists(of, merged, patch))
    merged |= ordered
    for name, value in patch.items():
        if name.startswith(_DELETE_PREFIX):
            _delete_scalars(merged, name, value)
        elif name not in ordered and name not in (_PATCH, _RETAIN) and not name.startswith(_ORDER_PREFIX):
            _merge_member(of, merged, name, value)
    return merged


def _merge_member(of: Type | None, merged: Object, name: str, value: Any) -> None:
    current = merged.get(name)
    if value is None:
        merged.pop(name, None)
    elif isinstance(current, dict) and isinstance(value, dict):
        merged[name] = _merge_objects(_member_type(of, name), current, value)
    elif isinstance(current, list) and isinstance(value, list):
        merged[name] = _merge_lists(_member_type(of, name), name, current, value)
    elif isinstance(value, dict) and _PATCH in value:
        merged.pop(name, None)
    else:
        merged[name] = _without_directives(value)


def _member_type(of: Type | None, name: str) -> Type | None:
    match of:
        case StructType(fields=fields):
            return fields[name].type if name in fields else None
        case MapType(value=value):
            return value
        case _:
            return None


def _directive(patch: Object) -> str | None:
    directive = patch.get(_PATCH)
    if directive is not None and directive not in _DIRECTIVES:
        raise BadRequest(f"{_PATCH} must be one of {', '.join(_DIRECTIVES)}, not {directive!r}")
    return directive if isinstance(directive, str) else None


def _retained_fields(original: Object, patch: Object) -> Object:
    """The fields of the original that `$retainKeys` lists, or all. The patch may only set fields that it lists."""
    if _RETAIN not in patch:
        return dict(original)
    keys = patch[_RETAIN]
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise BadRequest(f"{_RETAIN} must be a list of field names")
    retained = set(keys)
    for name, value in patch.items():
        if value is not None and not name.startswith("$") and name not in retained:
            raise BadRequest(f"the patch sets {shortened(name)}, which its {_RETAIN} does not list")
    return {name: value for name, value in original.items() if name in retained}


def _delete_scalars(merged: Object, name: str, values: Any) -> None:
    target = name.removeprefix(_DELETE_PREFIX)
    if not isinstance(values, list):
        raise BadRequest(f"{name} must be a list of values")
    if isinstance(merged.get(target), list):
        gone = _BY_VALUE.places(values)
        merged[target] = [item for item in merged[target] if _BY_VALUE.of(item) not in gone]


def _ordered_lists(of: Type | None, original: Object, patch: Object) -> Iterator[tuple[str, list[Any]]]:
    """The lists that have a `$setElementOrder` directive, each merged with the items of the patch, and ordered."""
    for name, order in patch.items():
        if not name.startswith(_ORDER_PREFIX):
            continue
        target = name.removeprefix(_ORDER_PREFIX)
        current, change = original.get(target), patch.get(target)
        if not isinstance(order, list):
            raise BadRequest(f"{name} must be a list")
        if current is None and change is None:
            continue
        if not (isinstance(current, list | None) and isinstance(change, list | None)):
            raise BadRequest(f"{name} orders {target}, which is no list")
        kind = _member_type(of, target)
        identity = Identity(kind.merge_key if isinstance(kind, ListType) else "")
        _check_order(name, order, change or [], identity)
        merged = _merge_lists(kind, target, current or [], change) if change else list(current or [])
        yield target, in_order(merged, order, current or [], identity)


def _check_order(name: str, order: list[Any], change: list[Any], identity: Identity) -> None:
    """Check that the items of the patch are all in the order, and come in that order."""
    places = map(identity.of, order)
    for item in change if order else ():
        if isinstance(item, dict) and _PATCH in item:
            continue
        wanted = identity.of(item)
        if wanted not in places:
            raise BadRequest(f"the items of the patch do not come in the order that {name} gives")


def _merge_lists(of: Type | None, name: str, original: list[Any], patch: list[Any]) -> list[Any]:
    if not isinstance(of, ListType) or not of.strategic:
        return patch
    _check_items(name, [*original, *patch])
    if not any(isinstance(item, dict) for item in (*original, *patch)):
        every = {_BY_VALUE.of(item): item for item in (*original, *patch)}
        return in_order(list(every.values()), patch, original, _BY_VALUE)
    if not of.merge_key:
        raise BadRequest(f"{name} is a list of objects without a merge key and cannot be merged")
    return _merge_keyed(of, name, original, patch)


def _check_items(name: str, items: list[Any]) -> None:
    if any(isinstance(item, list) for item in items):
        raise Invalid(f"{name} is a list of lists, which a strategic merge patch cannot merge")
    if len({type(item) for item in items}) > 1 or None in items:
        raise BadRequest(f"the items of {name} are not all of one type")


def _merge_keyed(of: ListType, name: str, original: list[Any], patch: list[Any]) -> list[Any]:
    identity = Identity(of.merge_key)
    plain, gone, replace = _split_items(of.merge_key, name, patch)
    if replace:
        return [_without_directives(item) for item in plain]
    _check_repetition(name, identity, plain)
    merged = [item for item in original if identity.of(item) not in gone]
    places = identity.places(merged)
    for item in plain:
        place = places.setdefault(identity.of(item), len(merged))
        if place < len(merged):
            merged[place] = _merge_objects(of.item, merged[place], item)
        else:
            merged.append(_without_directives(item))
    return in_order(merged, plain, original, identity)


def _check_repetition(name: str, identity: Identity, items: list[Object]) -> None:
    if len(items) > MAX_SAME_KEY and max(Counter(map(identity.of, items)).values()) > MAX_SAME_KEY:
        raise BadRequest(f"more than {MAX_SAME_KEY} items of {name} have the same merge key")


def _split_items(merge_key: str, name: str, patch: list[Object]) -> tuple[list[Object], set[Hashable], bool]:
    """The items to merge, the identities of the items to delete, and whether the whole list is replaced."""
    plain: list[Object] = []
    gone: set[Hashable] = set()
    replace = False
    for item in patch:
        directive = _directive(item)
        if directive == "replace":
            replace = True
        elif merge_key not in item:
            raise BadRequest(f"an item of {name} lacks its merge key {merge_key}")
        elif directive == "delete":
            gone.add(Identity(merge_key).of(item))
        else:
            plain.append(item)
    return plain, gone, replace


def _without_directives(value: Any) -> Any:
    """A value that is not merged with another one: nulls and directives in it have no effect."""
    match value:
        case dict():
            return {
                name: _without_directives(part)
                for name, part in value.items()
                if part is not None and name != _PATCH and not _is_directive(part)
            }
        case list():
            return [_without_directives(part) for part in value if not _is_directive(part)]
        case _:
            return value


def _is_directive(value: Any) -> bool:
    return isinstance(value, dict) and value.get(_PATCH) in ("delete", "replace")


def _whole_numbers(value: Any) -> Any:
    """Turn whole numbers that are written with a fraction, such as 80.0, into integers, as the API server does.

    A value without such numbers is returned itself, not a copy.
    """
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            changed = {
                name: whole
                for name, part in value.items()
                if not isinstance(part, _NO_FRACTION) and (whole := _whole_numbers(part)) is not part
            }
            return {**value, **changed} if changed else value
        case list():
            parts = [part if isinstance(part, _NO_FRACTION) else _whole_numbers(part) for part in value]
            return value if all(map(operator.is_, parts, value)) else parts
        case _:
            return value
