"""No write goes past admission: each path asks it, before anything is stored."""

import inspect
import json

import httpx
import pytest

from app.domain.errors import Forbidden
from app.registry.admission import CHECKS, Admission
from tests.api.conftest import running_registry, serving
from tests.api.objects import SERVICES, alias
from tests.conftest import empty

MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
STATUS = {"status": {"loadBalancer": {}, "conditions": [{"type": "Own", "status": "True", "reason": "R", "message": "",
          "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}  # fmt: skip
FINALIZED = {"metadata": {"name": "kept"}, "spec": {"finalizers": ["example.com/x"]}}
RELABEL = {"metadata": {"labels": {"a": "b"}}}

PATHS = {
    "create": ("POST", SERVICES, alias("new"), ["create new"]),
    "create by update": ("PUT", f"{SERVICES}/new", alias("new"), ["create new"]),
    "update": ("PUT", f"{SERVICES}/old", alias("old", labels={"a": "b"}), ["update old"]),
    "JSON patch": (
        "PATCH", f"{SERVICES}/old", [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}], ["update old"],
    ),
    "merge patch": ("PATCH", f"{SERVICES}/old", RELABEL, ["update old"]),
    "strategic patch": ("PATCH", f"{SERVICES}/old?strategic", RELABEL, ["update old"]),
    "apply": ("PATCH", f"{SERVICES}/old?fieldManager=m", alias("old", labels={"a": "b"}), ["update old"]),
    "create by apply": ("PATCH", f"{SERVICES}/new?fieldManager=m", alias("new"), ["create new"]),
    "update of a status": ("PUT", f"{SERVICES}/old/status", alias("old") | STATUS, ["update old/status"]),
    "patch of a status": ("PATCH", f"{SERVICES}/old/status", STATUS, ["update old/status"]),
    "finalize": ("PUT", "/api/v1/namespaces/kept/finalize", FINALIZED, ["update kept/finalize"]),
    "delete": ("DELETE", f"{SERVICES}/old", None, ["delete old"]),
    "deletecollection": ("DELETE", f"{SERVICES}?labelSelector=one", None, ["delete one"]),
    "delete of a lease": ("DELETE", f"{LEASES}/old", None, ["delete old"]),
    "bulk apply": (
        "POST", "/apis/fairlead.io/v1/apply?fieldManager=m",
        {"apiVersion": "v1", "kind": "List", "items": [alias("new"), alias("old", labels={"a": "b"})]},
        ["create new", "update old"],
    ),
}  # fmt: skip


def media_type(name):
    return {
        "JSON patch": "application/json-patch+json", "merge patch": MERGE, "patch of a status": MERGE,
        "strategic patch": "application/strategic-merge-patch+json", "apply": APPLY, "create by apply": APPLY,
    }.get(name, "application/json")  # fmt: skip


class Recorder:
    """A check that remembers what it was asked, and refuses if a test says so."""

    def __init__(self):
        self.asked = []
        self.refusing = False

    def __call__(self, operation, _authorizer, _policies):
        target, obj = operation.target, operation.new or operation.old
        below = f"/{target.subresource}" if target.subresource else ""
        self.asked.append(f"{operation.verb} {obj.metadata.name}{below}")
        if self.refusing:
            raise Forbidden("not admitted")


@pytest.fixture(scope="module")
def recorder():
    return Recorder()


@pytest.fixture(scope="module", params=list(CHECKS))
async def admitted(request, migrated_url, recorder, module_patch):
    """A client of an API whose admission has one check more, in one of its stages."""
    checks = {stage: (*given, *((recorder,) if stage == request.param else ())) for stage, given in CHECKS.items()}
    module_patch.setattr("app.main.parts.Admission", lambda *known: Admission(*known, checks))
    await empty(migrated_url)
    async with (
        running_registry(migrated_url) as registry,
        serving(registry) as (url, _),
        httpx.AsyncClient(base_url=url, timeout=60) as client,
    ):
        client.stage = request.param
        await client.post("/api/v1/namespaces", json={"metadata": {"name": "kept"}})
        yield client
    await empty(migrated_url)


@pytest.fixture(scope="module")
def module_patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


async def stored(client):
    """Everything there is, with its revision."""
    found = {}
    for path in (SERVICES, LEASES, "/api/v1/namespaces"):
        for item in (await client.get(path)).json()["items"]:
            found[item["kind"], item["metadata"]["name"]] = item["metadata"]["resourceVersion"]
    return found


async def send(client, name):
    method, path, body, _ = PATHS[name]
    content = None if body is None else json.dumps(body)
    return await client.request(method, path, content=content, headers={"content-type": media_type(name)})


@pytest.mark.parametrize("name", PATHS)
async def test_every_write_is_admitted_before_it_is_stored(admitted, recorder, name):
    await admitted.delete(SERVICES)
    await admitted.delete(LEASES)
    for each in (alias("old"), alias("one", labels={"one": ""})):
        await admitted.post(SERVICES, json=each)
    await admitted.post(LEASES, json={"metadata": {"name": "old"}})
    before = await stored(admitted)
    recorder.asked.clear()
    recorder.refusing = True
    try:
        refused = await send(admitted, name)
    finally:
        recorder.refusing = False
    # A deletion has nothing to validate.
    expected = [] if "delete" in name and admitted.stage == "before validation" else PATHS[name][3]
    if expected:
        assert (refused.status_code, "not admitted" in refused.text) == (403, True), refused.text
        assert recorder.asked
        assert await stored(admitted) == before
    recorder.asked.clear()
    done = await send(admitted, name)
    assert done.is_success or not expected, done.text
    assert [each for each in recorder.asked if each in expected] == expected


async def test_every_verb_that_writes_is_among_the_paths(registry):
    verbs = {name for name, value in vars(registry).items() if inspect.ismethod(value)}
    assert verbs - {"get", "list", "watch"} == {"create", "update", "patch", "delete", "delete_collection", "apply"}
