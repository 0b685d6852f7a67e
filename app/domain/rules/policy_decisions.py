"""What a policy says of one request: pure evaluation of its expressions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.expressions.cel import Expression, ExpressionError, Result, compiled
from app.domain.kinds.admission_policy import (
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicySpec,
    Validation,
)
from app.domain.rules.policy_expressions import names_of

_LONGEST_ANNOTATION = 10 * 1024
_LONGEST_MESSAGE = 5 * 1024

Compiled = Expression | ExpressionError
"""An expression; the error if it does not compile, as when another version stored the policy."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledPolicy:
    """A policy with its expressions compiled. It is equal to itself only.

    Attributes:
        name: Of the policy.
        spec: As it is stored.
        conditions: Of matchConditions, in their order.
        variables: By name, in their order.
        validations: Each with its message's expression, if it has one.
        annotations: By the key of the audit annotation.
    """

    name: str
    spec: ValidatingAdmissionPolicySpec
    conditions: tuple[Compiled, ...]
    variables: tuple[tuple[str, Compiled], ...]
    validations: tuple[tuple[Validation, Compiled, Compiled | None], ...]
    annotations: tuple[tuple[str, Compiled], ...]

    @property
    def fails(self) -> bool:
        """Whether a request is refused for which an expression fails."""
        return self.spec.failure_policy != "Ignore"


@dataclass(frozen=True, slots=True)
class Decision:
    """One validation that is false.

    Attributes:
        message: What the client is told.
        reason: The reason of the refusal.
    """

    message: str
    reason: str = "Invalid"


def compile_policy(policy: ValidatingAdmissionPolicy) -> CompiledPolicy:
    """Compile the expressions of a policy."""
    spec, names = policy.spec, names_of(policy.spec)
    return CompiledPolicy(
        policy.metadata.name,
        spec,
        tuple(_compiled(each.expression, names.conditions, "bool") for each in spec.match_conditions or ()),
        tuple((each.name, _compiled(each.expression, names.values, "any")) for each in spec.variables or ()),
        tuple(
            (
                each,
                _compiled(each.expression, names.values, "bool"),
                _compiled(each.message_expression, names.messages, "string") if each.message_expression else None,
            )
            for each in spec.validations or ()
        ),
        tuple(
            (each.key, _compiled(each.value_expression, names.values, "string or null"))
            for each in spec.audit_annotations or ()
        ),
    )


def _compiled(text: str, names: frozenset[str], result: Result) -> Compiled:
    try:
        return compiled(text, names, result)
    except ExpressionError as error:
        return error


def applies(policy: CompiledPolicy, variables: Mapping[str, Any]) -> bool:
    """Whether all of its conditions are true. One that is false decides, whatever is wrong with another.

    Raises:
        ExpressionError: A condition fails, and none is false.
    """
    failed: ExpressionError | None = None
    for condition in policy.conditions:
        try:
            if not _value(condition, variables):
                return False
        except ExpressionError as error:
            failed = error
    if failed is not None:
        raise failed
    return True


def with_variables(policy: CompiledPolicy, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of the policy beside the others. One that fails is missing, so that whatever uses it fails."""
    own: dict[str, Any] = {}
    everything = {**variables, "variables": own}
    for name, expression in policy.variables:
        try:
            own[name] = _value(expression, everything)
        except ExpressionError:
            continue
    return everything


def decisions(policy: CompiledPolicy, variables: Mapping[str, Any]) -> Iterator[Decision]:
    """The validations that are false, and those that fail if the policy refuses then.

    Args:
        policy: The policy.
        variables: Everything that its expressions may use.
    """
    for validation, expression, message in policy.validations:
        try:
            if _value(expression, variables):
                continue
        except ExpressionError as error:
            if policy.fails:
                yield Decision(f"expression '{validation.expression.strip()}' resulted in error: {error}")
            continue
        yield Decision(_message(validation, message, variables), validation.reason or "Invalid")


def annotations(policy: CompiledPolicy, variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The annotations for the audit event: key and value.

    Raises:
        ExpressionError: An expression fails, and the policy refuses then.
    """
    for key, expression in policy.annotations:
        try:
            value = _value(expression, variables)
        except ExpressionError:
            if policy.fails:
                raise
            continue
        if value:
            yield f"{policy.name}/{key}", str(value)[:_LONGEST_ANNOTATION]


def _message(validation: Validation, message: Compiled | None, variables: Mapping[str, Any]) -> str:
    """The expression's text if it is one, else the message, else the expression that is false."""
    if message is not None:
        try:
            text = str(_value(message, {name: each for name, each in variables.items() if name != "authorizer"}))
        except ExpressionError:
            text = ""
        if text.strip() and "\n" not in text and len(text) <= _LONGEST_MESSAGE:
            return text.strip()
    return validation.message.strip() or f"failed expression: {validation.expression.strip()}"


def _value(expression: Compiled, variables: Mapping[str, Any]) -> Any:
    if isinstance(expression, ExpressionError):
        raise expression
    return expression.evaluate(variables)
