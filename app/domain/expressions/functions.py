"""How a function is described that expressions can call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Type = Literal["bool", "dyn", "double", "int", "list", "map", "string"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function, or one overload of it.

    Attributes:
        name: By which expressions call it.
        takes: The types of its arguments; of a member, the first is that of the value before the dot.
        gives: The type of its result.
        does: Computes the result. It raises ValueError with a message for users.
        is_member: Whether it is written behind a value and a dot.
    """

    name: str
    takes: tuple[Type, ...]
    gives: Type
    does: Callable[..., Any]
    is_member: bool = False


def member(name: str, takes: tuple[Type, ...], gives: Type, does: Callable[..., Any]) -> Function:
    """A function that is written behind a value and a dot."""
    return Function(name, takes, gives, does, is_member=True)


def tagged(kind: str, **fields: Any) -> dict[str, Any]:
    """A value of a type that the language does not have: an address, a quantity. Expressions see a map."""
    return {_TAG: kind, **fields}


def untagged(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    """The fields of a value that `tagged` made.

    Raises:
        ValueError: It is something else.
    """
    if value.get(_TAG) != kind:
        raise ValueError("no such overload")
    return value


_TAG = "kubernetes.type"
