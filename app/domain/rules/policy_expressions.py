"""Which names the expressions of a policy may use, and the expressions compiled."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.errors import Cause, invalid
from app.domain.expressions.cel import ExpressionError, Result, compiled
from app.domain.kinds.admission_policy import ValidatingAdmissionPolicySpec

_REQUEST = frozenset({"object", "oldObject", "request"})
_STRING = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_VARIABLE = re.compile(r"(?<![\w.])variables\.(\w+)")


@dataclass(frozen=True, slots=True)
class Names:
    """What expressions of one policy may use.

    Attributes:
        conditions: In matchConditions.
        values: In validations, variables and auditAnnotations.
        messages: In messageExpressions.
    """

    conditions: frozenset[str]
    values: frozenset[str]
    messages: frozenset[str]


def names_of(spec: ValidatingAdmissionPolicySpec) -> Names:
    """The names that the expressions of a policy may use, as in Kubernetes."""
    known = _REQUEST | ({"params"} if spec.param_kind is not None else frozenset())
    values = known | {"namespaceObject", "variables", "authorizer"}
    return Names(known | {"authorizer"}, values, values - {"authorizer"})


def expression_causes(
    field: str, text: str, names: frozenset[str], result: Result, defined: frozenset[str] = frozenset()
) -> Iterator[Cause]:
    """Name what is wrong with an expression.

    Args:
        field: The path of its field.
        text: The expression.
        names: What it may use.
        result: What it has to result in.
        defined: The variables of the policy that it may use.
    """
    try:
        compiled(text, names, result)
    except ExpressionError as error:
        yield invalid(field, text, str(error))
        return
    for used in _VARIABLE.findall(_STRING.sub("''", text)):
        if used not in defined:
            yield invalid(field, text, f"compilation failed: undefined field {used!r} of variables")
            return
