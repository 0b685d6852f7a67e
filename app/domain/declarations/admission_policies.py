"""The declarations of ValidatingAdmissionPolicy and its binding."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.admission_policy import ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding
from app.domain.rules.admission_policy import (
    GROUP,
    ValidatingAdmissionPolicyBindingStrategy,
    ValidatingAdmissionPolicyStrategy,
)

_NONE = "<unset>"


def _param_kind(policy: ValidatingAdmissionPolicy, _now: str) -> str:
    kind = policy.spec.param_kind
    return _NONE if kind is None else f"{kind.api_version}/{kind.kind}"


def _param_ref(binding: ValidatingAdmissionPolicyBinding, _now: str) -> str:
    params = binding.spec.param_ref
    if params is None:
        return _NONE
    place = f"{params.namespace}/" if params.namespace else "*/"
    return f"{place}{params.name or '*'}"


VALIDATING_ADMISSION_POLICY = Kind(
    group=GROUP,
    version="v1",
    name="ValidatingAdmissionPolicy",
    plural="validatingadmissionpolicies",
    singular="validatingadmissionpolicy",
    namespaced=False,
    model=ValidatingAdmissionPolicy,
    schema="io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
    columns=(
        NAME,
        Column(
            "Validations",
            lambda policy, _now: len(policy.spec.validations or ()),
            type="integer",
            description="How many validations the policy has.",
        ),
        Column("ParamKind", _param_kind, description="The kind of its parameters."),
        AGE,
    ),
    strategy=ValidatingAdmissionPolicyStrategy(),
    categories=("api-extensions",),
    unconditional_update=False,
    has_status=True,
)

VALIDATING_ADMISSION_POLICY_BINDING = Kind(
    group=GROUP,
    version="v1",
    name="ValidatingAdmissionPolicyBinding",
    plural="validatingadmissionpolicybindings",
    singular="validatingadmissionpolicybinding",
    namespaced=False,
    model=ValidatingAdmissionPolicyBinding,
    schema="io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
    columns=(
        NAME,
        Column("PolicyName", lambda binding, _now: binding.spec.policy_name, description="The policy."),
        Column("ParamRef", _param_ref, description="Its parameters."),
        AGE,
    ),
    strategy=ValidatingAdmissionPolicyBindingStrategy(),
    categories=("api-extensions",),
    unconditional_update=False,
)
