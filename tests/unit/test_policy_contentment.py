"""Asking many policies at once never hides what one of them would say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.expressions.cel import ExpressionError
from app.domain.kinds.admission_policy import (
    AuditAnnotation,
    MatchCondition,
    ParamKind,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicySpec,
    Validation,
    Variable,
)
from app.domain.rules.policy_contentment import are_content, is_plain
from app.domain.rules.policy_decisions import applies, compile_policy, decisions, with_variables

KNOWN = {
    "object": {"metadata": {"name": "web"}, "spec": {"type": "ClusterIP"}},
    "oldObject": None,
    "request": {"operation": "CREATE"},
    "namespaceObject": None,
    "authorizer": {},
}
TRUE, FALSE, BROKEN = "object.metadata.name == 'web'", "object.metadata.name == 'db'", "object.spec.none == 1"
PIECES = (TRUE, FALSE, BROKEN, "true // whatever", "object.spec.type", "variables.a", "variables.b == 'web'")


def policy(conditions=(), variables=(), validations=(TRUE,), **others):
    made = ValidatingAdmissionPolicy(
        spec=ValidatingAdmissionPolicySpec(
            match_conditions=[MatchCondition(name=f"c{n}", expression=each) for n, each in enumerate(conditions)],
            variables=[Variable(name=name, expression=each) for name, each in variables],
            validations=[Validation(expression=each) for each in validations],
            **others,
        )
    )
    return compile_policy(made)


def is_content(one):
    """What the policy says for itself, whatever its failurePolicy is."""
    try:
        if not applies(one, KNOWN):
            return True
    except ExpressionError:
        return False
    return not list(decisions(one, with_variables(one, KNOWN)))


@pytest.mark.parametrize(
    ("one", "content"),
    [
        (policy(), True),
        (policy(validations=(TRUE, FALSE)), False),
        (policy(validations=(TRUE, BROKEN)), False),
        (policy((TRUE, FALSE), validations=(FALSE,)), True),
        (policy((BROKEN, FALSE), validations=(FALSE,)), True),
        (policy((FALSE, BROKEN), validations=(FALSE,)), True),
        (policy((BROKEN, TRUE)), False),
        (policy((TRUE,), validations=("true // yes",)), True),
        (policy(variables=(("a", "object.metadata.name"), ("b", "variables.a")), validations=(PIECES[-1],)), True),
        (policy(variables=(("a", BROKEN),), validations=("variables.a",)), False),
        (policy(validations=("object.spec.type",)), False),
    ],
)
def test_policies_are_content_together_where_each_is(one, content):
    assert is_plain(one)
    assert is_content(one) is content
    assert are_content((one,), KNOWN.__getitem__) is content
    assert are_content((policy(), one, policy((FALSE,), validations=(FALSE,))), KNOWN.__getitem__) is content


def test_variables_of_one_policy_are_not_those_of_another():
    first = policy(variables=(("a", "'web'"), ("b", "'web'")), validations=("variables.b == 'web'",))
    second = policy(validations=("!has(variables.b)",))
    assert are_content((first, second, first), KNOWN.__getitem__)


def test_policies_that_say_something_else_are_asked_for_themselves():
    annotated = policy(audit_annotations=[AuditAnnotation(key="k", value_expression="'v'")])
    assert not is_plain(annotated)
    assert not is_plain(policy(param_kind=ParamKind(api_version="v1", kind="ConfigMap")))
    assert not is_plain(policy(validations=("1 +",)))


_SOME = st.lists(st.sampled_from(PIECES), max_size=3).map(tuple)


@given(st.lists(st.tuples(_SOME, _SOME, _SOME), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_whatever_policies_say_together_none_of_them_is_overlooked(drawn):
    policies = []
    for conditions, variables, validations in drawn:
        made = policy(conditions, tuple(zip("abc", variables, strict=False)), validations)
        if is_plain(made):
            policies.append(made)
    if are_content(policies, KNOWN.__getitem__):
        assert all(map(is_content, policies))
