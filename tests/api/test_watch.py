import asyncio
import json
import socket
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from app.api.limits import Limits
from app.api.protocol import BoundedProtocol
from app.credentials.tokens import Token
from app.domain.user import User
from tests.api.conftest import serving, token_access
from tests.api.objects import SERVICES, alias, created

DEADLINE = 60


@asynccontextmanager
async def watching(api, path=SERVICES, headers=None, **params):
    """An open watch, as a function that gives its next event."""
    async with api.stream("GET", path, params={"watch": "true", **params}, headers=headers) as answer:
        assert answer.status_code == 200
        lines = answer.aiter_lines()

        async def event():
            async with asyncio.timeout(DEADLINE):
                return json.loads(await anext(lines))

        yield event


def summary(event):
    return event["type"], event["object"]["metadata"].get("name")


async def test_a_watch_starts_with_what_there_is_and_goes_on(api):
    await created(api, "first")
    async with watching(api) as event:
        assert summary(await event()) == ("ADDED", "first")
        made = await created(api, "second")
        added = await event()
        assert added == {"type": "ADDED", "object": made}
        await api.delete(f"{SERVICES}/first")
        deleted = await event()
        assert summary(deleted) == ("DELETED", "first")
        assert int(deleted["object"]["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


async def test_a_watch_resumes_where_a_list_ended(api):
    await created(api, "before")
    revision = (await api.get(SERVICES)).json()["metadata"]["resourceVersion"]
    await created(api, "after")
    async with watching(api, resourceVersion=revision) as event:
        assert summary(await event()) == ("ADDED", "after")


async def test_selectors_turn_changes_into_entering_and_leaving(api):
    async with watching(api, labelSelector="app=web") as event:
        made = await created(api, "web")
        made["metadata"]["labels"] = {"app": "web"}
        made = (await api.put(f"{SERVICES}/web", json=made)).json()
        assert summary(await event()) == ("ADDED", "web")
        made["metadata"]["labels"] = {"app": "other"}
        await api.put(f"{SERVICES}/web", json=made)
        assert summary(await event()) == ("DELETED", "web")


async def test_a_search_narrows_lists_watches_and_deletions(api):
    async with watching(api, search="WEB app=shop") as event:
        for name in ("web-1", "api-1", "web-2", "web-3"):
            await created(api, name, labels={"app": "shop"})
        made = await created(api, "web-4", labels={"app": "bank"})
        assert [summary(await event())[1] for _ in range(3)] == ["web-1", "web-2", "web-3"]
        made["metadata"]["labels"] = {"app": "shop"}
        await api.put(f"{SERVICES}/web-4", json=made)
        assert summary(await event()) == ("ADDED", "web-4")
    first = (await api.get(SERVICES, params={"search": "web", "limit": 2})).json()
    rest = {"search": "web", "limit": 2, "continue": first["metadata"]["continue"]}
    last = (await api.get(SERVICES, params=rest)).json()
    assert [item["metadata"]["name"] for item in first["items"]] == ["web-1", "web-2"]
    assert [item["metadata"]["name"] for item in last["items"]] == ["web-3", "web-4"]
    assert "continue" not in last["metadata"]
    assert (await api.get(SERVICES, params={"search": "x" * 201})).status_code == 400
    await api.delete(SERVICES, params={"search": "web"})
    assert [item["metadata"]["name"] for item in (await api.get(SERVICES)).json()["items"]] == ["api-1"]


async def test_initial_events_end_with_a_bookmark(api):
    await created(api, "first")
    params = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with watching(api, **params) as event:
        assert summary(await event()) == ("ADDED", "first")
        end = await event()
        assert (end["type"], end["object"]["kind"]) == ("BOOKMARK", "Service")
        assert end["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert int(end["object"]["metadata"]["resourceVersion"]) > 0


@pytest.mark.parametrize("version", [{}, {"resourceVersion": "0"}])
async def test_a_watch_may_begin_without_what_there_is(api, version):
    await created(api, "first")
    # A watch at 0 begins with whatever the process has: a current read makes sure that it has the first one.
    assert (await api.get(f"{SERVICES}/first")).is_success
    async with watching(api, sendInitialEvents="false", resourceVersionMatch="NotOlderThan", **version) as event:
        await created(api, "second")
        assert summary(await event()) == ("ADDED", "second")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"watch": "1", "sendInitialEvents": "true"}, "resourceVersionMatch"),
        ({"watch": "1", "sendInitialEvents": "false"}, "resourceVersionMatch"),
        ({"watch": "1", "resourceVersionMatch": "NotOlderThan", "resourceVersion": "1"}, "resourceVersionMatch"),
        ({"sendInitialEvents": "true"}, "sendInitialEvents"),
    ],
)
async def test_initial_events_are_asked_for_consistently(api, options, field):
    refused = await api.get(SERVICES, params=options)
    assert refused.status_code == 422
    assert [cause["field"] for cause in refused.json()["details"]["causes"]] == [field]


async def test_a_watch_ends_when_its_time_is_up(api):
    await created(api, "first")
    async with asyncio.timeout(DEADLINE):
        answer = await api.get(SERVICES, params={"watch": "1", "timeoutSeconds": "1"})
    assert [summary(json.loads(line)) for line in answer.text.splitlines()] == [("ADDED", "first")]


async def test_one_object_is_watched_by_its_name(api):
    async with (
        watching(api, fieldSelector="metadata.name=web") as by_field,
        watching(api, path="/api/v1/watch/namespaces/default/services/web") as by_path,
    ):
        await created(api, "other")
        await created(api, "web")
        assert summary(await by_field()) == ("ADDED", "web")
        assert summary(await by_path()) == ("ADDED", "web")


BY_NAME = {"fieldSelector": "metadata.name=web"}


@pytest.mark.parametrize(
    "selected",
    [BY_NAME, {**BY_NAME, "labelSelector": "app=web"}, {"fieldSelector": "spec.type=ExternalName,metadata.name=web"}],
)
async def test_an_object_that_is_watched_by_its_name_enters_and_leaves(api, selected):
    """With what else is selected, and whether it was there when the watch began."""
    await created(api, "web", labels={"app": "web"})
    await created(api, "wedge", labels={"app": "web"})
    merge = {"content-type": "application/merge-patch+json"}
    change = {"metadata": {"labels": {"app": None}}}
    async with watching(api, **selected) as event:
        assert summary(await event()) == ("ADDED", "web")
        for name in ("wedge", "web"):
            assert (await api.patch(f"{SERVICES}/{name}", json=change, headers=merge)).status_code == 200
        assert summary(await event()) == ("DELETED" if "labelSelector" in selected else "MODIFIED", "web")


async def test_a_revision_of_the_future_is_refused(api):
    """In the words by which client-go knows that it has to list anew, without a revision."""
    verbs = ({"watch": "1"}, {}, {"resourceVersionMatch": "Exact"}, {"resourceVersionMatch": "NotOlderThan"})
    asking = (api.get(SERVICES, params={"resourceVersion": "9999999999", **verb}) for verb in verbs)
    for answer in await asyncio.gather(*asking):
        status = answer.json()
        assert (answer.status_code, status["code"], status["reason"]) == (504, 504, "Timeout")
        assert status["details"]["causes"] == [
            {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        ]
        assert status["details"]["retryAfterSeconds"] == 1
        assert answer.headers["retry-after"] == "1"


async def test_a_watch_may_be_read_as_a_table(api):
    accept = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    async with watching(api, headers=accept) as event:
        await created(api, "first")
        await created(api, "second")
        first, second = (await event())["object"], (await event())["object"]
        assert first["kind"] == second["kind"] == "Table"
        assert [column["name"] for column in first["columnDefinitions"]][:3] == ["Name", "Type", "Cluster-IP"]
        assert second["columnDefinitions"] is None
        assert [table["rows"][0]["cells"][0] for table in (first, second)] == ["first", "second"]
        assert first["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_a_watch_may_be_read_as_metadata(api):
    accept = {"accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}
    async with watching(api, headers=accept) as event:
        await created(api, "first")
        seen = (await event())["object"]
        assert seen["kind"] == "PartialObjectMetadata"
        assert set(seen) == {"kind", "apiVersion", "metadata"}


async def test_a_stopping_server_ends_its_watches(api, registry):
    async with (
        serving(registry) as (url, stopping),
        httpx.AsyncClient(base_url=url) as other,
        watching(other) as event,
    ):
        await created(api, "first")
        await event()
        stopping.set()
        with pytest.raises(StopAsyncIteration):
            await event()


async def test_watches_beyond_the_limit_are_told_to_come_again(registry):
    async with (
        serving(registry, limits=Limits(watches=1)) as (url, _),
        httpx.AsyncClient(base_url=url) as other,
        watching(other),
    ):
        refused = await other.get(SERVICES, params={"watch": "1"})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert (await other.get(SERVICES)).status_code == 200


async def test_watches_of_one_user_leave_room_for_those_of_others(registry):
    admin = Token("admin-secret", User("admin", "1", ("system:masters",)))
    access = token_access(admin, *(Token(f"{name}-secret", User(name, "2", ("watchers",))) for name in ("ann", "bob")))
    headers = {name: {"authorization": f"Bearer {name}-secret"} for name in ("admin", "ann", "bob")}
    binding = {
        "metadata": {"name": "watchers"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "watchers"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "watchers"}],
    }
    role = {
        "metadata": {"name": "watchers"},
        "rules": [{"apiGroups": [""], "resources": ["services"], "verbs": ["watch"]}],
    }
    group = "/apis/rbac.authorization.k8s.io/v1"
    async with (
        serving(registry, access=access, limits=Limits(user_watches=2)) as (url, _),
        httpx.AsyncClient(base_url=url, timeout=60) as api,
    ):
        for path, body in ((f"{group}/clusterroles", role), (f"{group}/clusterrolebindings", binding)):
            assert (await api.post(path, json=body, headers=headers["admin"])).status_code == 201
        try:
            async with watching(api, headers=headers["bob"]):
                async with watching(api, headers=headers["bob"]):
                    refused = await api.get(SERVICES, params={"watch": "1"}, headers=headers["bob"])
                    assert refused.status_code == 429
                    assert '"bob"' in refused.json()["message"]
                    assert int(refused.headers["retry-after"]) > 0
                    async with watching(api, headers=headers["ann"]), AsyncExitStack() as stack:
                        for _ in range(3):
                            await stack.enter_async_context(watching(api, headers=headers["admin"]))
                    told = (await api.get("/metrics", headers=headers["admin"])).text
                    assert 'fairlead_watches_refused_total{limit="user"}' in told
                async with asyncio.timeout(DEADLINE):
                    while (await _begun(api, headers["bob"])) == 429:
                        await asyncio.sleep(0.01)
        finally:
            for path in (f"{group}/clusterrolebindings/watchers", f"{group}/clusterroles/watchers"):
                await api.delete(path, headers=headers["admin"])


async def _begun(api, headers):
    """The code of a watch that is closed at once."""
    async with api.stream("GET", SERVICES, params={"watch": "1"}, headers=headers) as answer:
        return answer.status_code


async def test_a_watcher_that_does_not_read_is_cut_off_and_hinders_nobody(api, registry):
    async with serving(registry, send_buffer=8192, limits=Limits(unread_seconds=0.5)) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((host, int(port)))
            deaf.sendall(f"GET {SERVICES}?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            async with httpx.AsyncClient(base_url=url, timeout=60) as other, watching(other) as event:
                for number in range(10):
                    await created(api, f"s{number}", annotations={"note": "x" * 200_000})
                assert [summary(await event())[1] for _ in range(10)] == [f"s{number}" for number in range(10)]
            async with asyncio.timeout(DEADLINE):
                while _is_established(deaf):
                    await asyncio.sleep(0.05)


async def test_a_connection_that_is_closed_already_can_be_cut(base_url):
    host, port = base_url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    await writer.wait_closed()
    protocol = BoundedProtocol.__new__(BoundedProtocol)
    protocol.transport = writer.transport
    protocol._abort()


def _is_established(connection):
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01"


async def test_a_client_that_goes_away_frees_its_watch(registry):
    async with serving(registry, limits=Limits(watches=1)) as (url, _), httpx.AsyncClient(base_url=url) as api:
        async with watching(api):
            pass
        async with asyncio.timeout(DEADLINE):
            while (await api.get(SERVICES, params={"watch": "1", "timeoutSeconds": "1"})).status_code == 429:
                await asyncio.sleep(0.05)


async def test_an_empty_watch_is_answered_at_once(api):
    async with asyncio.timeout(DEADLINE), watching(api):
        pass
    assert (await api.post(SERVICES, json=alias("later"))).status_code == 201
