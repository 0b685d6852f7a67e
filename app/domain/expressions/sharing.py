"""What several expressions have in common is computed once.

Policies of one team ask much the same: whether it is a load balancer, whether there are labels, whether the name
matches. A part that stands in several expressions gets a variable, and the first one that needs it computes it.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

NOT_YET = "not_yet"
"""The name of what a variable has before its part was computed; the code that uses the parts has to know it."""

_SHARED = (ast.BoolOp, ast.Call, ast.Compare, ast.IfExp, ast.UnaryOp)
"""What costs more than to look whether it was computed."""


def shared(expressions: Sequence[ast.expr]) -> tuple[list[ast.expr], list[str]]:
    """Have expressions share their common parts.

    A part is shared with other expressions only, and not within one: so all of them together are charged for everything
    that any of them would be charged for alone.

    Args:
        expressions: As Python has them, each without effects. They are changed.

    Returns:
        The expressions, and the names of the variables for parts, which are `NOT_YET` at first.
    """
    times = Counter(text for each in expressions for text in {ast.dump(part) for part in _parts(each)})
    names: dict[str, str] = {}
    made = [_Sharing(times, names).visit(each) for each in expressions]
    return made, [*names.values()]


class _Sharing(ast.NodeTransformer):
    """Puts variables into one expression.

    Args:
        times: In how many expressions a part stands.
        names: The variables so far, by the part.
    """

    def __init__(self, times: Counter[str], names: dict[str, str]) -> None:
        self._times = times
        self._names = names
        self._seen: set[str] = set()

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.GeneratorExp):
            return node
        if isinstance(node, _SHARED):
            text = ast.dump(node)
            if self._times[text] > 1 and text not in self._seen:
                self._seen.add(text)
                name = self._names.setdefault(text, f"part{len(self._names) + 1}")
                return _once(name, node)
        return self.generic_visit(node)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """All parts that may be shared. Those in a loop depend on its item."""
    if isinstance(node, ast.GeneratorExp):
        return
    if isinstance(node, _SHARED):
        yield node
    for each in ast.iter_child_nodes(node):
        yield from _parts(each)


def _once(name: str, part: ast.expr) -> ast.expr:
    """The variable of a part, which is computed if that was not done yet."""
    known = ast.Compare(ast.Name(name, ast.Load()), [ast.IsNot()], [ast.Name(NOT_YET, ast.Load())])
    return ast.IfExp(known, ast.Name(name, ast.Load()), ast.NamedExpr(ast.Name(name, ast.Store()), part))
