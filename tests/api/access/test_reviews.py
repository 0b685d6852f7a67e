import pytest

from tests.api.access.conftest import rule
from tests.api.objects import SERVICES

REVIEWS = "/apis/authorization.k8s.io/v1"
SELF, SOMEBODY = f"{REVIEWS}/selfsubjectaccessreviews", f"{REVIEWS}/subjectaccessreviews"
HERE = f"{REVIEWS}/namespaces/default/localsubjectaccessreviews"
WRONG = [{"operator": "In"}, {"key": "a", "operator": "x"}]
RULES = f"{REVIEWS}/selfsubjectrulesreviews"
LIST = {"resourceAttributes": {"namespace": "default", "verb": "list", "resource": "services"}}


async def verdict(client, path, **spec):
    answer = await client.post(path, json={"spec": spec})
    assert answer.status_code == 201, answer.text
    return answer.json()["status"]


async def test_a_review_says_what_a_request_would_be_answered(people):
    assert await verdict(people.alice, SELF, **LIST) == {"allowed": False}
    await people.may("alice", rule("list", "services"), namespace="default")
    found = await verdict(people.alice, SELF, **LIST)
    assert found == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "given/default" of Role "given" to User "alice"',
    }
    assert (await people.alice.get(SERVICES)).status_code == 200
    for path in (SOMEBODY, HERE):
        assert (await verdict(people.admin, path, user="alice", **LIST))["allowed"] is True
        assert (await verdict(people.admin, path, user="bob", **LIST))["allowed"] is False
        assert (await verdict(people.admin, path, groups=["system:masters"], **LIST))["allowed"] is True
    path = {"nonResourceAttributes": {"path": "/healthz", "verb": "get"}}
    assert (await verdict(people.alice, SELF, **path))["allowed"] is True
    assert (await verdict(people.admin, SOMEBODY, user="a", **path))["allowed"] is False


async def test_who_may_ask_about_others(people):
    for path in (SOMEBODY, HERE):
        answer = await people.alice.post(path, json={"spec": {"user": "bob", **LIST}})
        assert answer.status_code == 403
    await people.bind("alice", "admin", namespace="default")
    assert (await verdict(people.alice, HERE, user="bob", **LIST))["allowed"] is False
    assert (await people.alice.post(SOMEBODY, json={"spec": {"user": "bob", **LIST}})).status_code == 403


@pytest.mark.parametrize(
    ("path", "spec", "fields"),
    [
        (SELF, {}, ["spec.resourceAttributes"]),
        (SELF, {**LIST, "nonResourceAttributes": {"path": "/", "verb": "get"}}, ["spec.nonResourceAttributes"]),
        (SOMEBODY, LIST, ["spec.user"]),
        (HERE, {"user": "a", "resourceAttributes": {}}, ["spec.resourceAttributes.namespace"]),
        (HERE, {"user": "a", "nonResourceAttributes": {}}, ["spec.nonResourceAttributes"]),
        (SELF, {"resourceAttributes": {"fieldSelector": {}}}, ["spec.resourceAttributes.fieldSelector.requirements"]),
        (SELF, {"resourceAttributes": {"labelSelector": {"requirements": WRONG}}}, [
            f"spec.resourceAttributes.labelSelector.requirements[{field}"
            for field in ("0].key", "0].values", "1].operator")
        ]),
    ],
)  # fmt: skip
async def test_questions_that_cannot_be_answered(people, path, spec, fields):
    answer = await people.admin.post(path, json={"spec": spec})
    assert answer.status_code == 422
    details = answer.json()["details"]
    assert (details["group"], [cause["field"] for cause in details["causes"]]) == ("authorization.k8s.io", fields)
    assert "kind" not in details


async def test_the_namespace_of_a_review_is_that_of_its_path(people):
    body = {"metadata": {"namespace": "kube-system"}, "spec": {"user": "a", **LIST}}
    assert (await people.admin.post(HERE, json=body)).status_code == 400
    assert (await people.admin.post(RULES, json={"spec": {}})).status_code == 400
    assert (await people.admin.get(SOMEBODY)).status_code == 405


async def test_the_rules_of_a_user(people):
    await people.may("alice", rule("get", "services", names="web"), namespace="default")
    await people.may("alice", {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}, name="paths")
    status = (await people.alice.post(RULES, json={"spec": {"namespace": "default"}})).json()["status"]
    assert {"verbs": ["get"], "apiGroups": [""], "resources": ["services"], "resourceNames": ["web"]} in status[
        "resourceRules"
    ]
    assert {"verbs": ["get"], "nonResourceURLs": ["/metrics"]} in status["nonResourceRules"]
    assert status["incomplete"] is False
    elsewhere = (await people.alice.post(RULES, json={"spec": {"namespace": "kube-system"}})).json()["status"]
    assert all("services" not in each["resources"] for each in elsewhere["resourceRules"])
    masters = (await people.admin.post(RULES, json={"spec": {"namespace": "default"}})).json()["status"]
    assert {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]} in masters["resourceRules"]
