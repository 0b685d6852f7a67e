"""Admission policies through the API: what they refuse, warn of and let pass, on every way to write."""

import asyncio

import pytest

from tests.api.objects import SERVICES, alias

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{ADMISSION}/validatingadmissionpolicies"
BINDINGS = f"{ADMISSION}/validatingadmissionpolicybindings"
APPLY = "/apis/fairlead.io/v1/apply?fieldManager=m"
RULES = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["services", "services/status"]}]
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
async def hold(api):
    """Has a policy hold from when this returns; it is gone at the end."""

    async def make(name, *validations, actions=("Deny",), **spec):
        param_ref = spec.pop("param_ref", None)
        spec = {"matchConstraints": {"resourceRules": RULES}, "validations": list(validations), **spec}
        policy = {"metadata": {"name": name}, "spec": spec}
        assert (await api.post(POLICIES, json=policy)).status_code == 201
        binding = {
            "policyName": name,
            "validationActions": list(actions),
            **({"paramRef": param_ref} if param_ref else {}),
        }
        assert (await api.post(BINDINGS, json={"metadata": {"name": name}, "spec": binding})).status_code == 201
        # A process that has read a binding goes by it.
        await api.get(BINDINGS)

    yield make
    for kind in (BINDINGS, POLICIES):
        await api.delete(kind)
        await api.get(kind)


async def test_a_denied_write_is_refused_on_every_path(api, hold):
    assert (await api.post(SERVICES, json=alias("old"))).status_code == 201
    gone = "request.operation == 'DELETE' ? !('kept' in oldObject.metadata.labels)"
    made = "!has(object.metadata.labels) || !('bad' in object.metadata.labels)"
    await hold("p", {"expression": f"{gone} : {made}", "message": "is bad"})
    bad = {"labels": {"bad": "x"}}
    answers = [
        await api.post(SERVICES, json=alias("new", **bad)),
        await api.post(f"{SERVICES}?dryRun=All", json=alias("new", **bad)),
        await api.put(f"{SERVICES}/new", json=alias("new", **bad)),
        await api.put(f"{SERVICES}/old", json=alias("old", **bad)),
        await api.patch(f"{SERVICES}/old", json={"metadata": bad}, headers=MERGE),
        await api.patch(f"{SERVICES}/old?fieldManager=m", json=alias("old", **bad),
                        headers={"Content-Type": "application/apply-patch+yaml"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [422] * 6
    told = answers[0].json()
    assert told["message"] == (
        "services \"new\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: is bad"
    )
    assert told["details"] == {"name": "new", "kind": "services", "causes": [{"message": "is bad"}]}
    items = {"apiVersion": "v1", "kind": "List", "items": [alias("good"), alias("new", **bad)]}
    assert (await api.post(APPLY, json=items)).status_code == 422
    assert {each["metadata"]["name"] for each in (await api.get(SERVICES)).json()["items"]} == {"old"}


async def test_a_deletion_is_judged_by_what_is_deleted(api, hold):
    assert (await api.post(SERVICES, json=alias("kept", labels={"kept": "x"}))).status_code == 201
    await hold(
        "p", {"expression": "oldObject == null || !('kept' in oldObject.metadata.labels)", "reason": "Forbidden"}
    )
    assert (await api.delete(f"{SERVICES}/kept")).status_code == 403
    assert (await api.delete(SERVICES)).status_code == 403
    await api.delete(BINDINGS)
    await api.get(BINDINGS)
    assert (await api.delete(f"{SERVICES}/kept")).status_code == 200


async def test_policies_see_the_version_that_is_changed(api, hold):
    assert (await api.post(SERVICES, json=alias("web"))).status_code == 201
    same = "oldObject == null || object.metadata.resourceVersion == oldObject.metadata.resourceVersion"
    await hold("p", {"expression": same})
    found = (await api.get(f"{SERVICES}/web")).json()
    for labels, version in (("a", found["metadata"]["resourceVersion"]), ("b", None)):
        sent = alias("web", labels={"at": labels}, **({"resourceVersion": version} if version else {}))
        answer = await api.put(f"{SERVICES}/web", json=sent)
        assert answer.status_code == 200, answer.text
    patched = await api.patch(f"{SERVICES}/web", json={"metadata": {"labels": {"at": "c"}}}, headers=MERGE)
    assert patched.status_code == 200, patched.text


async def test_a_warning_lets_a_write_pass(api, hold):
    await hold("p", {"expression": "false", "messageExpression": "'no ' + object.metadata.name"}, actions=["Warn"])
    answer = await api.post(SERVICES, json=alias("web"))
    assert answer.status_code == 201
    told = "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p': no web"
    assert answer.headers["warning"] == f'299 - "{told}"'
    again = await api.post(SERVICES, json=alias("web"))
    assert (again.status_code, again.headers["warning"]) == (409, answer.headers["warning"])


@pytest.mark.parametrize(("policy", "code"), [("Fail", 422), ("Ignore", 201)])
async def test_an_expression_that_fails_is_no_verdict(api, hold, policy, code):
    await hold("p", {"expression": "object.metadata.labels.team == 'a'"}, failurePolicy=policy)
    answer = await api.post(SERVICES, json=alias("web"))
    assert answer.status_code == code
    if code == 422:
        assert "resulted in error: no such key: labels" in answer.json()["message"]


async def test_conditions_and_variables_and_selectors_narrow_a_policy(api, hold):
    await hold(
        "p",
        {"expression": "variables.short"},
        variables=[{"name": "short", "expression": "size(object.metadata.name) < 4"}],
        matchConditions=[{"name": "aliases", "expression": "object.spec.type == 'ExternalName'"}],
        matchConstraints={"resourceRules": RULES, "objectSelector": {"matchLabels": {"checked": "yes"}}},
    )
    assert (await api.post(SERVICES, json=alias("a-long-name"))).status_code == 201
    checked = {"labels": {"checked": "yes"}}
    assert (await api.post(SERVICES, json=alias("a-longer-name", **checked))).status_code == 422
    assert (await api.post(SERVICES, json=alias("web", **checked))).status_code == 201


@pytest.mark.parametrize(("action", "code"), [("Deny", 422), ("Allow", 201)])
async def test_parameters_come_from_an_object(api, hold, action, code):
    await hold(
        "p",
        {"expression": "object.metadata.name in params.data.names.split(',')"},
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        param_ref={"name": "names", "parameterNotFoundAction": action},
    )
    assert (await api.post(SERVICES, json=alias("web"))).status_code == code
    maps = "/api/v1/namespaces/default/configmaps"
    assert (await api.post(maps, json={"metadata": {"name": "names"}, "data": {"names": "one,two"}})).status_code == 201
    await api.get(maps)
    assert (await api.post(SERVICES, json=alias("three"))).status_code == 422
    assert (await api.post(SERVICES, json=alias("two"))).status_code == 201
    await api.delete(f"{maps}/names")


async def test_policies_are_not_asked_about_policies(api, hold):
    everything = [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]
    await hold("p", {"expression": "false"}, matchConstraints={"resourceRules": everything})
    assert (await api.post(SERVICES, json=alias("web"))).status_code == 422
    assert (await api.delete(f"{BINDINGS}/p")).status_code == 200
    await api.get(BINDINGS)
    assert (await api.post(SERVICES, json=alias("web"))).status_code == 201


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"validations": [{"expression": "object.nobody("}]}, "spec.validations[0].expression"),
        ({"validations": [{"expression": "1"}]}, "spec.validations[0].expression"),
        ({"validations": [{"expression": "params.a"}]}, "spec.validations[0].expression"),
        ({"validations": [{"expression": "variables.a"}]}, "spec.validations[0].expression"),
        ({"validations": [{"expression": "true", "reason": "Unauthorized"}]}, "spec.validations[0].reason"),
        ({"validations": []}, "spec.validations"),
        ({"validations": [{"expression": "true"}] * 101}, "spec.validations"),
        ({"failurePolicy": "Maybe"}, "spec.failurePolicy"),
        ({"matchConstraints": None}, "spec.matchConstraints"),
        ({"variables": [{"name": "true", "expression": "1"}]}, "spec.variables[0].name"),
        ({"auditAnnotations": [{"key": "a", "valueExpression": "1"}]}, "spec.auditAnnotations[0].valueExpression"),
        ({"matchConditions": [{"name": "a", "expression": "variables.a"}]}, "spec.matchConditions[0].expression"),
    ],
)
async def test_a_wrong_policy_is_refused(api, spec, field):
    spec = {"matchConstraints": {"resourceRules": RULES}, "validations": [{"expression": "true"}], **spec}
    answer = await api.post(POLICIES, json={"metadata": {"name": "wrong"}, "spec": spec})
    assert answer.status_code == 422, answer.text
    assert field in [cause["field"] for cause in answer.json()["details"]["causes"]]


async def test_many_writes_at_once_are_all_judged(api, hold):
    await hold("p", {"expression": "!object.metadata.name.endsWith('7')"})
    answers = await asyncio.gather(*(api.post(SERVICES, json=alias(f"n-{number}")) for number in range(40)))
    refused = [number for number, answer in enumerate(answers) if answer.status_code == 422]
    assert refused == [7, 17, 27, 37]
