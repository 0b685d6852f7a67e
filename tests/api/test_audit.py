"""What the audit log says of requests, and what it never says."""

import asyncio
import json
import re
from base64 import b64encode
from contextlib import asynccontextmanager

import httpx
import pytest

from app.api.access.access import Access
from app.api.access.authentication import Authentication
from app.audit.log import AuditLog
from app.audit.policy_file import DEFAULT_POLICY
from app.credentials.tokens import Token, TokenUsers
from app.domain.rules.audit_policy import AuditPolicy, AuditRule, Decision, Level
from app.domain.user import User
from tests.api.conftest import serving
from tests.api.objects import SERVICES, alias

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"
ADMIN = {"authorization": "Bearer admin-secret", "user-agent": "test/1"}
EVERYTHING = AuditPolicy((AuditRule(Decision(Level.REQUEST_RESPONSE)),))
WITHOUT_MANAGED_FIELDS = AuditPolicy((AuditRule(Decision(Level.REQUEST_RESPONSE, omits_managed_fields=True)),))


class Kept:
    """A destination that keeps lines, and has room or not."""

    def __init__(self):
        self.content = b""
        self.is_full = False

    place = "memory"

    def tail(self, most):
        return self.content[-most:]

    def append(self, lines):
        if self.is_full:
            raise OSError(28, "No space left on device")
        self.content += lines
        return len(lines)

    def close(self):
        pass

    def events(self, stage=None):
        found = [json.loads(line) for line in self.content.splitlines()]
        return [event for event in found if stage in (None, event["stage"])]


@asynccontextmanager
async def audited(registry, policy=DEFAULT_POLICY, mode="blocking"):
    """A client of an API that keeps an audit log, and the log."""
    kept = Kept()
    users = TokenUsers(
        [
            Token("admin-secret", User("admin", "1", ("system:masters",))),
            Token("bob-secret", User("bob", "2", ("dev",))),
        ]
    )
    access = Access(Authentication(users), required=True, audit_log=AuditLog(kept, mode), audit_policy=lambda: policy)
    async with (
        serving(registry, access=access) as (url, _),
        httpx.AsyncClient(base_url=url, timeout=60, headers=ADMIN) as api,
    ):
        for path in (SERVICES, CONFIG_MAPS, SECRETS):
            await api.delete(path)
        kept.content = b""
        yield api, kept


async def test_an_event_says_who_did_what_and_how_it_was_answered(registry):
    async with audited(registry) as (api, kept):
        answer = await api.get(
            f"{CONFIG_MAPS}/none",
            params={"pretty": "1"},
            headers={"x-forwarded-for": "192.0.2.7, x", "audit-id": "my-id"},
        )
        assert answer.headers["audit-id"] == "my-id"
        (event,) = kept.events()
        times = event.pop("requestReceivedTimestamp"), event.pop("stageTimestamp")
        assert times[0] <= times[1]
        assert times[0].endswith("Z")
        assert event == {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": "my-id",
            "stage": "ResponseComplete",
            "requestURI": f"{CONFIG_MAPS}/none?pretty=1",
            "verb": "get",
            "user": {"username": "admin", "uid": "1", "groups": ["system:masters", "system:authenticated"]},
            "sourceIPs": ["192.0.2.7", "127.0.0.1"],
            "userAgent": "test/1",
            "objectRef": {"resource": "configmaps", "namespace": "default", "name": "none", "apiVersion": "v1"},
            "responseStatus": {
                "metadata": {},
                "status": "Failure",
                "message": 'configmaps "none" not found',
                "reason": "NotFound",
                "code": 404,
            },
            "annotations": {"authorization.k8s.io/decision": "allow"},
        }


async def test_an_event_names_the_object_that_was_created(registry):
    async with audited(registry) as (api, kept):
        assert (await api.post(CONFIG_MAPS, json={"metadata": {"generateName": "made-"}})).status_code == 201
        (event,) = kept.events()
        assert (event["verb"], event["responseStatus"]["code"]) == ("create", 201)
        assert event["objectRef"]["name"].startswith("made-")
        assert "requestObject" not in event


@pytest.mark.parametrize(
    ("method", "path", "headers", "code", "user", "decision"),
    [
        ("GET", SERVICES, {"authorization": "Bearer wrong"}, 401, {}, None),
        ("GET", SERVICES, {"authorization": "Bearer bob-secret"}, 403, "bob", "forbid"),
        ("DELETE", "/api/v1/nodes/x", {"authorization": "Bearer bob-secret"}, 403, "bob", "forbid"),
        ("GET", "/metrics", {"authorization": "Bearer bob-secret"}, 403, "bob", "forbid"),
        ("GET", "/api/v1/nothing", {}, 404, "admin", "allow"),
        ("PUT", SERVICES, {}, 405, "admin", "allow"),
        ("GET", f"{SERVICES}?limit=x", {}, 400, "admin", "allow"),
        ("GET", f"{SERVICES}?a=%ff", {}, 400, "admin", None),
        ("GET", SERVICES, {"impersonate-group": "x"}, 400, "admin", None),
    ],
)
async def test_what_is_refused_is_written_too(registry, method, path, headers, code, user, decision):
    async with audited(registry) as (api, kept):
        answer = await api.request(method, path, headers=headers)
        assert answer.status_code == code, answer.text
        (event,) = kept.events()
        assert event["responseStatus"]["code"] == code
        assert event["user"] == user if user == {} else event["user"]["username"] == user
        assert event.get("annotations", {}).get("authorization.k8s.io/decision") == decision
        assert b"wrong" not in kept.content


async def test_an_event_tells_who_acts_and_as_whom(registry):
    async with audited(registry) as (api, kept):
        await api.get(SERVICES, headers={"impersonate-user": "ann", "impersonate-group": "dev"})
        (event,) = kept.events()
        assert event["user"]["username"] == "admin"
        assert event["impersonatedUser"] == {"username": "ann", "groups": ["dev", "system:authenticated"]}


@pytest.mark.parametrize(
    ("content_type", "body", "recorded"),
    [
        ("application/merge-patch+json", b'{"data":\n{"a": "b"}}', {"data": {"a": "b"}}),
        ("application/json-patch+json", b'[{"op":"add","path":"/data","value":{"a":"b"}}]', None),
        (
            "application/apply-patch+yaml",
            b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata: {a: b}\n",
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": {"a": "b"}},
        ),
    ],
)
async def test_patches_are_written_as_they_were_sent(registry, content_type, body, recorded):
    async with audited(registry, WITHOUT_MANAGED_FIELDS) as (api, kept):
        await api.post(CONFIG_MAPS, json={"metadata": {"name": "it"}})
        answer = await api.patch(
            f"{CONFIG_MAPS}/it?fieldManager=t&force=true" if "apply" in content_type else f"{CONFIG_MAPS}/it",
            content=body, headers={"content-type": content_type},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        event = kept.events("ResponseComplete")[-1]
        assert event["verb"] == "patch"
        assert event["requestObject"] == (json.loads(body) if recorded is None else recorded)
        assert event["responseObject"]["data"] == {"a": "b"}
        assert "managedFields" not in event["responseObject"]["metadata"]


async def test_what_is_sent_as_yaml_is_written_as_json(registry):
    async with audited(registry, EVERYTHING) as (api, kept):
        await api.post(
            CONFIG_MAPS, content=b"data: {a: b}\nmetadata:\n  name: y\n", headers={"content-type": "application/yaml"}
        )
        event = kept.events("ResponseComplete")[-1]
        assert event["requestObject"]["metadata"] == {"name": "y"}
        assert event["responseObject"]["metadata"]["managedFields"]


async def test_an_object_that_is_too_large_is_left_out_of_its_line(registry):
    async with audited(registry, EVERYTHING) as (api, kept):
        big = {
            "metadata": {"name": "big", "annotations": {"a": "x" * 200_000}},
            "data": {"a": "x" * 1_040_000},
            "binaryData": {"b": "eHh4eHh4eHh4eHh4" * 500},
        }
        assert (await api.post(CONFIG_MAPS, json=big)).status_code == 201
        event = kept.events("ResponseComplete")[-1]
        assert (event["responseStatus"]["code"], "requestObject" in event) == (201, False)


async def test_no_secret_and_no_token_is_ever_written(registry):
    async with audited(registry, EVERYTHING) as (api, kept):
        secret = {"metadata": {"name": "s"}, "stringData": {"password": "hush-hush"}}
        await api.post(SECRETS, json=secret)
        await api.get(SECRETS)
        await api.get(f"{SECRETS}/s", headers={"accept": "application/yaml"})
        await api.put(f"{SECRETS}/s", json={**secret, "stringData": {"password": "hush-hush", "b": "quite-quiet"}})
        await api.patch(
            f"{SECRETS}/s",
            json={"stringData": {"c": "hush-hush"}},
            headers={"content-type": "application/merge-patch+json"},
        )
        await api.post(SECRETS, json={"metadata": {"name": "t"}, "stringData": {"password": ["hush-hush"]}})
        await api.post("/apis/authentication.k8s.io/v1/tokenreviews", json={"spec": {"token": "hush-hush"}})
        listed = {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret", **secret}]}
        await api.post("/apis/fairlead.io/v1/apply", json=listed)
        await api.get(f"{SERVICES}?access_token=hush-hush&limit=1")
        await api.get(SERVICES, headers={"authorization": "Bearer hush-hush"})
        await api.delete(f"{SECRETS}/s")
        assert len(kept.events("ResponseComplete")) == 11
        for hidden in (
            b"hush-hush",
            b64encode(b"hush-hush"),
            b"quite-quiet",
            b64encode(b"quite-quiet"),
            b"admin-secret",
        ):
            assert hidden not in kept.content
        assert "access_token=***&limit=1" in kept.content.decode()


async def test_a_watch_is_written_when_it_begins_and_when_it_ends(registry):
    async with audited(registry, EVERYTHING) as (api, kept):
        async with api.stream("GET", SERVICES, params={"watch": "1"}) as stream:
            assert [event["stage"] for event in kept.events()] == ["RequestReceived", "ResponseStarted"]
            await stream.aclose()
        async with asyncio.timeout(60):
            while not kept.events("ResponseComplete"):
                await asyncio.sleep(0.01)
        assert {event["verb"] for event in kept.events()} == {"watch"}


async def test_an_event_is_written_before_the_request_is_carried_out_and_before_it_is_answered(registry):
    async with audited(registry, EVERYTHING) as (api, kept):
        await api.post(CONFIG_MAPS, json={"metadata": {"name": "it"}})
        # No moment passes between the answer and this.
        assert [event["stage"] for event in kept.events()] == ["RequestReceived", "ResponseComplete"]
        assert "responseStatus" not in kept.events()[0]


async def test_whatever_a_path_has_a_line_is_json(registry):
    async with audited(registry) as (api, kept):
        await api.get(f'{CONFIG_MAPS}/a%22b%5C%0A"é')
        (event,) = kept.events()
        assert event["objectRef"]["name"] == 'a"b\\\n"é'
        assert event["requestURI"].startswith(f"{CONFIG_MAPS}/a%22b%5C%0A")


@pytest.mark.parametrize("ends", [b"connection: close\r\n\r\n", b"\r\n" + b"no request\r\n\r\n"])
async def test_answers_of_one_connection_keep_their_order_and_none_is_lost(registry, ends):
    """The log holds an answer back for a moment, in which other things may happen to the connection."""
    async with audited(registry) as (api, kept):
        reader, writer = await asyncio.open_connection(api.base_url.host, api.base_url.port)
        head = f"GET {CONFIG_MAPS}/none HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin-secret\r\n".encode()
        writer.write((head + b"\r\n") * 2 + head + ends)
        answered = await reader.read()
        writer.close()
        codes = re.findall(rb"HTTP/1.1 (\d+)", answered)
        assert codes == [b"404"] * 3
        assert answered.count(b'"reason":"NotFound"') == len(kept.events()) == 3


async def test_documents_and_probes_are_written_too(registry):
    async with audited(registry) as (api, kept):
        for path in ("/api", "/version", "/healthz", "/openapi/v2"):
            assert (await api.get(path)).status_code == 200
        assert [(event["requestURI"], event["responseStatus"]["code"]) for event in kept.events()] == [
            ("/api", 200), ("/version", 200), ("/healthz", 200), ("/openapi/v2", 200),
        ]  # fmt: skip
        assert not any("objectRef" in event for event in kept.events())


async def test_a_full_disk_ends_in_refusals_where_that_is_wanted(registry):
    async with audited(registry, mode="blocking-strict") as (api, kept):
        kept.is_full = True
        assert (await api.get(SERVICES)).status_code == 200  # nobody knew before
        refused = await api.post(SERVICES, json=alias("web"))
        assert (refused.status_code, refused.json()["reason"]) == (503, "ServiceUnavailable")
        assert "audit log" in refused.json()["message"]
        assert refused.headers["retry-after"]
        kept.is_full = False
        assert (await api.get(f"{SERVICES}/web")).status_code == 404
        codes = [event["responseStatus"]["code"] for event in kept.events()]
        assert codes == [200, 503, 404]


async def test_a_full_disk_holds_up_nobody_where_that_is_wanted(registry):
    async with audited(registry) as (api, kept):
        kept.is_full = True
        assert (await api.post(SERVICES, json=alias("web"))).status_code == 201
        metrics = (await api.get("/metrics")).text
        (errors,) = [line for line in metrics.splitlines() if line.startswith("apiserver_audit_error_total{")]
        assert float(errors.split()[-1]) >= 1
        kept.is_full = False
        await api.get(f"{SERVICES}/web")
        assert [event["verb"] for event in kept.events()] == ["create", "get", "get"]


async def test_a_policy_leaves_out_what_it_names(registry):
    policy = AuditPolicy(
        (
            AuditRule(Decision(Level.NONE), verbs=frozenset({"get"})),
            AuditRule(Decision(Level.METADATA, frozenset({"ResponseComplete"}))),
        )
    )
    async with audited(registry, policy) as (api, kept):
        answer = await api.get(f"{CONFIG_MAPS}/none")
        assert "audit-id" not in answer.headers
        await api.get(CONFIG_MAPS)
        assert [(event["verb"], event["stage"]) for event in kept.events()] == [("list", "RequestReceived")]


async def test_a_defect_is_written_as_one(registry, monkeypatch):
    async with audited(registry) as (api, kept):
        monkeypatch.setattr("app.api.documents.Documents.answer", broken)
        assert (await api.get("/version")).status_code == 500
        (event,) = kept.events()
        assert (event["stage"], event["responseStatus"]["code"]) == ("Panic", 500)


async def broken(*_):
    raise ZeroDivisionError


async def test_the_end_of_the_log_is_for_whoever_has_the_right(registry):
    async with audited(registry) as (api, kept):
        for number in range(3):
            assert (await api.get(f"{SERVICES}/nobody-{number}", headers=ADMIN)).status_code == 404
        kept.content += b'{"broken'
        told = (await api.get("/logs/audit?limit=2", headers=ADMIN)).json()
        assert (told["place"], told["readable"]) == ("memory", True)
        assert [event["objectRef"]["name"] for event in told["events"]] == ["nobody-2", "nobody-1"]
        assert (await api.post(SERVICES, json=alias("written"))).status_code == 201
        written = (await api.get("/logs/audit?writes=true")).json()["events"]
        assert [event["verb"] for event in written] == ["create"]
        assert (await api.get("/logs/audit", headers={"authorization": "Bearer bob-secret"})).status_code == 403
        async with httpx.AsyncClient(base_url=api.base_url, timeout=60) as stranger:
            assert (await stranger.get("/logs/audit")).status_code == 403
