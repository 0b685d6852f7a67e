"""Expressions as Python functions, which answer sooner than the library can be called.

A function means what the expression means to the library, or cannot tell: where the library would find an error, and
where Python and the language differ. An expression with a part that has no such meaning in Python is not translated.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cel.expr.checked_pb2 import CheckedExpr, Type
from cel.expr.syntax_pb2 import Constant, Expr

from app.domain.expressions import meanings
from app.domain.expressions.costs import begin_counting
from app.domain.expressions.sharing import NOT_YET, shared

_CANNOT_TELL = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_CONSTANTS = {"bool_value", "int64_value", "string_value"}
_LOOPS: Mapping[tuple[str, bool], Callable[..., bool]] = {("_&&_", True): all, ("_||_", False): any}
"""The macros `all` and `exists`, by what they add up and begin with."""
_MOST_PARTS = 1000
"""Of an expression that is translated."""


class UntranslatableError(Exception):
    """An expression has a part that has no exact meaning in Python."""


@dataclass(frozen=True, slots=True)
class Translated:
    """Expressions as one function.

    Attributes:
        names: The variables that they use.
    """

    names: tuple[str, ...]
    _function: Callable[..., bool]

    def are_true(self, known: Callable[[str], Any]) -> bool | None:
        """Whether all of them are true; None if only the library can tell.

        Args:
            known: Gives the value of each of `names`, as JSON has it.
        """
        begin_counting()
        try:
            return self._function(*map(known, self.names))
        except _CANNOT_TELL:
            return None


def translate(
    trees: Iterable[CheckedExpr], names: frozenset[str], functions: Mapping[str, Callable[..., Any]]
) -> Translated:
    """One function for one or several expressions.

    Args:
        trees: The expressions.
        names: The variables that they may use.
        functions: What they may call besides the library's own, by name.

    Raises:
        UntranslatableError: One of them cannot be translated, or there is none.
    """
    code = _Code(names, {**functions, **meanings.FUNCTIONS})
    parts = [_Tree(each, code).condition() for each in trees]
    if not parts:
        raise UntranslatableError
    used = tuple(sorted(code.used))
    parts, common = shared(parts)
    variables = [*map(_variable, used), *common]
    arguments = ast.arguments([], [*map(ast.arg, variables)], None, [], [], None, [_name(NOT_YET) for _ in common])
    body = parts[0] if len(parts) == 1 else ast.BoolOp(ast.And(), parts)
    made = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, body)))
    # Names in it are our own, and texts of its author are constants: nothing else can be run.
    return Translated(used, eval(compile(made, "<expressions>", "eval"), code.called))  # noqa: S307


class _Code:
    """What the function that is made refers to.

    Attributes:
        used: The variables so far.
        called: The functions so far, by their names in the code.
    """

    def __init__(self, names: frozenset[str], functions: Mapping[str, Callable[..., Any]]) -> None:
        self.used: set[str] = set()
        self.called: dict[str, Any] = {"__builtins__": {}, NOT_YET: object()}
        self._names = names
        self._functions = functions
        self._left = _MOST_PARTS

    def count(self) -> None:
        """One part more."""
        self._left -= 1
        if not self._left:
            raise UntranslatableError

    def variable(self, name: str) -> str:
        """The name of a variable in the code."""
        if name not in self._names:
            raise UntranslatableError
        self.used.add(name)
        return _variable(name)

    def call(self, function: Callable[..., Any], *arguments: ast.expr) -> ast.expr:
        """A call of a function."""
        name = f"function{id(function)}"
        self.called[name] = function
        return ast.Call(_name(name), list(arguments), [])

    def call_by_name(self, name: str, *arguments: ast.expr) -> ast.expr:
        """A call of a function as expressions name it."""
        if name not in self._functions:
            raise UntranslatableError
        return self.call(self._functions[name], *arguments)


class _Tree:
    """The translation of one expression.

    Args:
        checked: Its syntax tree with types.
        code: Where it becomes a part.
    """

    def __init__(self, checked: CheckedExpr, code: _Code) -> None:
        self._root = checked.expr
        self._types = checked.type_map
        self._code = code
        self._items: dict[str, str] = {}
        self._loops = 0
        self._kinds: Mapping[str | None, Callable[[Any], ast.expr]] = {
            "call_expr": self._call,
            "comprehension_expr": self._loop,
            "const_expr": _constant,
            "ident_expr": self._variable,
            "list_expr": self._list,
            "select_expr": self._field,
            "struct_expr": self._map,
        }
        # What is more than the call of a function with values.
        self._calls: Mapping[str, Callable[..., ast.expr]] = {
            "!_": self._not,
            "_!=_": self._different,
            "_&&_": self._and,
            "_==_": self._equal,
            "_?._": self._optional,
            "_?_:_": self._choice,
            "_[?_]": self._optional,
            "_[_]": self._at,
            "_||_": self._or,
            "hasValue": self._has_value,
            "orValue": self._or_value,
        }

    def condition(self) -> ast.expr:
        """The whole, true or false."""
        return self._truth(self._root)

    def _truth(self, part: Expr) -> ast.expr:
        made = self._value(part)
        return made if self._type(part).primitive == Type.BOOL else self._code.call(meanings.truth, made)

    def _value(self, part: Expr) -> ast.expr:
        """A part that is no optional value: those stand only where they are looked into."""
        if self._is_optional(part):
            raise UntranslatableError
        return self._any(part)

    def _any(self, part: Expr) -> ast.expr:
        self._code.count()
        kind = part.WhichOneof("expr_kind")
        if kind not in self._kinds:
            raise UntranslatableError
        return self._kinds[kind](getattr(part, kind))

    def _variable(self, ident: Expr.Ident) -> ast.expr:
        return _name(self._items.get(ident.name) or self._code.variable(ident.name))

    def _list(self, values: Expr.CreateList) -> ast.expr:
        if values.optional_indices:
            raise UntranslatableError
        return ast.List([self._value(each) for each in values.elements], ast.Load())

    def _field(self, select: Expr.Select) -> ast.expr:
        key = ast.Constant(value=select.field)
        if self._is_optional(select.operand) and not select.test_only:
            return self._code.call(meanings.optional, self._any(select.operand), key)
        value = self._value(select.operand)
        if select.test_only:
            return self._code.call(meanings.is_present, value, key)
        return ast.Subscript(value, key, ast.Load())

    def _call(self, call: Expr.Call) -> ast.expr:
        arguments = [*([call.target] if call.HasField("target") else []), *call.args]
        if call.function in self._calls:
            return self._calls[call.function](*arguments)
        return self._code.call_by_name(call.function, *map(self._value, arguments))

    def _and(self, *parts: Expr) -> ast.expr:
        return ast.BoolOp(ast.And(), list(map(self._truth, parts)))

    def _or(self, *parts: Expr) -> ast.expr:
        return ast.BoolOp(ast.Or(), list(map(self._truth, parts)))

    def _not(self, part: Expr) -> ast.expr:
        return ast.UnaryOp(ast.Not(), self._truth(part))

    def _choice(self, condition: Expr, one: Expr, other: Expr) -> ast.expr:
        return ast.IfExp(self._truth(condition), self._value(one), self._value(other))

    def _equal(self, one: Expr, other: Expr) -> ast.expr:
        """Python agrees with the language about what equals a text."""
        first, second = self._value(one), self._value(other)
        if self._is_text(one) or self._is_text(other):
            return ast.Compare(first, [ast.Eq()], [second])
        return self._code.call(meanings.same, first, second)

    def _different(self, one: Expr, other: Expr) -> ast.expr:
        return ast.UnaryOp(ast.Not(), self._equal(one, other))

    def _optional(self, value: Expr, key: Expr) -> ast.expr:
        return self._code.call(meanings.optional, self._any(value), self._text(key))

    def _at(self, value: Expr, key: Expr) -> ast.expr:
        if self._is_optional(value):
            return self._optional(value, key)
        return self._code.call(meanings.at, self._value(value), self._value(key))

    def _or_value(self, value: Expr, other: Expr) -> ast.expr:
        return self._code.call(meanings.or_value, self._of_optional(value), self._value(other))

    def _has_value(self, value: Expr) -> ast.expr:
        return self._code.call(meanings.has_value, self._of_optional(value))

    def _of_optional(self, part: Expr) -> ast.expr:
        if not self._is_optional(part):
            raise UntranslatableError
        return self._any(part)

    def _text(self, part: Expr) -> ast.expr:
        if not self._is_text(part):
            raise UntranslatableError
        return self._value(part)

    def _map(self, struct: Expr.CreateStruct) -> ast.expr:
        if struct.message_name or any(entry.optional_entry for entry in struct.entries):
            raise UntranslatableError
        keys = [self._text(entry.map_key) for entry in struct.entries]
        return ast.Dict(list(keys), [self._value(entry.value) for entry in struct.entries])

    def _loop(self, loop: Expr.Comprehension) -> ast.expr:
        step, begins = loop.loop_step.call_expr, loop.accu_init.const_expr
        kind = _LOOPS.get((step.function, begins.bool_value))
        if kind is None or begins.WhichOneof("constant_kind") != "bool_value" or loop.iter_var2:
            raise UntranslatableError
        values = self._code.call(meanings.items, self._value(loop.iter_range))
        # Of the same name in the same loop of another expression, so that the two are the same.
        self._loops += 1
        outside, item = self._items, f"item{self._loops}"
        self._items = {**outside, loop.iter_var: item}
        condition = self._truth(step.args[1])
        self._items = outside
        self._loops -= 1
        each = ast.comprehension(ast.Name(item, ast.Store()), values, [], 0)
        return self._code.call(kind, ast.GeneratorExp(condition, [each]))

    def _type(self, part: Expr) -> Type:
        return self._types[part.id]

    def _is_text(self, part: Expr) -> bool:
        is_constant = part.const_expr.WhichOneof("constant_kind") == "string_value"
        return bool(is_constant or self._type(part).primitive == Type.STRING)

    def _is_optional(self, part: Expr) -> bool:
        return bool(self._type(part).abstract_type.name == "optional_type")


def _variable(name: str) -> str:
    return f"the_{name}"


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _constant(constant: Constant) -> ast.expr:
    kind = constant.WhichOneof("constant_kind")
    if kind == "null_value":
        return ast.Constant(value=None)
    if kind not in _CONSTANTS:
        raise UntranslatableError
    return ast.Constant(value=getattr(constant, kind))
