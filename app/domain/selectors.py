"""Label and field selectors of lists, watches and deletecollection (query `labelSelector` and `fieldSelector`)."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from app.domain.errors import BadRequest, shortened
from app.domain.label_syntax import label_key_problems, label_value_problems

MAX_TERMS = 1_000
"""Terms that a selector may have: each is evaluated for each object of a list."""

_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!<>(),]|[^ \t\r\n=!<>(),]+|\Z)")
_SYMBOLS = frozenset({"==", "!=", "=", "!", "<", ">", "(", ")", ",", ""})
_INT64 = re.compile(r"[-+]?[0-9]{1,19}")
_COMMA_OR_ESCAPE = re.compile(r"\\.|,", re.DOTALL)
_ESCAPE = re.compile(r"\\([\\,=])")
_UNESCAPED = re.compile(r"[\\,=]")
_FIELD_OPERATORS = ("!=", "==", "=")

Operator = Literal["in", "notin", "exists", "!", ">", "<"]


@dataclass(frozen=True, slots=True)
class LabelRequirement:
    """One term of a label selector. `=` and `==` are `in` with one value, `!=` is `notin` with one value."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels fulfils the term. A label that is absent fulfils every `notin`."""
        value = labels.get(self.key)
        match self.operator:
            case "in":
                return value in self.values
            case "notin":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case _:
                return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        if not _INT64.fullmatch(value):
            return False
        (bound,) = self.values
        return int(value) > int(bound) if self.operator == ">" else int(value) < int(bound)


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Terms that an object must fulfil, all of them. Without terms, it selects all objects."""

    requirements: tuple[LabelRequirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """One term of a field selector."""

    field: str
    equal: bool
    value: str


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Terms that an object must fulfil, all of them. Without terms, it selects all objects."""

    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, read: Callable[[str], str]) -> bool:
        """Whether an object is selected. `read` returns the value of one of its fields by field label."""
        return all((read(term.field) == term.value) == term.equal for term in self.requirements)


def parse_label_selector(text: str) -> LabelSelector:
    """Parse a label selector.

    The grammar is Kubernetes': terms separated by commas, each `key`, `!key`, `key = value`, `key == value`,
    `key != value`, `key in (a, b)`, `key notin (a, b)`, `key > 1` or `key < 1`. Values may be empty.

    Raises:
        BadRequest: It does not follow the grammar, a key or value is not valid in a label, or there are more than
            `MAX_TERMS` terms.
    """
    return LabelSelector(tuple(_LabelParser(text).parse()))


def parse_field_selector(text: str, allowed: Collection[str]) -> FieldSelector:
    r"""Parse a field selector: terms `field=value`, `field==value`, `field!=value`, separated by commas.

    In values, `\\`, `\,` and `\=` mean the second character.

    Args:
        text: The selector.
        allowed: The field labels of the kind.

    Raises:
        BadRequest: It does not follow the grammar, names another field, or has more than `MAX_TERMS` terms.
    """
    terms = [_field_requirement(term, text) for term in _field_terms(text) if term]
    if len(terms) > MAX_TERMS:
        raise _too_many_terms("field")
    for term in terms:
        if term.field not in allowed:
            raise BadRequest(
                f'field label not supported: "{shortened(term.field)}"; supported are: {", ".join(allowed)}'
            )
    return FieldSelector(tuple(terms))


def selected_name(text: str) -> str:
    """The name that a field selector asks for with `metadata.name=x`; "" if it asks for none or cannot be parsed.

    A list of one named object is allowed to whoever may list that object (RequestInfo of Kubernetes).
    """
    try:
        terms = [_field_requirement(term, text) for term in _field_terms(text) if term]
    except BadRequest:
        return ""
    return next((term.value for term in terms if term.field == "metadata.name" and term.equal), "")


class _LabelParser:
    """Parses a label selector from left to right."""

    def __init__(self, text: str) -> None:
        self._shown = shortened(text)
        self._tokens = [match[1] for match in _TOKEN.finditer(text)]
        self._at = 0

    def parse(self) -> list[LabelRequirement]:
        requirements: list[LabelRequirement] = []
        while self._peek() or requirements:
            requirements.append(self._requirement())
            if len(requirements) > MAX_TERMS:
                raise _too_many_terms("label")
            if not self._peek():
                break
            if self._next() != ",":
                raise self._problem("a comma between two terms")
        return requirements

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _problem(self, wanted: str) -> BadRequest:
        found = shortened(self._tokens[self._at - 1]) if 0 < self._at <= len(self._tokens) else ""
        return BadRequest(
            f'the label selector "{self._shown}" cannot be understood: found "{found}" where {wanted} should be'
            if found
            else f'the label selector "{self._shown}" ends where {wanted} should be'
        )

    def _requirement(self) -> LabelRequirement:
        key = self._next()
        absent = key == "!"
        if absent:
            key = self._next()
        if key in _SYMBOLS:
            raise self._problem("a label key")
        if problems := label_key_problems(key):
            text = "; ".join(problems)
            raise BadRequest(f'the label selector "{self._shown}" has the invalid key "{shortened(key)}": {text}')
        if absent or self._peek() in ("", ","):
            return LabelRequirement(key, "!" if absent else "exists")
        return self._compared(key)

    def _compared(self, key: str) -> LabelRequirement:
        sign = self._next()
        match sign:
            case "in" | "notin":
                values = self._set()
            case "=" | "==" | "!=" | "<" | ">":
                values = frozenset({self._value()})
            case _:
                raise self._problem("one of =, ==, !=, in, notin, <, >")
        for value in values:
            self._check_value(sign, value)
        operator: Operator = {"=": "in", "==": "in", "!=": "notin"}.get(sign, sign)  # type: ignore[assignment]  # the others are their own
        return LabelRequirement(key, operator, values)

    def _value(self) -> str:
        """The value of a comparison. It may be empty before a comma or the end."""
        if self._peek() in ("", ","):
            return ""
        value = self._next()
        if value in _SYMBOLS:
            raise self._problem("a value")
        return value

    def _set(self) -> frozenset[str]:
        """Values in parentheses. `()`, `(,a)` and `(a,)` each have an empty value."""
        if self._next() != "(":
            raise self._problem("an opening parenthesis")
        values: set[str] = set()
        value = ""
        while True:
            word = self._next()
            if word in (",", ")"):
                values.add(value)
                value = ""
                if word == ")":
                    return frozenset(values)
            elif word in _SYMBOLS or value:
                raise self._problem("a value, a comma or a closing parenthesis")
            else:
                value = word

    def _check_value(self, operator: str, value: str) -> None:
        problems = label_value_problems(value)
        if not problems and operator in "<>" and not _INT64.fullmatch(value):
            problems = [f"{operator} compares integers"]
        if problems:
            text = "; ".join(problems)
            raise BadRequest(f'the label selector "{self._shown}" has the invalid value "{shortened(value)}": {text}')


def _too_many_terms(kind: str) -> BadRequest:
    return BadRequest(f"a {kind} selector may have at most {MAX_TERMS} terms")


def _field_terms(text: str) -> Iterator[str]:
    start = 0
    for found in _COMMA_OR_ESCAPE.finditer(text):
        if found[0] == ",":
            yield text[start : found.start()]
            start = found.end()
    yield text[start:]


def _field_requirement(term: str, text: str) -> FieldRequirement:
    for at in range(len(term)):
        for operator in _FIELD_OPERATORS:
            if term.startswith(operator, at):
                value = _unescaped(term[at + len(operator) :], text)
                return FieldRequirement(term[:at], operator != "!=", value)
    raise BadRequest(
        f'the field selector "{shortened(text)}" has the term "{shortened(term)}"; write field=value or field!=value'
    )


def _unescaped(value: str, text: str) -> str:
    if _UNESCAPED.search(_ESCAPE.sub("", value)):
        raise BadRequest(
            f'the field selector "{shortened(text)}" has the value "{shortened(value)}"; '
            "write \\\\, \\, and \\= in it for \\ , ="
        )
    return _ESCAPE.sub(r"\1", value)
