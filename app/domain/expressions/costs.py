"""What an evaluation may cost: the bounds that the library does not set itself.

The library bounds the iterations of one evaluation, and how deep an expression is nested. It does not bound what a
regular expression does to a long text, nor how texts and lists grow that are added to themselves. Kubernetes estimates
and counts costs; here the functions that may take long count, and what may grow is told from how it is written.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from app.domain.expressions.tokens import Token, tokens

LARGEST_GROWTH = 65_536
"""An expression that may make more than that of its values is refused when it is written."""
_LARGEST_RESULT = 64 * 1024 * 1024
"""Bytes that it may make, as far as can be told before."""
_BUDGET = 100_000_000
"""What the functions of one evaluation may cost; a step of a regular expression over a character costs 1, and takes
some nanoseconds."""
_COST_OF_AN_ITERATION = _BUDGET // 10_000
"""The library allows 10,000 iterations of all loops together."""
_ITERATIONS = 1000
"""How often a loop that makes something is thought to run. The library allows ten times as many."""
SMALL_GROWTH = 16
"""Growth that harms nobody, however large the values are."""

_left: ContextVar[list[int]] = ContextVar("left")

_BINDING = frozenset({"map", "optMap", "optFlatMap"})
"""Macros whose results may be added to themselves again."""
_LOOPS = frozenset({"all", "exists", "exists_one", "filter", "map"})
_COPYING = frozenset({"filter", "map"})
"""Loops whose results the library copies for each item that it adds."""
_MAKING = frozenset(
    {"base64", "bytes", "findAll", "join", "lowerAscii", "quote", "replace", "reverse", "split", "string", "substring"}
    | {"trim", "upperAscii"}
    | {"cidr", "find", "ip", "isCIDR", "isIP", "isQuantity", "isURL", "matches", "quantity", "url"}
)
"""Functions that copy what they are given: those that make a text or a list of it, and those of ours."""
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class CostError(ValueError):
    """An evaluation costs more than it may."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


def begin_counting() -> None:
    """An evaluation begins."""
    _left.set([_BUDGET])


def charge(cost: int) -> None:
    """Count what a function is about to do.

    Raises:
        CostError: It is too much, together with what was done before.
    """
    left = _left.get(None)
    if left is not None:
        left[0] -= cost
        if left[0] < 0:
            raise CostError


def charge_iterations(number: int) -> None:
    """Count a loop that is not the library's, so that no more is done than the library would do.

    Raises:
        CostError: All loops together go on for too long.
    """
    charge(number * _COST_OF_AN_ITERATION)


def check_size(growth: int, values: Any) -> None:
    """Refuse an evaluation that may make too much of its values.

    Raises:
        CostError: It may.
    """
    if growth > SMALL_GROWTH and growth * _size(values) > _LARGEST_RESULT:
        raise CostError


def _size(value: Any) -> int:
    """About how many bytes a value has."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(len(str(key)) + _size(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return len(value) + sum(map(_size, value))
    return 8


@dataclass(slots=True)
class _Group:
    """What stands between two brackets.

    Attributes:
        macro: The macro whose arguments it is, or another name that stands before it.
        sums: Signs of addition.
        makes: Whether it makes texts or lists of others, or copies them.
        inner: The greatest growth of a group in it.
        bound: The growth of macros in it, one after the other.
        repeats: Whether a loop in it makes something.
    """

    macro: str = ""
    sums: int = 0
    makes: bool = False
    inner: int = 1
    bound: int = 1
    repeats: bool = False

    @property
    def growth(self) -> int:
        """How many times its values it may make."""
        return min((1 + self.sums) * self.inner * self.bound, LARGEST_GROWTH**2)

    def take(self, other: "_Group") -> None:
        """Add a group that stands in it."""
        makes = other.makes or other.sums > 0
        self.makes = self.makes or makes
        self.repeats = self.repeats or other.repeats or (other.macro in _LOOPS and (makes or other.macro in _COPYING))
        if other.macro in _BINDING:
            self.bound = min(self.bound * other.growth, LARGEST_GROWTH**2)
        else:
            self.inner = max(self.inner, other.growth)


def growth(expression: str) -> int:
    """How many times its values an expression may make, at most, as far as can be told from how it is written."""
    groups = [_Group()]
    before = Token("", "", 0)
    for token in tokens(expression):
        if token.text in _OPENING:
            groups.append(_Group(before.text))
        elif token.text in _CLOSING and len(groups) > 1:
            group = groups.pop()
            groups[-1].take(group)
        elif token.text == "+":
            groups[-1].sums += 1
        elif token.kind == "name" and token.text in _MAKING:
            groups[-1].makes = True
        before = token
    whole = groups[0]
    return whole.growth * (_ITERATIONS if whole.repeats else 1)
