"""Kubernetes' functions on quantities, such as 1500m, 1k and 2Gi (resource.Quantity)."""

import re
from decimal import Decimal
from typing import Any

from app.domain.documents.quantities import QUANTITY_PATTERN, read_quantity
from app.domain.expressions.functions import Function, member, tagged, untagged

_FORM = re.compile(QUANTITY_PATTERN)
_LARGEST = 2**63 - 1


def _is_quantity(text: str) -> bool:
    return _FORM.match(text) is not None


def _quantity(text: str) -> dict[str, Any]:
    return _tagged(read_quantity(text))


def _tagged(number: Decimal) -> dict[str, Any]:
    """Equal quantities are equal maps, however they were written."""
    return tagged("quantity", number=format(number.normalize(), "f"))


def _number(quantity: dict[str, Any]) -> Decimal:
    return Decimal(untagged("quantity", quantity)["number"])


def _compare(one: dict[str, Any], other: dict[str, Any]) -> int:
    first, second = _number(one), _number(other)
    return (first > second) - (first < second)


def _is_integer(quantity: dict[str, Any]) -> bool:
    number = _number(quantity)
    return number == number.to_integral_value() and abs(number) <= _LARGEST


def _as_integer(quantity: dict[str, Any]) -> int:
    if not _is_integer(quantity):
        raise ValueError("cannot convert value to integer")
    return int(_number(quantity))


def _sign(quantity: dict[str, Any]) -> int:
    number = _number(quantity)
    return (number > 0) - (number < 0)


def _operand(value: Any) -> Decimal:
    return _number(value) if isinstance(value, dict) else Decimal(int(value))


def _add(quantity: dict[str, Any], other: Any) -> dict[str, Any]:
    return _tagged(_number(quantity) + _operand(other))


def _sub(quantity: dict[str, Any], other: Any) -> dict[str, Any]:
    return _tagged(_number(quantity) - _operand(other))


QUANTITIES = (
    Function("isQuantity", ("string",), "bool", _is_quantity),
    Function("quantity", ("string",), "map", _quantity),
    member("isInteger", ("map",), "bool", _is_integer),
    member("asInteger", ("map",), "int", _as_integer),
    member("asApproximateFloat", ("map",), "double", lambda quantity: float(_number(quantity))),
    member("sign", ("map",), "int", _sign),
    member("isGreaterThan", ("map", "map"), "bool", lambda one, other: _compare(one, other) > 0),
    member("isLessThan", ("map", "map"), "bool", lambda one, other: _compare(one, other) < 0),
    member("compareTo", ("map", "map"), "int", _compare),
    member("add", ("map", "map"), "map", _add),
    member("add", ("map", "int"), "map", _add),
    member("sub", ("map", "map"), "map", _sub),
    member("sub", ("map", "int"), "map", _sub),
)
