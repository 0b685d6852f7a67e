"""JSON Patch (RFC 6902) as the Kubernetes API server applies it.

Other than in the RFC, negative indices count from the end, `copy` of a missing member gives null, and `replace` sets a
missing member. Libraries refuse that, and clients rely on it.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.domain.documents.decoding import MAX_DEPTH, is_too_deep
from app.domain.documents.paths import MAX_PROBLEMS, Path
from app.domain.errors import BadRequest, Invalid, RequestEntityTooLarge, shortened

MAX_OPERATIONS = 10_000
"""Operations that one patch may have."""

MAX_COPIED_BYTES = 2**20
"""Bytes of JSON that all `copy` operations of a patch together may add."""

MAX_SHIFTED_ITEMS = 10_000
"""Items of a list into which an operation may insert one, or from which it may remove one: later items have to move."""

Operation = Mapping[str, Any]

_FIELDS = ("op", "path", "from", "value")
_INDEX = re.compile(r"[+-]?[0-9]{1,9}")


def check_operations(document: Any) -> tuple[list[Operation], list[Path]]:
    """Check that a parsed body is a list of operations.

    Returns:
        The operations, and the paths of the first `MAX_PROBLEMS` members with unknown names.

    Raises:
        BadRequest: The body is not a list of objects, or a member has the wrong type.
        RequestEntityTooLarge: There are more than `MAX_OPERATIONS`.
    """
    if not isinstance(document, list):
        raise BadRequest("a JSON patch must be a list of operations (RFC 6902)")
    unknown: list[Path] = []
    for index, operation in enumerate(document):
        if not isinstance(operation, dict):
            raise BadRequest(f"operation [{index}] of the JSON patch must be an object")
        for name in ("op", "path", "from"):
            if not isinstance(operation.get(name), str | None):
                raise BadRequest(f"{name} of operation [{index}] of the JSON patch must be a string")
        if len(unknown) < MAX_PROBLEMS:
            unknown.extend(((None, index), name) for name in operation if name not in _FIELDS)
    if len(document) > MAX_OPERATIONS:
        raise RequestEntityTooLarge(
            f"a JSON patch may have at most {MAX_OPERATIONS} operations; this one has {len(document)}"
        )
    return document, unknown[:MAX_PROBLEMS]


def apply_json_patch(document: Any, operations: Sequence[Operation]) -> Any:
    """Apply operations in order.

    Args:
        document: The document to patch; it is not changed.
        operations: As from `check_operations`.

    Returns:
        The patched document.

    Raises:
        Invalid: An operation does not apply, or a test fails.
    """
    holder = {"": copy.deepcopy(document)}
    left = MAX_COPIED_BYTES
    for index, operation in enumerate(operations):
        try:
            left -= _run(holder, operation, left)
        except _Inapplicable as error:
            name = shortened(str(operation.get("op")))
            problem = f"operation [{index}] ({name}) of the JSON patch cannot be applied: {error}"
            raise Invalid(f"the server rejected our request due to an error in our request: {problem}") from error
    return holder[""]


class _Inapplicable(Exception):  # noqa: N818 - named after what the operation is
    """An operation cannot be applied to the document."""


def _run(holder: dict[str, Any], operation: Operation, left: int) -> int:
    """Apply one operation, which may copy `left` bytes at most; returns the number of bytes that it copied."""
    match operation.get("op"):
        case "add":
            _add(*_find(holder, _pointer(operation, "path")), copy.deepcopy(operation.get("value")))
        case "remove":
            _remove(*_find(holder, _pointer(operation, "path")))
        case "replace":
            _replace(holder, _pointer(operation, "path"), copy.deepcopy(operation.get("value")))
        case "move":
            source = _find(holder, _pointer(operation, "from"))
            value = _get(*source)
            _remove(*source)
            _add(*_find(holder, _pointer(operation, "path")), value)
        case "copy":
            encoded = _encoded(_get(*_find(holder, _pointer(operation, "from"))), left)
            _add(*_find(holder, _pointer(operation, "path")), msgspec.json.decode(encoded))
            return len(encoded)
        case "test":
            _test(holder, _pointer(operation, "path"), operation.get("value"))
        case _:
            raise _Inapplicable("op must be one of add, remove, replace, move, copy, test")
    return 0


def _encoded(value: Any, limit: int) -> bytes:
    """The JSON of a value that is copied: its length is counted, and decoding it gives the copy."""
    if is_too_deep(value):
        raise _Inapplicable(f"it would copy something nested more than {MAX_DEPTH} levels deep")
    encoded = msgspec.json.encode(value)
    if len(encoded) > limit:
        raise _Inapplicable(f"the patch copies more than {MAX_COPIED_BYTES} bytes")
    return encoded


def _pointer(operation: Operation, name: str) -> str:
    pointer = operation.get(name)
    if not isinstance(pointer, str):
        raise _Inapplicable(f"it has no {name}")
    return pointer


def _find(holder: dict[str, Any], pointer: str) -> tuple[dict[str, Any] | list[Any], str]:
    """The object or list that a JSON pointer (RFC 6901) leads to, and the last token of the pointer."""
    if not pointer.startswith("/"):
        raise _Inapplicable(f'"{shortened(pointer)}" does not point into the object; a path starts with /')
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    container = holder[""]
    for token in tokens[:-1]:
        container = _get(container, token) if isinstance(container, dict | list) else None
    if not isinstance(container, dict | list):
        raise _Inapplicable(f'"{shortened(pointer)}" leads through something that does not exist')
    return container, tokens[-1]


def _index(items: list[Any], token: str, size: int) -> int:
    """An index that exists; negative numbers count from the end."""
    if not _INDEX.fullmatch(token):
        raise _Inapplicable(f'"{shortened(token)}" is no index of a list')
    index = int(token)
    if not -size <= index < size:
        raise _Inapplicable(f"index {index} is outside of a list of {len(items)}")
    return index % size


def _get(container: dict[str, Any] | list[Any], token: str) -> Any:
    if isinstance(container, dict):
        return container.get(token)
    return container[_index(container, token, len(container))]


def _add(container: dict[str, Any] | list[Any], token: str, value: Any) -> None:
    if isinstance(container, dict):
        container[token] = value
    elif token == "-":  # noqa: S105 - RFC 6901's token for the place after the last item
        container.append(value)
    else:
        index = _index(container, token, len(container) + 1)
        _check_shift(container)
        container.insert(index, value)


def _remove(container: dict[str, Any] | list[Any], token: str) -> None:
    if isinstance(container, list):
        index = _index(container, token, len(container))
        _check_shift(container)
        del container[index]
    elif token in container:
        del container[token]
    else:
        raise _Inapplicable(f'there is no "{shortened(token)}"')


def _check_shift(items: list[Any]) -> None:
    if len(items) > MAX_SHIFTED_ITEMS:
        raise _Inapplicable(f"a list of more than {MAX_SHIFTED_ITEMS} items can only be appended to (path .../-)")


def _replace(holder: dict[str, Any], pointer: str, value: Any) -> None:
    if not pointer:
        if not isinstance(value, dict | list):
            raise _Inapplicable("the whole document can only be replaced by an object")
        holder[""] = value
        return
    container, token = _find(holder, pointer)
    if isinstance(container, dict):
        container[token] = value
    else:
        container[_index(container, token, len(container))] = value


def _test(holder: dict[str, Any], pointer: str, wanted: Any) -> None:
    found = _get(*_find(holder, pointer)) if pointer else holder[""]
    if not equal(found, wanted):
        raise _Inapplicable(f"testing value {shortened(pointer)} failed: test failed: the object has another value")


def equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal. Unlike in Python, true is not 1, and 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)
