"""The one module that knows the library for CEL: compiling and evaluating an expression.

The library bounds the iterations of one evaluation, and looks at no more than what it is given; further bounds are in
`costs`. What Kubernetes adds to the language, and the library lacks, is in the modules beside this one. An expression
that uses anything else does not compile.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from cel.expr.checked_pb2 import CheckedExpr
from cel_expr_python import cel
from cel_expr_python.ext import ext_encoders, ext_math, ext_optional, ext_strings
from google.protobuf.any_pb2 import Any as AnyMessage

from app.domain.expressions.authorization import AUTHORIZATION
from app.domain.expressions.costs import LARGEST_GROWTH, SMALL_GROWTH, begin_counting, check_size, growth
from app.domain.expressions.functions import Function
from app.domain.expressions.lists import LISTS
from app.domain.expressions.meanings import overloaded
from app.domain.expressions.networks import NETWORKS
from app.domain.expressions.quantities import QUANTITIES
from app.domain.expressions.texts import BOUNDED, INSTEAD_OF, TEXTS
from app.domain.expressions.tokens import with_other_calls
from app.domain.expressions.translation import Translated, UntranslatableError, translate

LONGEST = 5 * 1024
"""Characters of one expression. Kubernetes bounds what it costs instead."""

_FUNCTIONS = (*AUTHORIZATION, *LISTS, *NETWORKS, *QUANTITIES, *TEXTS)
_TYPES = {
    "bool": cel.Type.BOOL,
    "dyn": cel.Type.DYN,
    "double": cel.Type.DOUBLE,
    "int": cel.Type.INT,
    "list": cel.Type.List(cel.Type.DYN),
    "map": cel.Type.MAP,
    "string": cel.Type.STRING,
}
_MISSING_KEY = re.compile(r'Key not found in map : "?(?P<key>[^"]*)"?')
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): ")

Result = Literal["bool", "string", "string or null", "any"]
_RESULTS: Mapping[Result, frozenset[str]] = {
    "bool": frozenset({"BOOL"}),
    "string": frozenset({"STRING"}),
    "string or null": frozenset({"STRING", "NULL"}),
}


class ExpressionError(Exception):
    """An expression cannot be compiled or evaluated. The message says why, for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression.

    Attributes:
        text: As it was written.
        result: What it results in.
        growth: How many times its values it may make.
    """

    text: str
    result: Result
    growth: int
    _compiled: Any

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value for these variables.

        Raises:
            ExpressionError: It has none, or one of another type than it should, or costs too much.
        """
        begin_counting()
        try:
            check_size(self.growth, variables)
            value = self._compiled.eval(data=variables)
            kind, plain = value.type().name(), value.plain_value()
        except (RuntimeError, SystemError, TypeError, ValueError, MemoryError) as error:
            raise ExpressionError(_told(str(error))) from error
        if kind == "ERROR":
            raise ExpressionError(_told(str(plain)))
        if not _fits(kind, self.result):
            raise ExpressionError(f"must evaluate to {self.result}, not to {kind.lower()}")
        return plain


def compiled(text: str, variables: Iterable[str], result: Result) -> Expression:
    """Compile an expression.

    Args:
        text: The expression.
        variables: The names that it may use. Their values may be anything.
        result: What it has to result in.

    Raises:
        ExpressionError: It is no expression, uses a name or function that there is not, results in something else, or
            may cost too much.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"has {len(text)} characters, and at most {LONGEST} are allowed")
    names = tuple(sorted(variables))
    _checked(_environment(names), text, result)
    growing = growth(text)
    if growing > LARGEST_GROWTH:
        raise ExpressionError("may cost too much: texts or lists in it may be added to themselves too often")
    return Expression(text, result, growing, _bounded(text, names))


def joined(text: str, variables: Iterable[str], result: Result) -> Expression:
    """The same for an expression that is made of others that were compiled, and so may be longer than each.

    Raises:
        ExpressionError: As for each of them.
    """
    names = tuple(sorted(variables))
    _checked(_environment(names), text, result)
    return Expression(text, result, growth(text), _bounded(text, names))


def translated(expressions: Iterable[Expression], variables: Iterable[str]) -> Translated | None:
    """Several expressions as one function, whether all are true; None if one has no exact meaning in Python."""
    expressions = list(expressions)
    if any(each.growth > SMALL_GROWTH for each in expressions):
        return None
    try:
        return translate(map(_tree, expressions), frozenset(variables), _in_python())
    except (RecursionError, UntranslatableError):
        return None


def _tree(expression: Expression) -> CheckedExpr:
    tree = CheckedExpr()
    AnyMessage.FromString(expression._compiled.serialize()).Unpack(tree)  # noqa: SLF001
    return tree


@cache
def _in_python() -> Mapping[str, Callable[..., Any]]:
    """The functions that are our own, by name."""
    return {name: overloaded(functions) for name, functions in _by_name((*_FUNCTIONS, *BOUNDED)).items()}


def _checked(environment: Any, text: str, result: Result) -> None:
    """Raise an error unless the text is an expression that may have the result, in the words of its author."""
    try:
        kind = environment.compile(text).return_type().name()
    except (RuntimeError, ValueError, TypeError) as error:
        raise ExpressionError(f"compilation failed: {_told(str(error))}") from error
    if kind != "DYN" and not _fits(kind, result):
        raise ExpressionError(f"must evaluate to {result}, not to {kind.lower()}")


def _bounded(text: str, names: tuple[str, ...]) -> Any:
    """What is evaluated: the expression with functions whose cost is counted."""
    try:
        return _environment(names, BOUNDED).compile(with_other_calls(text, INSTEAD_OF))
    except (RuntimeError, ValueError, TypeError) as error:
        raise ExpressionError(f"compilation failed: {_told(str(error))}") from error


def _fits(kind: str, result: Result) -> bool:
    return result == "any" or kind in _RESULTS[result]


@cache
def _environment(variables: tuple[str, ...], more: tuple[Function, ...] = ()) -> Any:
    extensions = [ext_optional.ExtOptional(), ext_strings.ExtStrings(), ext_math.ExtMath(), ext_encoders.ExtEncoders()]
    declared = {name: cel.Type.MAP if name.startswith("authorizer") else cel.Type.DYN for name in variables}
    return cel.NewEnv(variables=declared, extensions=extensions, functions=list(_declarations(more)))


def _declarations(more: Iterable[Function]) -> Iterable[Any]:
    for name, overloads in _by_name((*_FUNCTIONS, *more)).items():
        yield cel.FunctionDecl(name, [_overload(each) for each in overloads])


def _by_name(functions: Iterable[Function]) -> Mapping[str, Sequence[Function]]:
    by_name: dict[str, list[Function]] = {}
    for each in functions:
        by_name.setdefault(each.name, []).append(each)
    return by_name


def _overload(function: Function) -> Any:
    return cel.Overload(
        f"{'.' if function.is_member else ''}{function.name}({','.join(function.takes)})",
        return_type=_TYPES[function.gives],
        parameters=[_TYPES[each] for each in function.takes],
        is_member=function.is_member,
        impl=_guarded(function.does),
    )


def _guarded(does: Callable[..., Any]) -> Callable[..., Any]:
    """The library shows the text of any exception; only ValueError is meant for users."""

    def call(*arguments: Any) -> Any:
        try:
            return does(*arguments)
        except (TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError("no such overload") from error

    return call


def _told(text: str) -> str:
    """What went wrong, in the words of Kubernetes where the library has others."""
    missing = _MISSING_KEY.search(text)
    if missing is not None:
        return f"no such key: {missing['key']}"
    first = _PLACE.sub(r"\1:\2: ", text).removeprefix("INVALID_ARGUMENT: ").removeprefix("UNKNOWN: ")
    return first.split("\n", 1)[0].split(" (in container", 1)[0]
