"""Admission policies: what each says of a write, and what becomes of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from app.cluster.admission_policies import AdmissionPolicies, Bound
from app.cluster.authorizer import Authorizer
from app.domain.documents.objects import KubeObject
from app.domain.errors import ApiError, Cause, Forbidden, Invalid, RequestEntityTooLarge
from app.domain.expressions.authorization import Deciding, authorizer_of
from app.domain.expressions.cel import ExpressionError
from app.domain.rules.admission_policy import AUDIT, DENY, GROUP, WARN
from app.domain.rules.match_resources import WriteRequest
from app.domain.rules.policy_contentment import NAMES, are_content
from app.domain.rules.policy_decisions import Decision, annotations, applies, decisions, with_variables
from app.domain.user import ITSELF
from app.registry.operations import Operation

_REASONS: Mapping[str, type[ApiError]] = {
    "Forbidden": Forbidden,
    "Invalid": Invalid,
    "RequestEntityTooLarge": RequestEntityTooLarge,
}
_OPERATIONS = {"create": "CREATE", "update": "UPDATE", "delete": "DELETE"}
_FAILURES = "validation.policy.admission.k8s.io/validation_failure"


def apply_policies(operation: Operation, authorizer: Authorizer, policies: AdmissionPolicies) -> None:
    """Ask every policy that holds for a write.

    Policies are not asked about policies, so that a wrong one can be mended, nor about what this server writes itself.

    Raises:
        ApiError: A policy refuses it.
    """
    if not policies.bound or operation.target.kind.group == GROUP or operation.user == ITSELF:
        return
    target = operation.target
    if not policies.may_concern(_OPERATIONS[operation.verb], target.kind, target.subresource):
        return
    _Asking(operation, authorizer, policies).ask()


class _Asking:
    """One write, as policies see it. What they need of it is made when the first one does."""

    def __init__(self, operation: Operation, authorizer: Authorizer, policies: AdmissionPolicies) -> None:
        self._operation = operation
        self._authorizer = authorizer
        self._policies = policies
        target = operation.target
        self._namespace = target.scope or (target.name if target.kind.key == "namespaces" else "")
        self._namespace_object = policies.namespace(self._namespace) if self._namespace else None
        self._request = _write_request(operation, self._namespace_object)
        self._variables: dict[str, Any] = {}

    def ask(self) -> None:
        """Raise the refusal of the first policy that denies; else tell the warnings."""
        refusal: tuple[Bound, Decision] | None = None
        failures: list[dict[str, Any]] = []
        with Deciding(self._operation.user, self._authorizer.allows):
            for bound in self._discontent():
                for index, decision in enumerate(self._decisions(bound)):
                    actions = bound.binding.spec.validation_actions or []
                    if WARN in actions:
                        self._operation.warnings.append(_text("Validation failed for", bound, decision))
                    if AUDIT in actions:
                        failures.append(_failure(bound, decision, index))
                    if DENY in actions and refusal is None:
                        refusal = bound, decision
        if failures:
            self._operation.annotations[_FAILURES] = msgspec.json.encode(failures).decode()
        if refusal is not None:
            raise self._refused(*refusal)

    def _discontent(self) -> tuple[Bound, ...]:
        """The policies that hold for the write and may have something to say about it."""
        meant = self._policies.meant(self._request)
        if meant.plain and are_content(meant.plain, self._value):
            return meant.others
        return meant.all

    def _decisions(self, bound: Bound) -> Iterator[Decision]:
        """The validations that are false, with each of the parameters."""
        ref = bound.binding.spec.param_ref
        if bound.policy.spec.param_kind is None or ref is None:
            yield from self._decided(bound, None)
            return
        params = self._policies.params(bound.policy, ref, self._namespace)
        if params is None:
            if bound.policy.fails:
                yield Decision("failed to configure policy: failed to find resource referenced by paramKind")
        elif params:
            for each in params:
                yield from self._decided(bound, each)
        elif ref.parameter_not_found_action == DENY and bound.policy.fails:
            yield Decision(
                "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
            )

    def _decided(self, bound: Bound, params: Mapping[str, Any] | None) -> Iterator[Decision]:
        policy = bound.policy
        known = {**self._known(), "params": params} if policy.spec.param_kind is not None else self._known()
        try:
            if not applies(policy, known):
                return
            everything = with_variables(policy, known)
            for key, value in annotations(policy, everything):
                self._operation.annotations[key] = value
        except ExpressionError as error:
            if policy.fails:
                yield Decision(str(error))
            return
        yield from decisions(policy, everything)

    def _known(self) -> dict[str, Any]:
        return {name: self._value(name) for name in NAMES}

    def _value(self, name: str) -> Any:
        """The value of a variable, made when it is first needed."""
        if name not in self._variables:
            self._variables[name] = self._made(name)
        return self._variables[name]

    def _made(self, name: str) -> Any:
        match name:
            case "object":
                return self._document(self._operation.new)
            case "oldObject":
                return self._document(self._operation.old)
            case "request":
                return self._request_document()
            case "namespaceObject":
                return self._namespace_object
        return authorizer_of(self._operation.target.request(self._operation.verb, self._request.name))

    def _document(self, obj: KubeObject | None) -> dict[str, Any] | None:
        """An object as expressions see it: as the wire has it."""
        if obj is None:
            return None
        document: dict[str, Any] = msgspec.to_builtins(obj)
        if self._operation.revision:
            document["metadata"]["resourceVersion"] = str(self._operation.revision)
        return document

    def _request_document(self) -> dict[str, Any]:
        operation, target, user = self._operation, self._operation.target, self._operation.user
        kind = {"group": target.kind.group, "version": target.kind.version, "kind": target.kind.name}
        resource = {"group": target.kind.group, "version": target.kind.version, "resource": target.kind.plural}
        told = {
            "kind": kind,
            "resource": resource,
            "subResource": target.subresource,
            "requestKind": kind,
            "requestResource": resource,
            "requestSubResource": target.subresource,
            "name": self._request.name,
            "namespace": target.scope,
            "operation": self._request.operation,
            "userInfo": {
                "username": user.name,
                "uid": user.uid,
                "groups": list(user.groups),
                "extra": {name: list(values) for name, values in user.extra.items()},
            },
            "dryRun": operation.dry_run,
        }
        return {name: value for name, value in told.items() if value != ""}

    def _refused(self, bound: Bound, decision: Decision) -> ApiError:
        kind, name = self._operation.target.kind, self._request.name
        text = _text("", bound, decision, action="denied request: ")
        error = _REASONS[decision.reason]
        return error(
            f'{kind.key} "{name}" is forbidden: {text}',
            group=kind.group,
            kind=kind.plural,
            name=name,
            causes=[Cause("", "", decision.message)],
        )


def _write_request(operation: Operation, namespace: Mapping[str, Any] | None) -> WriteRequest:
    target = operation.target
    objects = [each for each in (operation.new, operation.old) if each is not None]
    labels = (((namespace or {}).get("metadata") or {}).get("labels") or {}) if target.kind.namespaced else None
    if target.kind.key == "namespaces" and objects:
        labels = objects[0].metadata.labels or {}
    return WriteRequest(
        _OPERATIONS[operation.verb],
        target.kind.group,
        target.kind.version,
        f"{target.kind.plural}/{target.subresource}" if target.subresource else target.kind.plural,
        target.kind.namespaced,
        target.name or (objects[0].metadata.name if objects else ""),
        labels,
        [each.metadata.labels or {} for each in objects],
    )


def _text(prefix: str, bound: Bound, decision: Decision, action: str = "") -> str:
    told = f"ValidatingAdmissionPolicy '{bound.policy.name}' with binding '{bound.binding.metadata.name}'"
    return f"{prefix} {told}: {decision.message}" if prefix else f"{told} {action}{decision.message}"


def _failure(bound: Bound, decision: Decision, index: int) -> dict[str, Any]:
    return {
        "message": decision.message,
        "policy": bound.policy.name,
        "binding": bound.binding.metadata.name,
        "expressionIndex": index,
        "validationActions": bound.binding.spec.validation_actions or [],
    }
