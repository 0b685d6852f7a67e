"""Watches over WebSocket, with the client of the library `websockets`."""

import asyncio
import base64
import json
import socket
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from app.api.limits import Limits
from app.credentials.tokens import Token
from app.domain.user import User
from tests.api.conftest import serving, token_access
from tests.api.objects import SERVICES, created

DEADLINE = 60
SILENT = f"{SERVICES}?watch=1&labelSelector=absent"
IN_PROTOCOL = "base64url.bearer.authorization.k8s.io."


@asynccontextmanager
async def watching(base_url, path=f"{SERVICES}?watch=1", **options):
    """A watch; gives the connection."""
    async with asyncio.timeout(DEADLINE), connect(base_url.replace("http", "ws") + path, **options) as connection:
        yield connection


async def event(connection):
    received = await connection.recv()
    assert isinstance(received, str)
    found = json.loads(received)
    return found["type"], found["object"]["metadata"]["name"]


async def refusal(base_url, *args, **options):
    """The code of the answer that refuses a handshake, and the reason in its Status."""
    with pytest.raises(InvalidStatus) as refused:
        async with watching(base_url, *args, **options):
            pass
    response = refused.value.response
    status = json.loads(response.body)
    assert (status["kind"], status["code"]) == ("Status", response.status_code)
    return response.status_code, status["reason"]


async def test_each_event_is_a_text_message(api, base_url):
    await created(api, "first")
    async with watching(base_url) as connection:
        assert await event(connection) == ("ADDED", "first")
        await created(api, "second")
        assert await event(connection) == ("ADDED", "second")
        assert (await api.delete(f"{SERVICES}/first")).is_success
        assert await event(connection) == ("DELETED", "first")


async def test_a_whole_collection_and_its_bookmark_come_as_they_do_over_http(api, base_url):
    names = {f"s{number}" for number in range(20)}
    for name in names:
        await created(api, name)
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with watching(base_url, f"{SERVICES}?{query}") as connection:
        assert {(await event(connection))[1] for _ in names} == names
        assert json.loads(await connection.recv())["type"] == "BOOKMARK"


async def test_a_path_can_ask_for_a_watch_and_a_header_for_a_table(api, base_url):
    await created(api, "first")
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    path = "/api/v1/watch/namespaces/default/services"
    async with watching(base_url, path, additional_headers=accept) as connection:
        assert json.loads(await connection.recv())["object"]["kind"] == "Table"


@pytest.mark.parametrize("offered", [["base64.binary.k8s.io"], ["v4.channel.k8s.io", "base64.channel.k8s.io"]])
async def test_a_protocol_that_is_offered_changes_nothing(api, base_url, offered):
    """As in Kubernetes: a watch has no channels, and text needs no base64."""
    await created(api, "first")
    async with watching(base_url, subprotocols=offered) as connection:
        assert connection.subprotocol == offered[0]
        assert await event(connection) == ("ADDED", "first")


async def test_a_watch_ends_when_its_time_is_up(base_url):
    async with watching(base_url, f"{SILENT}&timeoutSeconds=1") as connection:
        with pytest.raises(ConnectionClosedOK):
            await connection.recv()


async def test_a_watch_that_cannot_begin_says_so(base_url):
    assert await refusal(base_url, SERVICES) == (400, "BadRequest")
    assert await refusal(base_url, "/version") == (400, "BadRequest")
    assert await refusal(base_url, "/livez") == (400, "BadRequest")
    assert await refusal(base_url, "/api/v1/nothing?watch=1") == (404, "NotFound")
    assert await refusal(base_url, f"{SERVICES}?watch=1&fieldSelector=spec.nothing%3D1") == (400, "BadRequest")
    assert await refusal(base_url, f"{SERVICES}?watch=1&resourceVersion=9999999999") == (504, "Timeout")


async def test_without_tokens_only_pages_of_loopback_may_watch(api, base_url):
    await created(api, "first")
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "http://[::1].evil.example"):
        assert await refusal(base_url, origin=origin) == (403, "Forbidden")
    for origin in ("http://localhost:3000", "https://[::1]", "http://127.0.0.1:8080"):
        async with watching(base_url, origin=origin) as connection:
            assert await event(connection) == ("ADDED", "first")


async def test_a_token_comes_as_a_header_or_as_a_protocol(api, registry):
    await created(api, "first")
    offered = IN_PROTOCOL + base64.urlsafe_b64encode(b"se+cr/et~").decode().rstrip("=")
    access = token_access(Token("se+cr/et~", User("ann", groups=("system:masters",))))
    async with serving(registry, access=access) as (url, _):
        assert await refusal(url) == (403, "Forbidden")
        for wrong in ("d3Jvbmc", "!", "d3Jvb"):
            assert await refusal(url, subprotocols=[IN_PROTOCOL + wrong, "other"]) == (401, "Unauthorized")
        assert await refusal(url, subprotocols=[offered, offered, "other"]) == (400, "BadRequest")
        bearer = {"Authorization": "Bearer se+cr/et~"}
        async with watching(url, additional_headers=bearer, origin="https://console.example") as connection:
            assert await event(connection) == ("ADDED", "first")
        async with watching(url, subprotocols=[offered, "base64.binary.k8s.io"]) as connection:
            assert connection.subprotocol == "base64.binary.k8s.io"
            assert await event(connection) == ("ADDED", "first")


async def test_a_watch_goes_over_tls(api, registry, tls):
    await created(api, "first")
    server, client = tls
    async with serving(registry, tls=server) as (url, _):
        assert await refusal(url, SERVICES, ssl=client) == (400, "BadRequest")
        async with watching(url, ssl=client) as connection:
            assert await event(connection) == ("ADDED", "first")


async def test_what_a_client_sends_is_forgotten(api, base_url):
    async with watching(base_url) as connection:
        await connection.send("hello")
        await connection.send(b"x" * 1000)
        await connection.send(["in ", "", "parts"])
        await (await connection.ping())
        await created(api, "first")
        assert await event(connection) == ("ADDED", "first")
        await connection.send(b"x" * 100_000)
        with pytest.raises(ConnectionClosedError):
            await connection.recv()


async def test_a_client_that_sends_much_at_once_is_sent_away(base_url):
    """However small its messages are, since each costs time to parse."""
    async with watching(base_url, SILENT) as connection:
        connection.transport.write(b"\x81\x80mask" * 100_000)
        with pytest.raises(ConnectionClosedError):
            await connection.recv()


async def test_a_stopping_server_ends_its_watches(registry):
    async with serving(registry) as (url, stopping), watching(url, SILENT) as connection:
        stopping.set()
        with pytest.raises(ConnectionClosed):
            await connection.recv()


async def test_a_client_that_goes_away_frees_its_watch(registry):
    async with serving(registry, limits=Limits(watches=1)) as (url, _):
        async with watching(url):
            assert await refusal(url) == (429, "TooManyRequests")
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    async with watching(url):
                        break
                except InvalidStatus:
                    await asyncio.sleep(0.02)


async def test_a_watcher_that_does_not_read_is_cut_off(api, registry):
    async with serving(registry, send_buffer=8192, limits=Limits(unread_seconds=0.5)) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((host, int(port)))
            deaf.sendall(HANDSHAKE)
            for number in range(10):
                await created(api, f"s{number}", annotations={"note": "x" * 200_000})
            async with asyncio.timeout(DEADLINE):
                while deaf.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01":
                    await asyncio.sleep(0.05)


HANDSHAKE = (
    f"GET {SERVICES}?watch=1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
).encode()


@pytest.mark.parametrize(
    ("changed", "to", "code"),
    [
        (b"Version: 13", b"Version: 7", b"400"),
        (b"Key: dGhlIHNhbXBsZSBub25jZQ==", b"Key: short", b"400"),
        (b"Host: localhost", b"Host: localhost\r\nX-Long: " + b"x" * 20_000, b"431"),
        (b"Host: localhost", b"Host: localhost\r\nHost: localhost", b"400"),
        (b"GET", b"POST", b"400"),
    ],
)
async def test_a_handshake_that_is_none_is_refused(base_url, changed, to, code):
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(HANDSHAKE.replace(changed, to))
    async with asyncio.timeout(DEADLINE):
        assert (await reader.readline()).split(b" ")[1] == code
    writer.close()


async def test_a_connection_becomes_a_websocket_only_when_it_owes_no_answer(base_url):
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n" + HANDSHAKE)
    async with asyncio.timeout(DEADLINE):
        received = await reader.read()
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b" 101 " not in received
    writer.close()
