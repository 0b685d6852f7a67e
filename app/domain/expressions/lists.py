"""Kubernetes' functions on lists, but for indexOf and lastIndexOf: the library has these names for texts only."""

from itertools import pairwise
from typing import Any

from app.domain.expressions.functions import member


def _is_sorted(values: list[Any]) -> bool:
    return all(first <= second for first, second in pairwise(values))


def _least(values: list[Any]) -> Any:
    _refuse_empty("min", values)
    return min(values)


def _greatest(values: list[Any]) -> Any:
    _refuse_empty("max", values)
    return max(values)


def _refuse_empty(name: str, values: list[Any]) -> None:
    if not values:
        raise ValueError(f"{name} called on empty list")


def _sum(values: list[Any]) -> Any:
    return sum(values)


LISTS = (
    member("isSorted", ("list",), "bool", _is_sorted),
    member("min", ("list",), "dyn", _least),
    member("max", ("list",), "dyn", _greatest),
    member("sum", ("list",), "dyn", _sum),
)
