"""What an expression is made of, as far as can be told without its grammar: names, and what is taken of them.

What cannot be told for sure is told so that nothing is missed: a name that a loop gives to its items is a use, too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space> \s+ | //[^\n]* )
  | (?P<text> [bB]?[rR] (?: \"{3}.*?\"{3} | '{3}.*?'{3} | "[^"\n]*" | '[^'\n]*' )
            | [bB]? (?: \"{3}(?:\\.|.)*?\"{3} | '{3}(?:\\.|.)*?'{3} | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ) )
  | (?P<number> (?:0x[0-9a-fA-F]+ | \d+(?:\.\d+)?(?:[eE][+-]?\d+)? | \.\d+(?:[eE][+-]?\d+)?)[uU]? )
  | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS = frozenset({"false", "in", "null", "true"})
_ENDS_OF_VALUES = frozenset(")]}")


class Token(NamedTuple):
    """A piece of an expression.

    Attributes:
        kind: `name`, `text`, `number` or `sign`, which is one character; "" beyond the end.
        text: As it is written.
        start: Where it begins in the expression.
    """

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends in the expression."""
        return self.start + len(self.text)


_NOTHING = Token("", "", 0)


class Use(NamedTuple):
    """A variable that an expression uses.

    Attributes:
        name: The variable.
        fields: What is taken of it, one field of the other; `a.b['c'].d` has only `b`.
        start: Where it begins in the expression.
        end: Where its first field ends.
        before: What stands before it, at most two tokens.
        after: What stands behind it and its fields.
    """

    name: str
    fields: tuple[str, ...]
    start: int
    end: int
    before: tuple[str, ...]
    after: str


def tokens(expression: str) -> list[Token]:
    """The tokens of an expression, without space and comments."""
    found = _TOKEN.finditer(expression)
    return [Token(each.lastgroup or "", each[0], each.start()) for each in found if each.lastgroup != "space"]


def uses(expression: str) -> Iterator[Use]:
    """Every name that may be a variable, with the fields that are taken of it.

    Functions are none, and a member that is called is no field: of `a.b.size()`, `a.b` is used. Optional fields are
    fields.
    """
    found = [*tokens(expression), _NOTHING, _NOTHING]
    for index, token in enumerate(found):
        if token.kind != "name" or token.text in _WORDS or found[index + 1].text == "(" or _is_field(found, index):
            continue
        fields, at, ends = [], index + 1, [token.end]
        while found[at].text == ".":
            behind = at + (2 if found[at + 1].text == "?" else 1)
            if found[behind].kind != "name" or found[behind + 1].text == "(":
                break
            fields.append(found[behind].text)
            ends.append(found[behind].end)
            at = behind + 1
        before = tuple(each.text for each in found[max(0, index - 2) : index])
        yield Use(token.text, tuple(fields), token.start, ends[:2][-1], before, found[at].text)


def _is_field(found: Sequence[Token], index: int) -> bool:
    """Whether a name is a field of what stands before it. A dot without that begins a name that no loop hides."""
    if index > 1 and found[index - 1].text == "?" and found[index - 2].text == ".":
        return True
    if not index or found[index - 1].text != ".":
        return False
    before = found[index - 2] if index > 1 else _NOTHING
    if before.kind == "name":
        return before.text not in _WORDS
    return before.kind in ("text", "number") or before.text in _ENDS_OF_VALUES


def with_other_calls(expression: str, names: Mapping[str, str]) -> str:
    """An expression that calls other functions instead of some."""
    found = tokens(expression)
    for token, after in reversed([*pairwise(found)]):
        if token.kind == "name" and token.text in names and after.text == "(":
            expression = expression[: token.start] + names[token.text] + expression[token.end :]
    return expression
