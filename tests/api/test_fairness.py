"""Users who want more than there is, and others beside them."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from app.api.limits import Limits
from app.credentials.tokens import Token
from app.domain.user import User
from tests.api.conftest import serving, token_access
from tests.api.objects import SERVICES, alias

DEADLINE = 60
USERS = ("ann", "bob")
ACCESS = token_access(*(Token(name, User(name, groups=("system:authenticated", "team"))) for name in USERS))
RBAC = "/apis/rbac.authorization.k8s.io/v1"
BINDING = {
    "metadata": {"name": "team"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "team"}],
}
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"


@pytest.fixture(scope="module", autouse=True)
async def rights(registry):
    """The team may do everything, and is not in system:masters."""
    async with serving(registry) as (url, _), httpx.AsyncClient(base_url=url) as api:
        assert (await api.post(f"{RBAC}/clusterrolebindings", json=BINDING)).status_code in (201, 409)
        yield
        await api.delete(SERVICES)
        await api.delete(LEASES)
        await api.delete(f"{RBAC}/clusterrolebindings/team")


@asynccontextmanager
async def users(registry, **limits):
    """A server with limits; gives its address, and a client of each user."""
    async with AsyncExitStack() as stack:
        url, _ = await stack.enter_async_context(serving(registry, access=ACCESS, limits=Limits(**limits)))
        clients = [httpx.AsyncClient(base_url=url, timeout=60, headers=bearer(name)) for name in USERS]
        for client in clients:
            await stack.enter_async_context(client)
        yield url, *clients


def bearer(name):
    return {"authorization": f"Bearer {name}"}


async def connect(url):
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def begin_write(url, name, stack):
    """A write whose body never comes."""
    reader, writer = await connect(url)
    head = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {name}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{".encode())
    await writer.drain()
    stack.callback(writer.close)
    return reader, writer


async def metric(api, wanted):
    lines = (await api.get("/metrics")).text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(wanted)), 0.0)


async def eventually(condition):
    async with asyncio.timeout(DEADLINE):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_whoever_sends_too_many_at_once_is_refused_and_others_are_not(registry):
    async with users(registry, writes=4, user_waiting=3) as (url, ann, bob), AsyncExitStack() as stack:
        for _ in range(5):  # two have a seat, three wait
            await begin_write(url, "ann", stack)

        async def is_full():
            return (await ann.post(SERVICES, json=alias("never"))).status_code == 429

        await eventually(is_full)
        answer = await ann.post(SERVICES, json=alias("never"))
        status = answer.json()
        assert (answer.status_code, status["reason"], status["kind"]) == (429, "TooManyRequests", "Status")
        assert int(answer.headers["retry-after"]) == status["details"]["retryAfterSeconds"] >= 1
        assert '"ann"' in status["message"]
        assert "write" in status["message"]

        assert (await bob.post(SERVICES, json=alias("bobs"))).status_code == 201
        assert (await ann.get(SERVICES)).status_code == 200
        assert (await ann.post(LEASES, json={"metadata": {"generateName": "held-"}})).status_code == 201
        assert (await ann.get("/readyz")).status_code == 200
        refusals = 'apiserver_flowcontrol_rejected_requests_total{priority_level="write",reason="queue-full"}'
        assert await metric(bob, refusals) >= 2
        for name, expected in (("current_executing_seats", 2), ("current_inqueue_requests", 3)):

            async def is_told(name=name, expected=expected):
                return await metric(bob, f'apiserver_flowcontrol_{name}{{priority_level="write"}}') == expected

            await eventually(is_told)


async def test_those_that_wait_get_their_turn_when_a_seat_is_free(registry):
    async with users(registry, writes=2) as (url, ann, bob), AsyncExitStack() as stack:
        _, slow = await begin_write(url, "ann", stack)

        async def has_seat():
            return await metric(bob, 'apiserver_flowcontrol_current_executing_seats{priority_level="write"}') == 1

        await eventually(has_seat)
        waiting = [asyncio.create_task(ann.post(SERVICES, json=alias(f"later-{number}"))) for number in range(3)]
        assert (await bob.post(SERVICES, json=alias("meanwhile"))).status_code == 201
        assert not any(task.done() for task in waiting)
        slow.close()
        async with asyncio.timeout(DEADLINE):
            assert [(await task).status_code for task in waiting] == [201] * 3
        assert (
            await metric(bob, 'apiserver_flowcontrol_request_wait_duration_seconds_count{priority_level="write"}') >= 3
        )


async def test_a_client_that_goes_away_waits_no_more(registry):
    async with users(registry, writes=2, request_seconds=1.0) as (url, ann, bob), AsyncExitStack() as stack:
        for _ in range(3):
            await begin_write(url, "ann", stack)

        async def nobody_is_left():
            waiting = await metric(bob, 'apiserver_flowcontrol_current_inqueue_requests{priority_level="write"}')
            seated = await metric(bob, 'apiserver_flowcontrol_current_executing_seats{priority_level="write"}')
            return waiting == seated == 0

        await stack.aclose()
        await eventually(nobody_is_left)
        assert (await ann.post(SERVICES, json=alias("after"))).status_code == 201


async def test_a_watch_has_a_seat_until_it_has_begun(registry):
    """One user has one of the two seats of a server that is so small."""
    async with users(registry, reads=1) as (_, ann, _), AsyncExitStack() as stack:
        await ann.post(SERVICES, json=alias("seen"))
        for _ in range(5):
            stream = ann.stream("GET", SERVICES, params={"watch": "1", "fieldSelector": "metadata.name=seen"})
            answer = await stack.enter_async_context(stream)
            async with asyncio.timeout(DEADLINE):
                assert json.loads(await anext(answer.aiter_lines()))["object"]["metadata"]["name"] == "seen"


async def test_one_user_has_only_so_many_connections(registry):
    async with users(registry, user_connections=2) as (url, ann, bob):
        assert (await ann.get(SERVICES)).status_code == 200
        async with httpx.AsyncClient(base_url=url, headers=bearer("ann")) as second:
            assert (await second.get(SERVICES)).status_code == 200
            async with httpx.AsyncClient(base_url=url, headers=bearer("ann")) as third:
                answer = await third.get(SERVICES)
                assert (answer.status_code, answer.headers["connection"]) == (429, "close")
                assert '"ann"' in answer.json()["message"]
            assert (await bob.get(SERVICES)).status_code == 200
            assert await metric(bob, 'fairlead_connections{belongs_to="user"}') >= 3
            assert await metric(bob, 'fairlead_connections_refused_total{limit="user"}') >= 1

        async def is_free():
            async with httpx.AsyncClient(base_url=url, headers=bearer("ann")) as another:
                return (await another.get(SERVICES)).status_code == 200

        await eventually(is_free)


async def test_strangers_at_an_address_do_not_take_the_connections_of_users(registry):
    async with users(registry, source_connections=2) as (url, ann, bob), AsyncExitStack() as stack:
        for client in (ann, bob):
            assert (await client.get(SERVICES)).status_code == 200
        for _ in range(2):
            stack.callback((await connect(url))[1].close)
        reader, writer = await connect(url)
        stack.callback(writer.close)
        async with asyncio.timeout(DEADLINE):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            status = json.loads(await reader.read())
        assert head.startswith("http/1.1 429 ")
        assert "retry-after: 1" in head
        assert (status["reason"], status["code"]) == ("TooManyRequests", 429)
        for client in (ann, bob):
            assert (await client.get(SERVICES)).status_code == 200
        assert await metric(bob, 'fairlead_connections_refused_total{limit="source"}') >= 1


async def test_the_bodies_of_one_user_leave_room_for_others(registry):
    body = json.dumps(alias("large") | {"padding": "x" * 30_000}).encode()
    async with users(registry, bodies_bytes=100_000) as (url, ann, bob), AsyncExitStack() as stack:
        head = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ann\r\n"
        for _ in range(2):
            _, writer = await connect(url)
            stack.callback(writer.close)
            lines = f"Content-Type: application/json\r\nContent-Length: {len(body) + 1}\r\n\r\n"
            writer.write((head + lines).encode() + body)
            await writer.drain()

        async def is_full():
            return (
                await ann.post(SERVICES, content=body, headers={"content-type": "application/json"})
            ).status_code == 429

        await eventually(is_full)
        assert (await bob.post(SERVICES, json=alias("small"))).status_code == 201
        assert await metric(bob, 'fairlead_bodies_refused_total{limit="user"}') >= 1
