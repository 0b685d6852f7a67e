import asyncio
import re

import pytest

from tests.api.objects import EVENTS, SERVICES, alias, created

APPLIED = b"""
apiVersion: v1
kind: Service
metadata: {name: web, labels: {a: b}}
spec: {type: ExternalName, externalName: web.example.com}
"""
MERGE = {"content-type": "application/merge-patch+json"}


async def test_an_object_lives_through_all_verbs(api):
    made = await created(api, "web", labels={"app": "web"})
    assert made["metadata"]["uid"]

    read = (await api.get(f"{SERVICES}/web")).json()
    assert read == made

    read["spec"]["externalName"] = "other.example.com"
    replaced = (await api.put(f"{SERVICES}/web", json=read)).json()
    assert replaced["spec"]["externalName"] == "other.example.com"
    assert int(replaced["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])

    patched = await api.patch(f"{SERVICES}/web", content=b'{"metadata":{"labels":{"app":null}}}', headers=MERGE)
    assert patched.status_code == 200
    assert "labels" not in patched.json()["metadata"]

    gone = await api.delete(f"{SERVICES}/web")
    assert gone.status_code == 200
    assert gone.json()["kind"] == "Service"
    assert (await api.get(f"{SERVICES}/web")).status_code == 404


async def test_a_stale_update_conflicts(api):
    made = await created(api, "web")
    assert (
        await api.put(f"{SERVICES}/web", json={**made, "metadata": {**made["metadata"], "labels": {"a": "b"}}})
    ).is_success
    stale = await api.put(f"{SERVICES}/web", json={**made, "metadata": {**made["metadata"], "labels": {"a": "c"}}})
    assert stale.status_code == 409
    assert stale.json()["reason"] == "Conflict"
    assert stale.json()["details"] == {"name": "web", "kind": "services"}


async def test_put_creates_where_the_kind_allows_it(api):
    assert (await api.put(f"{SERVICES}/web", json=alias("web"))).status_code == 201
    slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    body = {"metadata": {"name": "s", "resourceVersion": "1"}, "addressType": "IPv4", "endpoints": []}
    assert (await api.put(f"{slices}/s", json=body)).status_code == 404


async def test_a_kind_may_answer_a_status_to_a_deletion(api):
    body = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}, "reason": "Tested"}
    made = (await api.post(EVENTS, json=body)).json()
    answer = (await api.delete(f"{EVENTS}/e")).json()
    assert (answer["kind"], answer["status"]) == ("Status", "Success")
    assert answer["details"] == {"name": "e", "kind": "events", "uid": made["metadata"]["uid"]}


async def test_a_selected_collection_is_deleted(api):
    await created(api, "a", labels={"app": "x"})
    await created(api, "b", labels={"app": "y"})
    answer = await api.delete(SERVICES, params={"labelSelector": "app=x"})
    assert [item["metadata"]["name"] for item in answer.json()["items"]] == ["a"]
    left = (await api.get(SERVICES)).json()
    assert [item["metadata"]["name"] for item in left["items"]] == ["b"]


async def test_a_collection_is_deleted_in_few_commits(api):
    await asyncio.gather(*(created(api, f"s{number}") for number in range(100)))

    async def commits():
        metrics = (await api.get("/metrics")).text
        (line,) = re.findall(r'^fairlead_store_commits_total\{outcome="committed"\} (\S+)', metrics, re.MULTILINE)
        return float(line)

    before = await commits()
    assert len((await api.delete(SERVICES)).json()["items"]) == 100
    assert (await api.get(SERVICES)).json()["items"] == []
    assert await commits() - before <= 10


async def test_pages_lead_through_a_list(api):
    for name in "abcde":
        await created(api, name)
    seen, token, pages = [], "", 0
    while True:
        page = (await api.get(SERVICES, params={"limit": 2, "continue": token})).json()
        seen += [item["metadata"]["name"] for item in page["items"]]
        pages += 1
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert (seen, pages) == (list("abcde"), 3)


async def test_all_namespaces_are_listed_together(api):
    await created(api, "a")
    assert (await api.post("/api/v1/namespaces/kube-public/services", json=alias("b"))).status_code == 201
    items = (await api.get("/api/v1/services")).json()["items"]
    assert [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in items] == [
        ("default", "a"),
        ("kube-public", "b"),
    ]


async def test_status_is_written_apart(api):
    made = await created(api, "web", labels={"kept": "yes"})
    made["spec"]["externalName"] = "ignored.example.com"
    made["status"]["conditions"] = [
        {
            "type": "Seen",
            "status": "True",
            "reason": "Test",
            "message": "",
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        }
    ]
    answer = await api.put(f"{SERVICES}/web/status", json=made)
    assert answer.status_code == 200, answer.text
    assert answer.json()["spec"]["externalName"] == "web.example.com"
    assert "Seen" in [condition["type"] for condition in answer.json()["status"]["conditions"]]
    assert (await api.get(f"{SERVICES}/web/status")).json()["metadata"]["name"] == "web"


async def test_a_namespace_is_finalized(api):
    made = (await api.post("/api/v1/namespaces", json={"metadata": {"name": "team"}})).json()
    assert made["spec"]["finalizers"] == ["kubernetes"]
    marked = (await api.delete("/api/v1/namespaces/team")).json()
    assert marked["status"]["phase"] == "Terminating"
    marked["spec"]["finalizers"] = []
    assert (await api.put("/api/v1/namespaces/team/finalize", json=marked)).status_code == 200
    assert (await api.get("/api/v1/namespaces/team")).status_code == 404
    assert (await api.get("/api/v1/namespaces/default/finalize")).status_code == 405


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json-patch+json", b'[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]'),
        ("application/merge-patch+json", b'{"metadata":{"labels":{"a":"b"}}}'),
        ("application/strategic-merge-patch+json", b'{"metadata":{"labels":{"a":"b"}}}'),
        (
            "application/apply-patch+yaml",
            APPLIED,
        ),
    ],
)
async def test_each_kind_of_patch_is_applied(api, media_type, body):
    await created(api, "web")
    params = {"fieldManager": "tester", "force": "true"} if "apply" in media_type else {"fieldManager": "tester"}
    answer = await api.patch(f"{SERVICES}/web", content=body, headers={"content-type": media_type}, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.json()["metadata"]["labels"] == {"a": "b"}
    assert "tester" in [entry["manager"] for entry in answer.json()["metadata"]["managedFields"]]


async def test_apply_creates_and_names_conflicts(api):
    headers = {"content-type": "application/apply-patch+yaml"}
    url = f"{SERVICES}/web"
    made = await api.patch(url, content=APPLIED, headers=headers, params={"fieldManager": "one"})
    assert made.status_code == 201, made.text
    refused = await api.patch(
        url, content=APPLIED.replace(b"web.example", b"b.example"), headers=headers, params={"fieldManager": "two"}
    )
    assert refused.status_code == 409
    assert [cause["field"] for cause in refused.json()["details"]["causes"]] == [".spec.externalName"]
    nameless = await api.patch(url, content=APPLIED.replace(b"web.example", b"b.example"), headers=headers)
    assert nameless.status_code == 422
    assert nameless.json()["details"]["causes"][0]["field"] == "fieldManager"


async def test_dry_runs_store_nothing(api):
    answer = await api.post(SERVICES, json=alias("web"), params={"dryRun": "All"})
    assert answer.status_code == 201
    assert (await api.get(f"{SERVICES}/web")).status_code == 404
    await created(api, "web")
    assert (await api.delete(f"{SERVICES}/web", params={"dryRun": "All"})).status_code == 200
    assert (await api.get(f"{SERVICES}/web")).status_code == 200
    wrong = await api.post(SERVICES, json=alias("other"), params={"dryRun": "Some"})
    assert wrong.status_code == 422
    assert wrong.json()["details"]["causes"][0]["field"] == "dryRun"


async def test_preconditions_guard_a_deletion(api):
    made = await created(api, "web")
    wrong = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    assert (await api.request("DELETE", f"{SERVICES}/web", json=wrong)).status_code == 409
    right = {"preconditions": {"uid": made["metadata"]["uid"]}, "kind": "DeleteOptions", "apiVersion": "v1"}
    assert (await api.request("DELETE", f"{SERVICES}/web", json=right)).status_code == 200


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"orphanDependents": False}, 202),
        ({"propagationPolicy": "Background"}, 200),
        ({"dryRun": ["All"]}, 200),
        ({}, 200),
    ],
)
async def test_a_deletion_that_waits_for_finalizers_is_answered_with_the_object(api, options, code):
    """202 is only for clients that ask for a cascade the oldest way: others take it for a failure."""
    await created(api, "web", finalizers=["example.com/hold"])
    for _ in range(2):
        answer = await api.request("DELETE", f"{SERVICES}/web", json=options)
        assert (answer.status_code, answer.json()["kind"]) == (code, "Service")
    await api.patch(
        f"{SERVICES}/web",
        json={"metadata": {"finalizers": None}},
        headers={"content-type": "application/merge-patch+json"},
    )
    await api.delete(f"{SERVICES}/web")
    await created(api, "web")
    assert (await api.request("DELETE", f"{SERVICES}/web", json={"orphanDependents": False})).status_code == 200


async def test_a_lease_is_replaced_only_by_who_read_it(api):
    leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    lease = {"metadata": {"name": "turn"}, "spec": {"holderIdentity": "one"}}
    made = (await api.post(leases, json=lease)).json()
    for revision in (None, "", "0"):
        named = {"metadata": {"name": "turn", "resourceVersion": revision}, "spec": {"holderIdentity": "two"}}
        refused = await api.put(f"{leases}/turn", json=named)
        assert refused.status_code == 422, revision
        assert refused.json()["details"]["causes"][0]["field"] == "metadata.resourceVersion"
    made["spec"]["holderIdentity"] = "two"
    assert (await api.put(f"{leases}/turn", json=made)).status_code == 200
    await api.delete(f"{leases}/turn")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"propagationPolicy": "Sometimes"}, "propagationPolicy"),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, "propagationPolicy"),
        ({"dryRun": ["Some"]}, "dryRun"),
    ],
)
async def test_deletion_options_without_meaning_are_refused(api, options, field):
    await created(api, "web")
    answer = await api.request("DELETE", f"{SERVICES}/web", json=options)
    assert answer.status_code == 422
    assert answer.json()["details"]["causes"][0]["field"] == field


@pytest.mark.parametrize(
    ("moment", "stored"),
    [
        ("2026-02-30T10:00:00Z", None),
        ("2026-01-01T25:00:00Z", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("0103-06-28T15:56:27+19:20", "0103-06-27T20:36:27Z"),
    ],
)
async def test_a_moment_is_one_of_the_calendar(api, moment, stored):
    """What was stored without being one would keep every list from being shown as a Table."""
    body = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}, "firstTimestamp": moment}
    made = await api.post(EVENTS, json=body)
    assert made.status_code == (201 if stored else 400), made.text
    assert made.json().get("firstTimestamp") == stored
    if stored:
        again = await api.put(f"{EVENTS}/e", json=made.json() | {"message": "again"})
        assert again.json()["firstTimestamp"] == stored
    table = await api.get(EVENTS, headers={"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
    assert (table.status_code, len(table.json()["rows"])) == (200, 1 if stored else 0)


async def test_a_deprecated_kind_warns_of_itself(api):
    for answer in (
        await api.get("/api/v1/namespaces/default/endpoints"),
        await api.get("/api/v1/namespaces/default/endpoints/missing"),
    ):
        assert [text for text in answer.headers.get_list("warning") if "EndpointSlice" in text]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("metadata.name=web", ["web"]),
        ("metadata.name==web,metadata.namespace=default", ["web"]),
        ("metadata.name=web,metadata.namespace=other", []),
        ("metadata.name=web,metadata.name=api", []),
        ("metadata.name=web,spec.type=ExternalName", ["web"]),
        ("metadata.name=web,spec.type=ClusterIP", []),
        ("metadata.name=we", []),
        ("metadata.name!=web", ["api"]),
    ],
)
async def test_a_list_of_one_name(api, selector, names):
    await created(api, "api")
    await created(api, "web")
    for path in (SERVICES, "/api/v1/services"):
        listed = (await api.get(path, params={"fieldSelector": selector})).json()
        assert [
            each["metadata"]["name"] for each in listed["items"] if each["metadata"]["name"] != "kubernetes"
        ] == names
        assert "continue" not in listed["metadata"]


async def test_a_list_of_one_name_as_it_was(api):
    revisions = [(await created(api, "other"))["metadata"]["resourceVersion"]]
    revisions.append((await created(api, "web"))["metadata"]["resourceVersion"])
    patched = await api.patch(f"{SERVICES}/web", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
    revisions.append(patched.json()["metadata"]["resourceVersion"])
    await api.delete(f"{SERVICES}/web")
    found = []
    for revision in revisions:
        exact = {"resourceVersion": revision, "resourceVersionMatch": "Exact", "fieldSelector": "metadata.name=web"}
        found.append(
            [each["metadata"].get("labels") for each in (await api.get(SERVICES, params=exact)).json()["items"]]
        )
    assert found == [[], [None], [{"a": "b"}]]


@pytest.mark.parametrize("path", ["/api/v1/namespaces", "/apis/events.k8s.io/v1/namespaces/default/events"])
async def test_a_list_of_one_name_of_other_kinds(api, path):
    """In no namespace, and seen as another kind than the one that is stored."""
    body = {"metadata": {"name": "default"}, "involvedObject": {"namespace": "default"}, "reason": "Tested"}
    assert (await api.post(EVENTS, json=body)).status_code == 201
    listed = (await api.get(path, params={"fieldSelector": "metadata.name=default"})).json()
    assert listed["items"] == [
        each for each in (await api.get(path)).json()["items"] if each["metadata"]["name"] == "default"
    ]
    assert len(listed["items"]) == 1
