"""The rules of ValidatingAdmissionPolicy and its binding (ValidateValidatingAdmissionPolicy of the API server)."""

import re
from collections.abc import Iterable, Iterator, Sequence

from app.domain.errors import Cause, duplicate, invalid, invalid_for, not_supported, required
from app.domain.kinds.admission_policy import (
    ParamKind,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    ValidatingAdmissionPolicySpec,
    ValidatingAdmissionPolicyStatus,
    Validation,
)
from app.domain.label_syntax import label_key_problems
from app.domain.rules.cluster import Cluster
from app.domain.rules.label_selectors import selector_causes
from app.domain.rules.match_resources import default_match, match_causes, paths_of_params_causes
from app.domain.rules.policy_expressions import Names, expression_causes, names_of
from app.domain.rules.strategy import Strategy

GROUP = "admissionregistration.k8s.io"
DENY, WARN, AUDIT = "Deny", "Warn", "Audit"
_ACTIONS = (AUDIT, DENY, WARN)
_FAILURE_POLICIES = ("Fail", "Ignore")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_NOT_FOUND_ACTIONS = ("Allow", "Deny")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    ]
)
_MOST_CONDITIONS = 64
_LONGEST_MESSAGE = 5 * 1024
_MOST_EXPRESSIONS = 100
"""Validations, variables and audit annotations of one policy, each."""


class ValidatingAdmissionPolicyStrategy(Strategy[ValidatingAdmissionPolicy]):
    """A policy is compiled when it is written, so that it works or is refused."""

    def default(self, new: ValidatingAdmissionPolicy) -> None:
        """Set what Kubernetes sets."""
        new.spec.failure_policy = new.spec.failure_policy or "Fail"
        default_match(new.spec.match_constraints)

    def prepare_create(self, new: ValidatingAdmissionPolicy, cluster: Cluster) -> None:
        """Begin with generation 1 and without a status."""
        del cluster
        new.metadata.generation = 1
        new.status = ValidatingAdmissionPolicyStatus()

    def prepare_update(self, new: ValidatingAdmissionPolicy, old: ValidatingAdmissionPolicy, cluster: Cluster) -> None:
        """Keep the status. Increase the generation if the spec changed."""
        del cluster
        new.status, new.metadata.generation = old.status, old.metadata.generation
        if new.spec != old.spec:
            new.metadata.generation = (old.metadata.generation or 0) + 1

    def prepare_status(self, new: ValidatingAdmissionPolicy, old: ValidatingAdmissionPolicy, cluster: Cluster) -> None:
        """Keep the spec."""
        del cluster
        new.spec, new.metadata.generation = old.spec, old.metadata.generation

    def validate_create(self, new: ValidatingAdmissionPolicy, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        return list(_policy_causes(new.spec))


class ValidatingAdmissionPolicyBindingStrategy(Strategy[ValidatingAdmissionPolicyBinding]):
    """A binding may be there before its policy."""

    def default(self, new: ValidatingAdmissionPolicyBinding) -> None:
        """Set what Kubernetes sets."""
        default_match(new.spec.match_resources)

    def prepare_create(self, new: ValidatingAdmissionPolicyBinding, cluster: Cluster) -> None:
        """Begin with generation 1."""
        del cluster
        new.metadata.generation = 1

    def prepare_update(
        self, new: ValidatingAdmissionPolicyBinding, old: ValidatingAdmissionPolicyBinding, cluster: Cluster
    ) -> None:
        """Increase the generation if the spec changed."""
        del cluster
        new.metadata.generation = (old.metadata.generation or 0) + (new.spec != old.spec)

    def validate_create(self, new: ValidatingAdmissionPolicyBinding, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        return list(_binding_causes(new))


def _policy_causes(spec: ValidatingAdmissionPolicySpec) -> Iterator[Cause]:
    names = names_of(spec)
    if spec.failure_policy not in _FAILURE_POLICIES:
        yield not_supported("spec.failurePolicy", spec.failure_policy, _FAILURE_POLICIES)
    yield from _param_kind_causes(spec.param_kind)
    if spec.match_constraints is None:
        yield required("spec.matchConstraints", "say which requests the policy is about")
    else:
        yield from match_causes("spec.matchConstraints", spec.match_constraints, needs_rules=True)
    yield from _condition_causes(spec, names)
    yield from _too_many("spec.variables", spec.variables)
    yield from _too_many("spec.validations", spec.validations)
    yield from _too_many("spec.auditAnnotations", spec.audit_annotations)
    if len(spec.variables or ()) <= _MOST_EXPRESSIONS:
        yield from _variable_causes(spec, names)
    defined = frozenset(each.name for each in spec.variables or ())
    if not spec.validations and not spec.audit_annotations:
        yield required("spec.validations", "validations or auditAnnotations must be specified")
    for index, validation in enumerate((spec.validations or ())[:_MOST_EXPRESSIONS]):
        yield from _validation_causes(f"spec.validations[{index}]", validation, names, defined)
    yield from _annotation_causes(spec, names, defined)


def _too_many(field: str, items: Sequence[object] | None) -> Iterator[Cause]:
    if items is not None and len(items) > _MOST_EXPRESSIONS:
        yield invalid(field, len(items), f"must have at most {_MOST_EXPRESSIONS} items")


def _param_kind_causes(kind: ParamKind | None) -> Iterator[Cause]:
    if kind is None:
        return
    if not kind.api_version:
        yield required("spec.paramKind.apiVersion", "give the group and version of the parameters, such as v1")
    elif kind.api_version.count("/") > 1 or kind.api_version.startswith("/") or kind.api_version.endswith("/"):
        yield invalid("spec.paramKind.apiVersion", kind.api_version, "must be GROUP/VERSION, or VERSION")
    if not kind.kind:
        yield required("spec.paramKind.kind", "give the kind of the parameters, such as ConfigMap")


def _condition_causes(spec: ValidatingAdmissionPolicySpec, names: Names) -> Iterator[Cause]:
    conditions, field = spec.match_conditions or [], "spec.matchConditions"
    if len(conditions) > _MOST_CONDITIONS:
        yield invalid(field, len(conditions), f"must have at most {_MOST_CONDITIONS} items")
        return
    seen: set[str] = set()
    for index, each in enumerate(conditions):
        where = f"{field}[{index}]"
        if not each.expression.strip():
            yield required(f"{where}.expression", "write an expression that is true or false")
        else:
            yield from expression_causes(f"{where}.expression", each.expression, names.conditions, "bool")
        if not each.name:
            yield required(f"{where}.name", "give the condition a name")
            continue
        yield from invalid_for(f"{where}.name", each.name, label_key_problems(each.name))
        if each.name in seen:
            yield duplicate(f"{where}.name", each.name)
        seen.add(each.name)


def _variable_causes(spec: ValidatingAdmissionPolicySpec, names: Names) -> Iterator[Cause]:
    defined: set[str] = set()
    for index, each in enumerate(spec.variables or ()):
        where = f"spec.variables[{index}]"
        if not each.name:
            yield required(f"{where}.name", "give the variable a name")
        elif not _IDENTIFIER.fullmatch(each.name) or each.name in _RESERVED:
            yield invalid(f"{where}.name", each.name, "must be an identifier of CEL, such as isPublic")
        elif each.name in defined:
            yield duplicate(f"{where}.name", each.name)
        if not each.expression.strip():
            yield required(f"{where}.expression", "write an expression that gives the value")
        else:
            field = f"{where}.expression"
            yield from expression_causes(field, each.expression, names.values, "any", frozenset(defined))
        defined.add(each.name)


def _validation_causes(where: str, validation: Validation, names: Names, defined: frozenset[str]) -> Iterator[Cause]:
    if not validation.expression.strip():
        yield required(f"{where}.expression", "write an expression that is true or false")
    else:
        yield from expression_causes(f"{where}.expression", validation.expression, names.values, "bool", defined)
    if validation.message_expression:
        field = f"{where}.messageExpression"
        if not validation.message_expression.strip():
            yield invalid(field, validation.message_expression, "must be non-empty if specified")
        else:
            text = validation.message_expression
            yield from expression_causes(field, text, names.messages, "string", defined)
    yield from _message_causes(where, validation)
    if validation.reason is not None and validation.reason not in _REASONS:
        yield not_supported(f"{where}.reason", validation.reason, _REASONS)


def _message_causes(where: str, validation: Validation) -> Iterator[Cause]:
    message, field = validation.message, f"{where}.message"
    if message and not message.strip():
        yield invalid(field, message, "message must be non-empty if specified")
    elif "\n" in message:
        yield invalid(field, message, "message must not contain line breaks")
    elif len(message) > _LONGEST_MESSAGE:
        yield invalid(field, message, f"must be at most {_LONGEST_MESSAGE} characters")
    elif "\n" in validation.expression and not message and not validation.message_expression:
        yield required(field, "message must be specified if expression contains line breaks")


def _annotation_causes(spec: ValidatingAdmissionPolicySpec, names: Names, defined: frozenset[str]) -> Iterator[Cause]:
    keys: set[str] = set()
    for index, each in enumerate((spec.audit_annotations or ())[:_MOST_EXPRESSIONS]):
        where = f"spec.auditAnnotations[{index}]"
        if not each.key:
            yield required(f"{where}.key", "give the annotation a name")
        else:
            yield from invalid_for(f"{where}.key", each.key, label_key_problems(each.key))
            if each.key in keys:
                yield duplicate(f"{where}.key", each.key)
        keys.add(each.key)
        field = f"{where}.valueExpression"
        if not each.value_expression.strip():
            yield required(field, "write an expression that gives a text or null")
        else:
            yield from expression_causes(field, each.value_expression, names.values, "string or null", defined)


def _binding_causes(binding: ValidatingAdmissionPolicyBinding) -> Iterator[Cause]:
    spec = binding.spec
    if not spec.policy_name:
        yield required("spec.policyName", "name the policy that the binding has hold")
    params = spec.param_ref
    if params is not None:
        yield from paths_of_params_causes("spec.paramRef", params.name, selector=params.selector is not None)
        yield from selector_causes("spec.paramRef.selector", params.selector)
        action = params.parameter_not_found_action
        field = "spec.paramRef.parameterNotFoundAction"
        if action is None or action == "":
            yield required(field, "say what becomes of requests without parameters: Allow or Deny")
        elif action not in _NOT_FOUND_ACTIONS:
            yield not_supported(field, action, _NOT_FOUND_ACTIONS)
    if spec.match_resources is not None:
        yield from match_causes("spec.matchResources", spec.match_resources, needs_rules=False)
    yield from _action_causes(spec.validation_actions or [])


def _action_causes(actions: Iterable[str]) -> Iterator[Cause]:
    field, seen = "spec.validationActions", list[str]()
    for index, action in enumerate(actions):
        if action not in _ACTIONS:
            yield not_supported(f"{field}[{index}]", action, _ACTIONS)
        elif action in seen:
            yield duplicate(f"{field}[{index}]", action)
        seen.append(action)
    if DENY in seen and WARN in seen:
        message = "must not contain both Deny and Warn (repeating the same validation failure information in the API "
        yield invalid(field, seen, f"{message}response and headers serves no purpose)")
    if not seen:
        yield required(field, "at least one validation action is required")
