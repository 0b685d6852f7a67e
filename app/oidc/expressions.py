"""The expressions that are understood in a configuration: the part of CEL that picks and compares, and no more.

claims.sub                     claims["team.name"]            "example:" + claims.email
claims.hd == "example.com"     claims.email_verified == true
!user.username.startsWith("system:")
user.groups.all(group, !group.startsWith("system:"))
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

_STRING = r"""(?:"[^"\\]*"|'[^'\\]*')"""
_PATH = rf"claims(?:\.[A-Za-z_]\w*|\[{_STRING}\])+"
_TERM = re.compile(rf"\s*(?:(?P<string>{_STRING})|(?P<path>{_PATH}))\s*(?P<more>\+|$)")
_STEP = re.compile(rf"\.([A-Za-z_]\w*)|\[({_STRING})\]")
_COMPARISON = re.compile(rf"\s*(?P<path>{_PATH})\s*==\s*(?P<literal>{_STRING}|true|false|-?\d+)\s*")
_USERNAME_RULE = re.compile(rf"\s*!\s*user\.username\.startsWith\(\s*({_STRING})\s*\)\s*")
_GROUPS_RULE = re.compile(rf"\s*user\.groups\.all\(\s*(\w+)\s*,\s*!\s*(\w+)\.startsWith\(\s*({_STRING})\s*\)\s*\)\s*")
_UNDERSTOOD = (
    "only the part of CEL is understood that docs/security.md describes, such as claims.sub, "
    '"prefix:" + claims.email, claims.hd == "example.com"'
)

Path = tuple[str, ...]


class ExpressionError(ValueError):
    """An expression is not understood. The message says what is."""


class ClaimError(ValueError):
    """The claims of a token are not as they should be. The message names the claim, and no value."""


@dataclass(frozen=True, slots=True)
class Text:
    """What a text is made from.

    Attributes:
        parts: Constant texts, and paths of claims.
        needed: Whether all claims have to be there.
    """

    parts: tuple[str | Path, ...]
    needed: bool = True

    @classmethod
    def of_claim(cls, claim: str, prefix: str) -> "Text":
        """The value of a claim, behind a prefix."""
        return cls((prefix, (claim,)) if prefix else ((claim,),), needed=False)

    @property
    def claims(self) -> Sequence[Path]:
        """The claims that it is made from."""
        return [part for part in self.parts if not isinstance(part, str)]

    def values(self, claims: Mapping[str, Any]) -> list[str]:
        """All texts: several if a claim is a list, none if it is missing.

        Raises:
            ClaimError: A claim is neither a text nor a list of texts, is missing where it is needed, or two are lists.
        """
        found = [""]
        for part in self.parts:
            texts = [part] if isinstance(part, str) else self._texts(part, claims)
            if len(texts) != 1 and len(found) != 1:
                raise ClaimError("two claims of one expression are lists")
            found = [before + text for before in found for text in texts]
        return found

    def value(self, claims: Mapping[str, Any]) -> str:
        """The one text, "" if its claim is missing.

        Raises:
            ClaimError: A claim is no text, or is missing where it is needed.
        """
        for path in self.claims:
            if isinstance(looked_up(claims, path), list):
                raise ClaimError(f"the claim {'.'.join(path)} is a list, and should be a text")
        return next(iter(self.values(claims)), "")

    def _texts(self, path: Path, claims: Mapping[str, Any]) -> list[str]:
        value = looked_up(claims, path)
        if value is None:
            if self.needed:
                raise ClaimError(f"the claim {'.'.join(path)} is missing")
            return []
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise ClaimError(f"the claim {'.'.join(path)} is neither a text nor a list of texts")
        return texts


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """A claim has to have a value."""

    path: Path
    value: str | bool | int

    def holds(self, claims: Mapping[str, Any]) -> bool:
        """Whether it has; true is not 1."""
        found = looked_up(claims, self.path)
        return type(found) is type(self.value) and bool(found == self.value)


@dataclass(frozen=True, slots=True)
class UserRule:
    """The user's name, or each of the user's groups, may not begin with a prefix."""

    concerns_groups: bool
    prefix: str

    def holds(self, username: str, groups: Sequence[str]) -> bool:
        """Whether none does."""
        names = groups if self.concerns_groups else [username]
        return not any(name.startswith(self.prefix) for name in names)


def text_of(expression: str) -> Text:
    """Read an expression that picks claims and puts texts before, between or behind them.

    Raises:
        ExpressionError: It is not understood.
    """
    parts: list[str | Path] = []
    position, more = 0, "+"
    while more:
        match = _TERM.match(expression, position)
        if match is None:
            raise ExpressionError(_UNDERSTOOD)
        parts.append(match["string"][1:-1] if match["string"] else _path(match["path"]))
        position, more = match.end(), match["more"]
    return Text(tuple(parts))


def claim_rule(expression: str) -> ClaimRule:
    """Read an expression that compares a claim with a constant.

    Raises:
        ExpressionError: It is not understood.
    """
    match = _COMPARISON.fullmatch(expression)
    if match is None:
        raise ExpressionError(_UNDERSTOOD)
    literal = match["literal"]
    value = literal[1:-1] if literal[0] in "\"'" else msgspec.json.decode(literal)
    return ClaimRule(_path(match["path"]), value)


def user_rule(expression: str) -> UserRule:
    """Read an expression that forbids a prefix to the user's name or groups.

    Raises:
        ExpressionError: It is not understood.
    """
    if (match := _USERNAME_RULE.fullmatch(expression)) is not None:
        return UserRule(False, match[1][1:-1])
    match = _GROUPS_RULE.fullmatch(expression)
    if match is None or match[1] != match[2]:
        raise ExpressionError(_UNDERSTOOD)
    return UserRule(True, match[3][1:-1])


def looked_up(claims: Mapping[str, Any], path: Path) -> Any:
    """The value of a claim, None if it is not there."""
    found: Any = claims
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _path(text: str) -> Path:
    return tuple(match[1] or match[2][1:-1] for match in _STEP.finditer(text))
