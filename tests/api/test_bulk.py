"""Bulk apply over HTTP: the forms a body may have, what is answered, and what is refused."""

import json

import pytest

from tests.api.objects import SERVICES, alias, created

PATH = "/apis/fairlead.io/v1/apply"
JSON = {"content-type": "application/json"}


def listed(*items):
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


BODIES = {
    "application/json": listed(alias("a"), alias("b")),
    "application/yaml": "---\n" + "\n---\n".join(json.dumps(each) for each in (alias("a"), alias("b"))) + "\n---\n",
    "application/x-ndjson": "\n".join(json.dumps(each) for each in (alias("a"), alias("b"))) + "\n\n",
    "application/jsonl": "\n".join(json.dumps(each) for each in (alias("a"), alias("b"))),
}


@pytest.mark.parametrize("media_type", BODIES)
async def test_a_body_may_have_any_of_these_forms(api, media_type):
    answer = await api.post(PATH, content=BODIES[media_type], headers={"content-type": media_type})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["kind"], told["apiVersion"], told["dryRun"]) == ("ApplyResult", "fairlead.io/v1", False)
    assert [(each["result"], each["object"]["metadata"]["name"]) for each in told["items"]] == [
        ("created", "a"),
        ("created", "b"),
    ]
    for each in told["items"]:
        assert (await api.get(f"{SERVICES}/{each['object']['metadata']['name']}")).json() == each["object"]


async def test_a_list_within_yaml_is_a_list(api):
    answer = await api.post(PATH, content=listed(alias("a")), headers={"content-type": "application/yaml"})
    assert [each["result"] for each in answer.json()["items"]] == ["created"]


async def test_what_is_there_is_applied_to(api):
    await created(api, "a", labels={"kept": "yes"})
    changed = alias("a", labels={"added": "too"})
    answer = await api.post(PATH, content=listed(changed, alias("b")), headers=JSON)
    assert [each["result"] for each in answer.json()["items"]] == ["configured", "created"]
    assert answer.json()["items"][0]["object"]["metadata"]["labels"] == {"kept": "yes", "added": "too"}


async def test_fields_of_others_are_taken_by_force_only(api):
    await created(api, "a", labels={"app": "theirs"})
    mine = listed(alias("b"), alias("a", labels={"app": "mine"}))
    refused = await api.post(PATH, content=mine, headers=JSON)
    assert refused.status_code == 409
    assert refused.json()["details"]["causes"][0]["field"] == "items[1].metadata.labels.app"
    assert (await api.get(f"{SERVICES}/b")).status_code == 404
    forced = await api.post(PATH, params={"force": "true"}, content=mine, headers=JSON)
    assert [each["result"] for each in forced.json()["items"]] == ["created", "configured"]


async def test_a_dry_run_stores_nothing(api):
    answer = await api.post(PATH, params={"dryRun": "All"}, content=listed(alias("a")), headers=JSON)
    assert answer.json()["dryRun"] is True
    assert "resourceVersion" not in answer.json()["items"][0]["object"]["metadata"]
    assert (await api.get(f"{SERVICES}/a")).status_code == 404


async def test_warnings_belong_to_their_item(api):
    odd = alias("a")
    odd["spec"]["colour"] = "red"
    answer = await api.post(PATH, content=listed(odd, alias("b")), headers=JSON)
    assert [each.get("warnings") for each in answer.json()["items"]] == [['unknown field "spec.colour"'], None]


async def test_an_object_without_a_namespace_goes_where_the_request_says(api):
    answer = await api.post(PATH, params={"namespace": "kube-public"}, content=listed(alias("a")), headers=JSON)
    assert answer.json()["items"][0]["object"]["metadata"]["namespace"] == "kube-public"


@pytest.mark.parametrize(
    ("content", "media_type", "code"),
    [
        (b"[1]", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"a: [", "application/yaml", 400),
        (b"{}\nnonsense\n", "application/x-ndjson", 400),
        (b'{"kind":"\xff"}\n', "application/x-ndjson", 400),
        (b'{"kind":"Service","x":' + b"[" * 100_000, "application/x-ndjson", 400),
        (b"a: &a [" + b"1," * 5_000 + b"]\nb: [*a, *a, *a]\n", "application/yaml", 400),
        (listed(1).encode(), "application/json", 400),
        (b"{}", "application/json", 422),
        (b"x=1", "application/x-www-form-urlencoded", 415),
        (b"{}\n" * 10_001, "application/x-ndjson", 413),
        (b" " * (32 * 2**20 + 1), "application/json", 413),
    ],
)
async def test_a_body_that_cannot_be_applied_is_refused(api, content, media_type, code):
    answer = await api.post(PATH, content=content, headers={"content-type": media_type})
    assert answer.status_code == code, answer.text
    assert answer.json()["kind"] == "Status"


async def test_nothing_to_apply_is_fine(api):
    answer = await api.post(PATH, content=listed(), headers=JSON)
    assert (answer.status_code, answer.json()["items"]) == (200, [])


async def test_only_post_applies(api):
    answer = await api.get(PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
