"""What operators and functions of expressions mean in Python: each answers exactly as the library does, or raises.

Values are as JSON has them. Where types differ, or the library would find an error, a function here raises TypeError,
LookupError or ValueError, and whoever called it does not know the answer.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from app.domain.expressions.costs import charge_iterations
from app.domain.expressions.functions import Function, Type

ABSENT = object()
"""An optional value without a value. One with a value is that value."""

_COMPARABLE = (bool, dict, int, list, str, type(None))
"""Types whose values differ from those of any other of them; a number may equal one of another type."""
_SCALAR = (bool, int, str, type(None))
_TYPES: dict[Type, type] = {"bool": bool, "double": float, "int": int, "list": list, "map": dict, "string": str}


def truth(value: Any) -> bool:
    """A condition: true or false, and nothing else."""
    if value is True or value is False:
        return value
    raise TypeError


def is_present(value: Any, key: str) -> bool:
    """`has(value.key)`."""
    return key in _map(value)


def optional(value: Any, key: str) -> Any:
    """`value.?key` and `value[?key]`, and what is taken of an optional value."""
    return ABSENT if value is ABSENT else _map(value).get(key, ABSENT)


def has_value(value: Any) -> bool:
    """`value.hasValue()`."""
    return value is not ABSENT


def or_value(value: Any, other: Any) -> Any:
    """`value.orValue(other)`."""
    return other if value is ABSENT else value


def at(value: Any, index: Any) -> Any:
    """`value[index]`."""
    if type(value) is list and type(index) is int and index >= 0:
        return value[index]
    return _map(value)[_text(index)]


def within(item: Any, values: Any) -> bool:
    """`item in values`."""
    if type(values) is not list and type(values) is not dict:
        raise TypeError
    return _text(item) in values


def same(one: Any, other: Any) -> bool:
    """`one == other`."""
    if type(one) is type(other) and type(one) in _SCALAR:
        return bool(one == other)
    if type(one) is type(other) or type(one) not in _COMPARABLE or type(other) not in _COMPARABLE:
        raise TypeError
    return False


def ordering(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """`one < other` and the like, by the operator of the same meaning."""

    def compared(one: Any, other: Any) -> bool:
        if type(one) is not type(other) or type(one) not in (int, str):
            raise TypeError
        return compare(one, other)

    return compared


def size(value: Any) -> int:
    """`size(value)`."""
    if type(value) not in (dict, list, str):
        raise TypeError
    return len(value)


def added(one: Any, other: Any) -> str:
    """`one + other`, of texts."""
    return _text(one) + _text(other)


def items(values: Any) -> Any:
    """What a loop goes through; its iterations are counted."""
    if type(values) is not list and type(values) is not dict:
        raise TypeError
    charge_iterations(len(values))
    return values


def overloaded(functions: Sequence[Function]) -> Callable[..., Any]:
    """Several functions of one name: that is called whose types fit the arguments."""
    typed = [(tuple(_TYPES.get(each, object) for each in function.takes), function.does) for function in functions]

    def call(*arguments: Any) -> Any:
        given = tuple(map(type, arguments))
        for types, does in typed:
            if types == given:
                return does(*arguments)
        raise TypeError

    return call


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "@in": within,
    "_+_": added,
    "_<_": ordering(operator.lt),
    "_<=_": ordering(operator.le),
    "_>_": ordering(operator.gt),
    "_>=_": ordering(operator.ge),
    "contains": str.__contains__,
    "endsWith": str.endswith,
    "size": size,
    "startsWith": str.startswith,
}
"""Those of the library, by the names in its syntax trees; they take no optional values."""


def _map(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise TypeError
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError
    return value
