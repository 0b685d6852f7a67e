"""Whether many policies are content with a request, in one go.

Nearly every write satisfies every policy, so all of them are asked at once first. Those whose expressions mean exactly
the same in Python are asked there; calling the library costs more than most expressions do. The others are asked in one
evaluation, which reads the object once, and only as much of it as they may look at. Only if the answer is no, or an
error, each is asked for itself, which tells what is wrong.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.domain.expressions.cel import Expression, ExpressionError, joined, translated
from app.domain.expressions.tokens import Use, uses
from app.domain.expressions.translation import Translated
from app.domain.rules.policy_decisions import CompiledPolicy

NAMES = frozenset({"object", "oldObject", "request", "namespaceObject", "authorizer"})
"""What expressions of plain policies may use, beside variables."""

_VARIABLES = "variables"
_READ_IN_PART = ("object", "oldObject")
Parts = Mapping[str, frozenset[str] | None] | None
"""The fields that are read of a document, and the fields that are read of these; None for all of it."""


def is_plain(policy: CompiledPolicy) -> bool:
    """Whether a policy can be asked together with others: it has no parameters, annotates nothing, and compiles."""
    expressions = (
        *policy.conditions,
        *(each for _, each in policy.variables),
        *(each[1] for each in policy.validations),
    )
    if policy.spec.param_kind is not None or policy.annotations or any(map(_grows, policy.variables)):
        return False
    return not any(isinstance(each, ExpressionError) for each in expressions)


def _grows(variable: tuple[str, Expression | ExpressionError]) -> bool:
    """Whether a variable may be larger than what it is made of; how large one of others is, is seen one by one."""
    return isinstance(variable[1], Expression) and variable[1].growth > 1


def are_content(policies: Sequence[CompiledPolicy], known: Callable[[str], Any]) -> bool:
    """Whether no policy has anything to say about a request. No tells nothing: each has to be asked for itself then.

    Args:
        policies: Plain ones.
        known: Gives the value of each of `NAMES`; it is asked for those that the policies use.
    """
    in_python = _in_python(tuple(policies))
    if in_python.all_of_them is not None and in_python.all_of_them.are_true(known):
        return not in_python.others or _are_content_together(in_python.others, known)
    return _are_content_together(tuple(policies), known)


@dataclass(frozen=True, slots=True)
class _InPython:
    """Policies that can be asked without the library.

    Attributes:
        all_of_them: Tells whether all are content; None if they are too many for one function.
        others: Those that cannot.
    """

    all_of_them: Translated | None
    others: tuple[CompiledPolicy, ...]


@lru_cache(maxsize=64)
def _in_python(policies: tuple[CompiledPolicy, ...]) -> _InPython:
    expressions = {policy: _joined((policy,)) for policy in policies}
    found = {policy: each for policy, each in expressions.items() if each is not None and translated((each,), NAMES)}
    others = tuple(policy for policy in policies if policy not in found)
    return _InPython(translated(found.values(), NAMES), others)


def _are_content_together(policies: tuple[CompiledPolicy, ...], known: Callable[[str], Any]) -> bool:
    question = _of_all(policies)
    if question is None:
        return False
    values = {name: _in_part(known(name), parts) for name, parts in question.reads}
    try:
        return bool(question.expression.evaluate({**values, _VARIABLES: {}}))
    except ExpressionError:
        return False


@dataclass(frozen=True, slots=True)
class _Question:
    """What many policies are asked at once.

    Attributes:
        expression: True if all are content.
        reads: The names that it uses, and the parts of their values.
    """

    expression: Expression
    reads: tuple[tuple[str, Parts], ...]


@lru_cache(maxsize=64)
def _of_all(policies: tuple[CompiledPolicy, ...]) -> _Question | None:
    expression = _joined(policies)
    if expression is None:
        return None
    used = [use for use in uses(expression.text) if use.name in NAMES]
    names = sorted({use.name for use in used})
    return _Question(expression, tuple((name, _parts(name, used)) for name in names))


def _joined(policies: Iterable[CompiledPolicy]) -> Expression | None:
    """True if all are content; None if it does not compile."""
    text = " && ".join(f"({_of_one(policy)})" for policy in policies)
    try:
        return joined(text, NAMES | {_VARIABLES}, "bool")
    except ExpressionError:
        return None


def _parts(name: str, used: Iterable[Use]) -> Parts:
    """What is read of a name, two fields deep."""
    taken = [use.fields for use in used if use.name == name]
    if name not in _READ_IN_PART or not all(taken):
        return None
    parts: dict[str, frozenset[str] | None] = {}
    for first, *others in taken:
        known = parts.get(first, frozenset())
        parts[first] = None if known is None or not others else known | {others[0]}
    return parts


def _in_part(document: Any, parts: Parts) -> Any:
    if parts is None or not isinstance(document, dict):
        return document
    return {
        name: _fields(document[name], fields) if fields is not None else document[name]
        for name, fields in parts.items()
        if name in document
    }


def _fields(value: Any, names: frozenset[str]) -> Any:
    return {name: value[name] for name in names if name in value} if isinstance(value, dict) else value


def _of_one(policy: CompiledPolicy) -> str:
    """True if the policy does not apply or all of its validations are true; an error where one of them is needed.

    A condition that is false decides, whatever is wrong with another; so does `&&`.
    """
    variables = {name: _text(expression) for name, expression in policy.variables}
    validations = [_text(expression) for _, expression, _ in policy.validations]
    written = _written_out(variables, validations)
    told = _in_loops(
        {name: _substituted(text, written) for name, text in variables.items() if name not in written},
        _all_of([_substituted(each, written) for each in validations]),
    )
    conditions = [_text(each) for each in policy.conditions]
    return f"{_all_of(conditions)} ? ({told}) : true" if conditions else told


def _in_loops(variables: Mapping[str, str], told: str) -> str:
    """An expression that knows variables: those of loops over one map, which hide those of other policies."""
    names: list[str] = []
    loops: list[str] = []
    for name, text in variables.items():
        known = "".join(f"'{each}': variables.{each}, " for each in names)
        loops.append(f"[{{{known}'{name}': {text}}}].all(variables, ")
        names.append(name)
    return "".join(loops) + told + ")" * len(loops)


def _written_out(variables: Mapping[str, str], validations: Sequence[str]) -> dict[str, str]:
    """The variables that are used once at most, and so may stand where they are used: a loop costs more.

    None may where a loop has an item of the name of something else, which would mean the item then.
    """
    texts = [*variables.values(), *validations]
    used = [(text, use) for text in texts for use in uses(text)]
    if any(use.name in NAMES | {_VARIABLES} and not use.fields and use.after == "," for _, use in used):
        return {}
    own = [(text, use) for text, use in used if use.name == _VARIABLES]
    if not all(_is_plain_use(text, use) for text, use in own):
        return {}
    times = Counter(use.fields[0] for _, use in own)
    written: dict[str, str] = {}
    for name, text in variables.items():
        if times[name] <= 1:
            written[name] = _substituted(text, written)
    return written


def _is_plain_use(text: str, use: Use) -> bool:
    """Whether something else may stand for a variable: it is not asked whether there is one."""
    is_asked_for = use.before == ("has", "(") and len(use.fields) == 1
    return bool(use.fields) and text[use.start : use.end] == f"{_VARIABLES}.{use.fields[0]}" and not is_asked_for


def _substituted(text: str, written: Mapping[str, str]) -> str:
    """A text with variables written out."""
    for use in reversed([*uses(text)]):
        if use.name == _VARIABLES and use.fields and use.fields[0] in written:
            text = text[: use.start] + written[use.fields[0]] + text[use.end :]
    return text


def _all_of(texts: Sequence[str]) -> str:
    return f"({' && '.join(texts)})" if texts else "true"


def _text(expression: Expression | ExpressionError) -> str:
    """An expression as a part of another one. It may end with a comment."""
    return f"({expression.text}\n)" if isinstance(expression, Expression) else "false"
