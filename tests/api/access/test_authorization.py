import json

import httpx
import pytest

from tests.api.access.conftest import RBAC, rule
from tests.api.objects import SERVICES, alias
from tests.e2e.waiting import eventually

REVIEWS = "/apis/authorization.k8s.io/v1"


def refusal(answer, code=403):
    assert answer.status_code == code, answer.text
    return answer.json()["message"]


async def test_who_has_no_right_learns_nothing(people):
    text = (
        'services "x" is forbidden: User "alice" cannot get resource "services" in API group "" in the namespace "{}"'
    )
    for namespace in ("default", "nowhere"):
        assert refusal(await people.alice.get(f"/api/v1/namespaces/{namespace}/services/x")) == text.format(namespace)
    wrong = await people.alice.post(SERVICES, content=b"{", headers={"content-type": "application/json"})
    assert refusal(wrong).startswith("services is forbidden")
    assert refusal(await people.alice.get("/apis/nothing.example/v1/things")).startswith(
        'things.nothing.example is forbidden: User "alice" cannot list resource "things"'
    )
    assert refusal(await people.alice.get(f"{SERVICES}/x/unknown")).startswith('services "x" is forbidden')
    assert refusal(await people.alice.delete("/api/v1/namespaces/default/services/x/proxy/a/b")).startswith("services")
    assert refusal(await people.alice.get("/metrics")) == 'forbidden: User "alice" cannot get path "/metrics"'
    assert refusal(await people.alice.get("/nothing")) == 'forbidden: User "alice" cannot get path "/nothing"'
    assert (await people.admin.get("/apis/nothing.example/v1/things")).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/version", "/docs", "/openapi.json"])
async def test_what_strangers_may_read(people, path):
    assert (await people.stranger.get(path)).status_code == 200
    assert (await people.stranger.head(path)).status_code in (200, 405)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"), ("GET", "/api"), ("GET", "/apis"), ("GET", "/api/v1"), ("GET", "/metrics"),
        ("GET", "/openapi/v2"), ("GET", "/openapi/v3"), ("GET", "/healthz/ping"), ("GET", "/readyz/mirror"),
        ("GET", SERVICES), ("POST", SERVICES),
        ("POST", "/apis/fairlead.io/v1/apply"), ("POST", f"{REVIEWS}/selfsubjectaccessreviews"), ("GET", "/nothing"),
        ("POST", "/healthz"), ("OPTIONS", SERVICES), ("GET", "//"), ("GET", "/api//v1"), ("GET", "/docsandmore"),
        ("GET", "/api/v1/watch/services"), ("GET", "/.well-known/openid-configuration"),
    ],
)  # fmt: skip
async def test_what_strangers_may_not(people, method, path):
    answer = await people.stranger.request(method, path)
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    assert 'User "system:anonymous"' in answer.json()["message"]


async def test_a_right_holds_as_soon_as_it_is_given_and_ends_with_its_binding(people):
    await people.may("alice", rule("list", "services"), namespace="default")
    assert (await people.alice.get(SERVICES)).status_code == 200
    assert refusal(await people.alice.get("/api/v1/services")).endswith("at the cluster scope")
    assert refusal(await people.carol.get(SERVICES))
    await people.admin.delete(f"{RBAC}/namespaces/default/rolebindings/given")

    async def refused():
        return (await people.alice.get(SERVICES)).status_code == 403

    await eventually(refused)


async def test_a_watch_ends_with_the_right_to_it(people):
    watch = f"{SERVICES}?watch=1&timeoutSeconds=300"
    await people.may("alice", rule("watch", "services"), namespace="default")
    await people.may("bob", rule("watch", "services"), namespace="default", name="stays")
    async with people.alice.stream("GET", watch) as ended, people.bob.stream("GET", watch) as going:
        lines = going.aiter_lines()
        await people.make(SERVICES, "web", spec=alias("web")["spec"])
        assert "web" in await anext(lines)
        await people.admin.delete(f"{RBAC}/namespaces/default/rolebindings/given")
        assert [json.loads(line)["type"] async for line in ended.aiter_lines()] == ["ADDED"]
        await people.make(SERVICES, "other", spec=alias("other")["spec"])
        assert "other" in await anext(lines)
    assert refusal(await people.alice.get(watch))


@pytest.mark.parametrize(
    ("verb", "method", "path", "query"),
    [
        ("get", "GET", "/x", ""), ("list", "GET", "", ""), ("watch", "GET", "", "?watch=1&timeoutSeconds=1"),
        ("create", "POST", "", ""), ("update", "PUT", "/x", ""), ("patch", "PATCH", "/x", ""),
        ("delete", "DELETE", "/x", ""), ("deletecollection", "DELETE", "", "?labelSelector=a%3Db"),
    ],
)  # fmt: skip
async def test_each_verb_needs_its_own_right(people, verb, method, path, query):
    await people.make(SERVICES, "x", spec=alias("x")["spec"])
    await people.may("alice", rule(verb, "services"), namespace="default")
    others = "get list watch create update patch delete deletecollection".replace(verb, "")
    await people.may("bob", rule(others, "services services/status"), namespace="default", name="others")
    body = json.dumps(alias("x2" if verb == "create" else "x"))
    headers = {"content-type": "application/merge-patch+json" if verb == "patch" else "application/json"}
    sent = {} if method in ("GET", "DELETE") else {"content": body, "headers": headers}
    if verb == "create":
        people._given.append(f"{SERVICES}/x2")
    assert (await people.alice.request(method, f"{SERVICES}{path}{query}", **sent)).is_success
    message = refusal(await people.bob.request(method, f"{SERVICES}{path}{query}", **sent))
    assert f'User "bob" cannot {verb} resource "services"' in message


async def test_names_and_subresources(people):
    for name in ("web", "other"):
        await people.make(SERVICES, name, spec=alias(name)["spec"])
    rules = (rule("get list watch delete deletecollection", "services", names="web"), rule("get", "services/status"))
    await people.may("alice", *rules, namespace="default")
    alice = people.alice
    assert (await alice.get(f"{SERVICES}/web")).status_code == 200
    assert refusal(await alice.get(f"{SERVICES}/other"))
    assert refusal(await alice.get(SERVICES))
    named = await alice.get(f"{SERVICES}?fieldSelector=metadata.name%3Dweb")
    assert [item["metadata"]["name"] for item in named.json()["items"]] == ["web"]
    for selector in ("metadata.name%3Dother", "metadata.name!%3Dother", "metadata.namespace%3Dweb", "%3D%3D", ""):
        assert refusal(await alice.get(f"{SERVICES}?fieldSelector={selector}"))
    stream = await alice.get(f"{SERVICES}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dweb")
    assert [json.loads(line)["object"]["metadata"]["name"] for line in stream.text.splitlines()] == ["web"]
    assert (await alice.get(f"{SERVICES}/other/status")).status_code == 200
    assert refusal(await alice.put(f"{SERVICES}/other/status", json=alias("other")))
    assert (await alice.delete(f"{SERVICES}?dryRun=All&fieldSelector=metadata.name%3Dweb")).status_code == 200
    assert refusal(await alice.delete(f"{SERVICES}?dryRun=All&fieldSelector=metadata.name%3Dother"))


async def test_a_namespace_is_in_itself(people):
    await people.bind("alice", "view", namespace="default")
    assert (await people.alice.get("/api/v1/namespaces/default")).status_code == 200
    assert (await people.alice.get("/api/v1/namespaces/default/status")).status_code in (200, 404)
    message = refusal(await people.alice.get("/api/v1/namespaces/kube-system"))
    assert message.endswith('cannot get resource "namespaces" in API group "" in the namespace "kube-system"')
    assert refusal(await people.alice.get("/api/v1/namespaces")).endswith("at the cluster scope")


@pytest.mark.parametrize("patched", [False, True], ids=["put", "apply"])
async def test_making_what_is_not_there_needs_the_right_to_create(people, patched):
    await people.may("alice", rule("update patch get", "services"), namespace="default")

    async def write():
        if not patched:
            return await people.alice.put(f"{SERVICES}/fresh", json=alias("fresh"))
        headers = {"content-type": "application/apply-patch+yaml"}
        body = json.dumps(alias("fresh"))
        return await people.alice.patch(f"{SERVICES}/fresh?fieldManager=m", content=body, headers=headers)

    assert 'User "alice" cannot create resource "services"' in refusal(await write())
    assert (await people.admin.get(f"{SERVICES}/fresh")).status_code == 404
    await people.may("alice", rule("create", "services", names="fresh"), namespace="default", name="more")
    people._given.append(f"{SERVICES}/fresh")
    assert (await write()).status_code == 201
    assert (await write()).status_code == 200


async def test_every_object_of_a_bulk_apply_is_judged_before_any_is_stored(people):
    bulk = "/apis/fairlead.io/v1/apply?fieldManager=m"
    await people.make(SERVICES, "old", spec=alias("old")["spec"])
    await people.may("alice", rule("create patch", "services", names="new"), rule("patch", "services", names="old"),
                     namespace="default")  # fmt: skip

    def items(*names, namespace="default"):
        found = [alias(name, namespace=namespace, labels={"a": "b"}) for name in names]
        return {"apiVersion": "v1", "kind": "List", "items": found}

    for user, sent, wrong in (
        ("alice", items("new", "hidden", "old"), [("items[1]", 'User "alice" cannot patch resource "services"')]),
        ("alice", items("new", namespace="kube-system"), [("items[0]", 'in the namespace "kube-system"')]),
        ("carol", items("new", "old"), [("items[0]", "cannot patch"), ("items[1]", "cannot patch")]),
    ):
        answer = await people.as_(user).post(bulk, json=sent)
        assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden"), answer.text
        causes = answer.json()["details"]["causes"]
        assert [cause["field"] for cause in causes] == [field for field, _ in wrong]
        assert all(text in cause["message"] for cause, (_, text) in zip(causes, wrong, strict=True))
    assert (await people.admin.get(f"{SERVICES}/new")).status_code == 404
    assert "labels" not in (await people.admin.get(f"{SERVICES}/old")).json()["metadata"]
    people._given.append(f"{SERVICES}/new")
    done = await people.alice.post(bulk, json=items("new", "old"))
    assert [item["result"] for item in done.json()["items"]] == ["created", "configured"]
    assert (await people.carol.post(bulk, json=items())).status_code == 200


@pytest.mark.parametrize(
    "metadata",
    [
        '"metadata":{"name":"mine"},"metadata":{"name":"other"}',
        '"metadata":{"name":"other"},"metadata":{"name":"mine"}',
        '"metadata":{"name":"mine","name":"other"}',
        '"metadata":{"name":"other","n\\u0061me":"mine"}',
        '"metadata":{"name":"mine"},"m\\u0065tadata":{"name":"other"}',
        '"metadata":{"name":"mine"},"metadata":{"labels":{"a":"b"}}',
        '"metadata":{"name":"mine"},"Metadata":{"name":"other"}',
        '"metadata":{"name":"mine","Name":"other"}',
    ],
)
async def test_a_name_that_comes_twice_is_stored_as_it_was_authorized_or_not_at_all(people, metadata):
    await people.may("alice", rule("create patch", "services", names="mine"), namespace="default")
    spec = '"spec":{"type":"ExternalName","externalName":"a.example"}'
    sent = f'{{"apiVersion":"v1","kind":"Service",{metadata},{spec}}}'
    headers = {"content-type": "application/json"}
    people._given += [f"{SERVICES}/mine", f"{SERVICES}/other"]
    await people.alice.post("/apis/fairlead.io/v1/apply?fieldManager=m", content=sent, headers=headers)
    assert (await people.admin.get(f"{SERVICES}/other")).status_code == 404


async def test_a_field_of_a_secret_is_not_shown_by_a_refused_apply(people):
    secrets = "/api/v1/namespaces/default/secrets"
    await people.make(secrets, "s", stringData={"key": "the-value"})
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "other"}}
    answer = await people.alice.post("/apis/fairlead.io/v1/apply?fieldManager=m", json=item)
    assert answer.status_code == 403
    assert "the-value" not in answer.text
    assert "dGhlLXZhbHVl" not in answer.text


async def test_impersonation(people):
    who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    as_bob = {"impersonate-user": "bob"}
    message = refusal(await people.alice.post(who, json={}, headers=as_bob))
    assert message == (
        'users "bob" is forbidden: User "alice" cannot impersonate resource "users" in API group "" '
        "at the cluster scope"
    )
    await people.may("alice", rule("impersonate", "users", names="bob"))
    shown = (await people.alice.post(who, json={}, headers=as_bob)).json()["status"]["userInfo"]
    assert shown == {"username": "bob", "groups": ["system:authenticated"]}
    masters = httpx.Headers([("impersonate-user", "bob"), ("impersonate-group", "system:masters")])
    assert 'groups "system:masters" is forbidden' in refusal(await people.alice.get(SERVICES, headers=masters))
    assert (await people.admin.get(SERVICES, headers=masters)).status_code == 200
    assert 'User "bob"' in refusal(await people.admin.get(SERVICES, headers=as_bob))
    assert (await people.admin.get(SERVICES, headers={"impersonate-group": "x"})).status_code == 400
    assert (await people.admin.get(SERVICES, headers={"impersonate-user": ""})).status_code == 200


async def test_the_loopback_user_may_impersonate_to_try_what_others_may(api):
    assert (await api.get(SERVICES, headers={"impersonate-user": "bob"})).status_code == 403
    who = await api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={})
    assert "system:masters" in who.json()["status"]["userInfo"]["groups"]
