"""ValidatingAdmissionPolicy and its binding (admissionregistration.k8s.io/v1): rules for writes, as expressions."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Int64, Wire, one_of, patch_key
from app.domain.kinds.meta import Condition, LabelSelector


class ParamKind(Wire):
    """The kind of the objects that parameters of a policy come from.

    Attributes:
        api_version: Group and version, such as v1.
        kind: The kind, such as ConfigMap.
    """

    api_version: str = ""
    kind: str = ""


class NamedRuleWithOperations(Wire):
    """Requests that a policy is about.

    Attributes:
        resource_names: Names of the objects; all objects if it is empty.
        operations: CREATE, UPDATE, DELETE, CONNECT, or * for all.
        api_groups: API groups, "" for the core group; * means all.
        api_versions: Versions of the groups; * means all.
        resources: Resources in the plural, such as services or services/status; * means all without subresources.
        scope: Cluster, Namespaced, or * for both.
    """

    resource_names: Annotated[list[str], ATOMIC] | None = None
    operations: Annotated[list[str], ATOMIC] | None = None
    api_groups: Annotated[list[str], ATOMIC] | None = None
    api_versions: Annotated[list[str], ATOMIC] | None = None
    resources: Annotated[list[str], ATOMIC] | None = None
    scope: str | None = None


class MatchResources(Wire):
    """Which requests a policy is about.

    Attributes:
        namespace_selector: Labels of the namespaces; all namespaces, and what is in none, if it is empty.
        object_selector: Labels of the object as it was or as it would be; all objects if it is empty.
        resource_rules: The requests; one of them has to fit.
        exclude_resource_rules: Requests that are left out although a rule fits.
        match_policy: Exact, or Equivalent to mean a resource in its other versions, too. Every resource is served in
            one version here, and Events in two.
    """

    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    resource_rules: Annotated[list[NamedRuleWithOperations], ATOMIC] | None = None
    exclude_resource_rules: Annotated[list[NamedRuleWithOperations], ATOMIC] | None = None
    match_policy: Annotated[str, one_of("Exact", "Equivalent")] | None = None


class Validation(Wire):
    """An expression that has to be true, else the policy refuses the request.

    Attributes:
        expression: The expression. It may use object, oldObject, request, params, namespaceObject, variables and
            authorizer.
        message: What the client is told if it is false.
        reason: The reason of the refusal: Invalid, Forbidden or RequestEntityTooLarge. Invalid when left out.
        message_expression: An expression that gives the message.
    """

    required = ("expression",)

    expression: str = field(default_factory=str)
    message: str = ""
    reason: str | None = None
    message_expression: str = ""


class AuditAnnotation(Wire):
    """An annotation for the audit event of a request.

    Attributes:
        key: The name of the annotation, behind the name of the policy and a slash.
        value_expression: An expression that gives its text, or null for none.
    """

    required = ("key", "value_expression")

    key: str = field(default_factory=str)
    value_expression: str = field(default_factory=str)


class MatchCondition(Wire):
    """A condition that a request has to fulfil, else the policy is not about it.

    Attributes:
        name: The name of the condition.
        expression: The expression.
    """

    required = ("name", "expression")

    name: str = field(default_factory=str)
    expression: str = field(default_factory=str)


class Variable(Wire):
    """A value that expressions of the policy may use as variables.NAME.

    Attributes:
        name: The name of the variable.
        expression: The expression that gives the value. It may use variables before it.
    """

    required = ("name", "expression")

    name: str = field(default_factory=str)
    expression: str = field(default_factory=str)


class ValidatingAdmissionPolicySpec(Wire):
    """What a policy asks of requests.

    Attributes:
        param_kind: The kind of its parameters, if it has any.
        match_constraints: Which requests it is about.
        validations: What has to be true of a request.
        failure_policy: What becomes of a request if an expression fails: Fail refuses it, Ignore lets it pass.
        audit_annotations: Annotations for the audit events of requests.
        match_conditions: Further conditions; all of them have to be true.
        variables: Values that the expressions share.
    """

    param_kind: ParamKind | None = None
    match_constraints: MatchResources | None = None
    validations: Annotated[list[Validation], ATOMIC] | None = None
    failure_policy: Annotated[str, one_of("Ignore", "Fail")] | None = None
    audit_annotations: Annotated[list[AuditAnnotation], ATOMIC] | None = None
    match_conditions: Annotated[list[MatchCondition], patch_key("name")] | None = None
    variables: Annotated[list[Variable], patch_key("name")] | None = None


class ExpressionWarning(Wire):
    """A remark about an expression.

    Attributes:
        field_ref: The path of the field with the expression.
        warning: The remark.
    """

    required = ("field_ref", "warning")

    field_ref: str = field(default_factory=str)
    warning: str = field(default_factory=str)


class TypeChecking(Wire):
    """Remarks about the types in the expressions of a policy.

    Attributes:
        expression_warnings: The remarks.
    """

    expression_warnings: Annotated[list[ExpressionWarning], ATOMIC] | None = None


class ValidatingAdmissionPolicyStatus(Wire):
    """What the server found about a policy.

    Attributes:
        observed_generation: The generation of the policy that this is about.
        type_checking: Remarks about types.
        conditions: Conditions of the policy.
    """

    observed_generation: Int64 = 0
    type_checking: TypeChecking | None = None
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class ValidatingAdmissionPolicy(KubeObject):
    """Rules for writes. They hold where a ValidatingAdmissionPolicyBinding says so."""

    spec: ValidatingAdmissionPolicySpec = field(default_factory=ValidatingAdmissionPolicySpec)
    status: ValidatingAdmissionPolicyStatus = field(default_factory=ValidatingAdmissionPolicyStatus)


class ParamRef(Wire):
    """The parameters of a policy in one binding: one object by its name, or those that a selector selects.

    Attributes:
        name: The name of the object.
        namespace: Its namespace. That of the request when left out, if the kind lives in namespaces.
        selector: Labels of the objects. The policy has to hold with each of them.
        parameter_not_found_action: What becomes of a request if there is no such object: Allow or Deny.
    """

    name: str = ""
    namespace: str = ""
    selector: LabelSelector | None = None
    parameter_not_found_action: str | None = None


class ValidatingAdmissionPolicyBindingSpec(Wire):
    """Where a policy holds, and what it does.

    Attributes:
        policy_name: The name of the policy.
        param_ref: The parameters.
        match_resources: Requests for which it holds, of those that the policy is about.
        validation_actions: What a validation that is false does: Deny refuses the request, Warn warns the client,
            Audit writes an annotation into the audit event. Deny and Warn exclude each other.
    """

    policy_name: str = ""
    param_ref: ParamRef | None = None
    match_resources: MatchResources | None = None
    validation_actions: Annotated[list[str], ATOMIC] | None = None


class ValidatingAdmissionPolicyBinding(KubeObject):
    """Has a ValidatingAdmissionPolicy hold."""

    spec: ValidatingAdmissionPolicyBindingSpec = field(default_factory=ValidatingAdmissionPolicyBindingSpec)
