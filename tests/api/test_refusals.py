import asyncio
import json
import socket

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from app.api.limits import Limits
from app.credentials.tokens import Token
from app.domain.user import User
from tests.api.conftest import serving, token_access
from tests.api.objects import SERVICES, alias, created

DEADLINE = 60
UNFINISHED = (
    f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
).encode()
"""The beginning of a request whose body never comes."""


async def refused(answer, code, reason):
    assert answer.status_code == code, answer.text
    status = answer.json()
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
    assert (status["code"], status["reason"]) == (code, reason)
    assert status["message"]
    return status


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/v2",
        "/api/v1/nothing",
        "/apis/nothing.example.com/v1",
        "/api/v1/namespaces/default/services/web/nothing",
        "/api/v1/namespaces/default/services/web/status/more",
        "/api/v1/namespaces//services",
        "/api/v1/services/web",
        "/openapi/v3/apis/nothing/v1",
        "/docs/nothing.js",
    ],
)
async def test_unknown_paths_are_not_found(api, path):
    await refused(await api.get(path), 404, "NotFound")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", f"{SERVICES}/web", "GET, PUT, PATCH, DELETE"),
        ("PATCH", SERVICES, "GET, POST, DELETE"),
        ("HEAD", SERVICES, "GET, POST, DELETE"),
        ("PUT", "/apis/fairlead.io/v1/namespaces/default/dnsrecordsets/web", "GET"),
        ("DELETE", f"{SERVICES}/web/status", "GET, PUT, PATCH"),
    ],
)
async def test_methods_that_are_not_offered_are_refused(api, method, path, allowed):
    answer = await api.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


async def test_all_namespaces_are_for_reading(api):
    await refused(await api.post("/api/v1/services", json=alias("web")), 405, "MethodNotAllowed")
    await refused(await api.delete("/api/v1/services"), 405, "MethodNotAllowed")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
async def test_what_a_browsers_page_can_send_unasked_is_refused(api, media_type):
    headers = {"origin": "http://elsewhere.example"} | ({} if media_type is None else {"content-type": media_type})
    answer = await api.post(SERVICES, content=b'{"metadata":{"name":"web"}}', headers=headers)
    await refused(answer, 415, "UnsupportedMediaType")
    answer = await api.request("DELETE", f"{SERVICES}/web", content=b"{}", headers=headers)
    await refused(answer, 415, "UnsupportedMediaType")


async def test_a_body_without_a_media_type_is_json(api):
    answer = await api.post(SERVICES, content=b'{"metadata":{"name":"web"},"spec":{"ports":[{"port":80}]}}')
    assert answer.status_code == 201, answer.text
    answer = await api.request("DELETE", f"{SERVICES}/web", content=b'{"preconditions":{"uid":"other"}}')
    await refused(answer, 409, "Conflict")
    answer = await api.patch(f"{SERVICES}/web", content=b"{}")
    await refused(answer, 415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    "accept",
    ["text/html", "application/xml", "application/json;as=Chair;v=v1;g=meta.k8s.io", "application/json," * 1000],
    ids=lambda accept: accept[:40],
)
async def test_what_cannot_be_written_is_not_acceptable(api, accept):
    await refused(await api.get(SERVICES, headers={"accept": accept}), 406, "NotAcceptable")
    await refused(await api.get("/apis", headers={"accept": accept}), 406, "NotAcceptable")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"metadata": 5}',
        b'{"kind": "Pod", "metadata": {"name": "web"}}',
        b'{"apiVersion": "v2", "metadata": {"name": "web"}}',
        b'{"metadata": {"name": "web", "namespace": "other"}}',
        b"[" * 5000,
        b'{"spec": {"healthCheckNodePort": 1e400}}',
        b'{"spec": {"healthCheckNodePort": 99999999999999999999999}}',
    ],
)
async def test_bodies_without_meaning_are_bad_requests(api, body):
    answer = await api.post(SERVICES, content=body, headers={"content-type": "application/json"})
    await refused(answer, 400, "BadRequest")


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "many"},
        {"resourceVersion": "new"},
        {"labelSelector": "=="},
        {"fieldSelector": "spec.nothing=1"},
        {"continue": "here"},
        {"watch": "1", "timeoutSeconds": "1.5"},
    ],
)
async def test_parameters_without_meaning_are_bad_requests(api, params):
    await refused(await api.get(SERVICES, params=params), 400, "BadRequest")


async def test_a_body_may_only_be_so_large(api, registry):
    async with serving(registry, limits=Limits(body_bytes=1000)) as (url, _), httpx.AsyncClient(base_url=url) as other:
        body = alias("web", annotations={"note": "x" * 1000})
        await refused(await other.post(SERVICES, json=body), 413, "RequestEntityTooLarge")

        async def pieces():
            for _ in range(50):
                yield b"x" * 100

        answer = await other.post(SERVICES, content=pieces(), headers={"content-type": "application/json"})
        await refused(answer, 413, "RequestEntityTooLarge")
        assert (await api.get(SERVICES)).json()["items"] == []
        assert (await other.post(SERVICES, json=alias("web"))).status_code == 201


async def test_a_request_may_only_take_so_long(registry):
    limits = Limits(request_seconds=0.3)
    async with serving(registry, limits=limits) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        reader, slow = await asyncio.open_connection(host, int(port))
        slow.write(UNFINISHED)
        async with asyncio.timeout(DEADLINE):
            answer = await reader.readuntil(b"}")
        assert answer.startswith(b"HTTP/1.1 504 ")
        slow.close()


async def test_a_head_may_only_be_so_long_and_take_so_long(registry, monkeypatch):
    monkeypatch.setattr("app.api.protocol.LIMITS", Limits(head_bytes=2000, head_seconds=0.3))
    async with serving(registry) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 3000)
        async with asyncio.timeout(DEADLINE):
            assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
        writer.close()
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: loc"):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(begun)
            async with asyncio.timeout(DEADLINE):
                assert await reader.read() == b""
            writer.close()


async def test_what_is_no_http_is_refused_with_a_status(registry):
    async with serving(registry) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(DEADLINE):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        assert head.startswith(b"HTTP/1.1 400 ")
        status = json.loads(body)
        assert (status["kind"], status["code"], status["reason"]) == ("Status", 400, "BadRequest")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "evil.example.com:8080",
        "127.0.0.1.example.com",
        "10.0.0.1",
        "",
        "[::1].evil.example",
        "[::1]evil.example:80",
        "[::1",
        "[::1%evil.example]",
        "localhost:80.evil.example",
        "localhost:80:80",
        "evil@localhost",
        "x" * 300 + ".localhost",
    ],
)
async def test_without_tokens_only_loopback_names_are_answered(api, host):
    await refused(await api.get(SERVICES, headers={"host": host}), 403, "Forbidden")


async def test_other_headers_may_come_in_several_lines(api):
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    answer = await api.get(SERVICES, headers=[("accept", "text/plain"), ("accept", table), ("accept", "text/html")])
    assert answer.json()["kind"] == "Table"


@pytest.mark.parametrize(
    "host", ["localhost:80", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9:1", "[::1]:80", "[::1]"]
)
async def test_loopback_names_are_answered(api, host):
    assert (await api.get(SERVICES, headers={"host": host})).status_code == 200


async def test_with_tokens_only_their_bearers_are_answered(registry):
    users = User("ann", "1", ("dev", "system:masters")), User("bob", "2", ("system:masters",))
    access = token_access(Token("first-secret", users[0]), Token("second-secret", users[1]))
    async with serving(registry, access=access) as (url, _), httpx.AsyncClient(base_url=url) as api:
        for value in ("", "Bearer", "Basic Zmlyc3Qtc2VjcmV0"):
            await refused(await api.get(SERVICES, headers={"authorization": value}), 403, "Forbidden")
        for value in ("Bearer wrong", "Bearer first-secret2"):
            answer = await api.get(SERVICES, headers={"authorization": value})
            await refused(answer, 401, "Unauthorized")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for secret in ("first-secret", "second-secret"):
            answer = await api.get(SERVICES, headers={"authorization": f"bearer {secret}", "host": "api.example.com"})
            assert answer.status_code == 200
        for path in ("/healthz", "/livez", "/readyz", "/version", "/docs", "/openapi.json"):
            assert (await api.get(path)).status_code == 200
        for path in ("/metrics", "/api", "/openapi/v2", "/nothing", "/docsandmore"):
            assert (await api.get(path)).status_code == 403
        paths = (await api.get("/openapi.json")).json()["paths"]
        open_paths = {path for path, methods in paths.items() if methods.get("get", {}).get("security") == []}
        assert open_paths == {"/healthz", "/livez", "/readyz", "/version"}
        review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
        answer = await api.post(
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            json=review,
            headers={"authorization": "Bearer first-secret"},
        )
        assert answer.json()["status"]["userInfo"] == {
            "username": "ann",
            "uid": "1",
            "groups": ["dev", "system:masters", "system:authenticated"],
        }


async def test_a_defect_is_a_status_and_is_logged(api, registry, monkeypatch):
    async def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(registry, "get", broken)
    monkeypatch.setattr("app.api.edge._log", structlog.get_logger())
    with capture_logs() as logged:
        await refused(await api.get(f"{SERVICES}/web"), 500, "InternalError")
    (line,) = logged
    assert (line["event"], line["exc_info"], line["path"]) == ("request failed", True, f"{SERVICES}/web")


async def test_a_half_sent_request_leaves_nothing(api, base_url):
    host, port = base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as gone:
        gone.sendall(UNFINISHED)
    assert (await api.get(SERVICES)).json()["items"] == []
    await created(api, "web")


PATCHES = {
    "application/merge-patch+json": b'{"metadata":{"uid":"other"}}',
    "application/strategic-merge-patch+json": b'{"metadata":{"uid":"other"}}',
    "application/json-patch+json": b'[{"op":"replace","path":"/metadata/uid","value":"other"}]',
    "application/apply-patch+yaml": (
        b'{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","uid":"other"},'
        b'"spec":{"type":"ExternalName","externalName":"web.example.com"}}'
    ),
}


@pytest.mark.parametrize("media_type", PATCHES)
async def test_no_patch_changes_a_uid(api, media_type):
    """A conflict would be sent again by clients that retry, and never end."""
    await created(api, "web")
    query = "?fieldManager=test&force=true" if "apply" in media_type else ""
    answer = await api.patch(
        f"{SERVICES}/web{query}", content=PATCHES[media_type], headers={"content-type": media_type}
    )
    status = await refused(answer, 422, "Invalid")
    assert [cause["field"] for cause in status["details"]["causes"]] == ["metadata.uid"]


@pytest.mark.parametrize(
    ("field", "value"), [("deletionTimestamp", "2026-01-01T00:00:00Z"), ("deletionGracePeriodSeconds", 30)]
)
async def test_no_update_begins_a_deletion(api, field, value):
    made = await created(api, "web", finalizers=["example.com/hold"])
    for answer in (
        await api.patch(
            f"{SERVICES}/web",
            json={"metadata": {field: value}},
            headers={"content-type": "application/merge-patch+json"},
        ),
        await api.put(f"{SERVICES}/web", json={**made, "metadata": {**made["metadata"], field: value}}),
    ):
        status = await refused(answer, 422, "Invalid")
        assert [cause["field"] for cause in status["details"]["causes"]] == [f"metadata.{field}"]
    going = (await api.delete(f"{SERVICES}/web")).json()["metadata"]
    # What the object has by now may be sent again, and left out.
    for metadata in ({"deletionTimestamp": value if field == "deletionTimestamp" else None}, {"finalizers": None}):
        answer = await api.patch(
            f"{SERVICES}/web",
            json={"metadata": metadata},
            headers={"content-type": "application/merge-patch+json"},
        )
        assert answer.status_code == 200
        assert answer.json()["metadata"]["deletionTimestamp"] == going["deletionTimestamp"]


async def test_an_object_of_another_uid_is_not_replaced(api):
    made = await created(api, "web")
    made["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
    await refused(await api.put(f"{SERVICES}/web", json=made), 409, "Conflict")


async def test_a_generation_is_kept_and_never_negative(api):
    assert (await created(api, "web", generation=7))["metadata"]["generation"] == 7
    answer = await api.post(SERVICES, json=alias("minus", generation=-1))
    status = await refused(answer, 422, "Invalid")
    assert [cause["field"] for cause in status["details"]["causes"]] == ["metadata.generation"]
