"""What a client may send over one connection, byte by byte, and what it gets to read."""

import asyncio
import json
import socket
from contextlib import ExitStack, asynccontextmanager

import httpx
import pytest

from app.api.limits import Limits
from tests.api.conftest import serving
from tests.api.objects import SERVICES, alias

DEADLINE = 60
POST = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
GET = b"GET /version HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
MANY = b"X-Trailer: 1\r\n" * 20_000


@asynccontextmanager
async def connected(base_url):
    """A connection; gives its reader and its writer."""
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(DEADLINE):
            yield reader, writer
    finally:
        writer.close()


async def answer(reader):
    """The next answer: its code, its headers and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
    return int(head.split(" ")[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def endless(writer):
    while True:
        writer.write(b"x" * 100_000)
        await writer.drain()


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


async def test_trailers_are_no_headers_and_leave_the_connection_open(base_url):
    body = json.dumps(alias("web")).encode()
    async with connected(base_url) as (reader, writer):
        for name in ("Content-Type", "Host", "Authorization"):
            writer.write(POST + CHUNKED + chunk(body) + f"0\r\n{name}: evil\r\n\r\n".encode() + GET + b"\r\n")
            code, headers, _ = await answer(reader)
            assert code in (201, 409)
            assert "connection" not in headers
            assert (await answer(reader))[0] == 200
        writer.write(POST + CHUNKED + chunk(body) + b"0\r\nConnection: close\r\n\r\n")
        assert (await answer(reader))[1]["connection"] == "close"
        assert await reader.read() == b""


@pytest.mark.parametrize(
    "sent",
    [
        POST + CHUNKED + b"0\r\n" + MANY,
        POST + CHUNKED + b"0\r\nX-Trailer: " + b"1" * 400_000,
        POST + CHUNKED + b"1;x=" + b"1" * 400_000,
        POST + CHUNKED + b"0" * 400_000,
        POST + CHUNKED + chunk(b"x") * 50_000 + b"0\r\nX-Trailer: " + b"1" * 400_000,
        POST + MANY,
        POST + b"X-Header: " + b"1" * 400_000,
        b"GET /" + b"1" * 400_000,
    ],
    ids=["trailers", "trailer", "extension", "chunk size", "tiny chunks", "headers", "header", "path"],
)
async def test_all_that_is_no_body_has_one_limit(base_url, sent):
    async with connected(base_url) as (reader, writer):
        writer.write(sent)
        code, headers, body = await answer(reader)
        assert code == 431
        assert headers["connection"] == "close"
        assert json.loads(body)["reason"] == "RequestHeaderFieldsTooLarge"
        assert await reader.read() == b""


@pytest.mark.parametrize("more", [b"X-Long: " + b"x" * 70_000 + b"\r\n", b"a: b\r\n" * 250])
async def test_a_whole_head_in_one_piece_has_the_same_limit(base_url, more):
    async with connected(base_url) as (reader, writer):
        writer.write(GET + more + b"\r\n")
        assert (await answer(reader))[0] == 431


async def test_heads_within_the_limits_are_answered(base_url):
    async with connected(base_url) as (reader, writer):
        writer.write(GET + b"X-Long: " + b"x" * 60_000 + b"\r\n" + b"a: b\r\n" * 190 + b"\r\n")
        assert (await answer(reader))[0] == 200
        writer.write(GET)
        for _ in range(190):
            writer.write(b"a: b\r\n")
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"\r\n")
        assert (await answer(reader))[0] == 200


async def test_a_body_may_come_in_pieces_of_one_byte(base_url):
    body = json.dumps(alias("web", annotations={"note": "x" * 30_000})).encode()
    async with connected(base_url) as (reader, writer):
        writer.write(POST + CHUNKED + b"".join(chunk(body[at : at + 1]) for at in range(len(body))) + b"0\r\n\r\n")
        assert (await answer(reader))[0] in (201, 409)
        writer.write(GET + b"\r\n")
        assert (await answer(reader))[0] == 200


@pytest.mark.parametrize(
    "twice", [b"Host: localhost", b"Authorization: Bearer a", b"Content-Type: application/json", b"content-length: 0"]
)
async def test_headers_with_one_value_come_once(base_url, twice):
    async with connected(base_url) as (reader, writer):
        writer.write(GET + twice + b"\r\n" + twice + b"\r\n\r\n")
        code, _, body = await answer(reader)
        assert (code, json.loads(body)["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(("version", "expected"), [(b"1.1", 400), (b"1.0", 403)])
async def test_every_request_names_its_host(base_url, version, expected):
    async with connected(base_url) as (reader, writer):
        writer.write(b"GET /version HTTP/%b\r\n\r\n" % version)
        assert (await answer(reader))[0] == expected


def send_all(base_url, head, chunked, tls=None):
    """Send 20 MB as a blocking client does, then look for the answer."""
    host, port = base_url.partition("://")[2].split(":")
    with ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=DEADLINE))
        if tls is not None:
            connection = stack.enter_context(tls.wrap_socket(connection))
        connection.sendall(head + (CHUNKED if chunked else b"Content-Length: 20000000\r\n\r\n"))
        for _ in range(20):
            piece = b"x" * 1_000_000
            connection.sendall(chunk(piece) if chunked else piece)
        with connection.makefile("rb") as answers:
            return answers.readline() + answers.read1()


async def test_too_large_a_body_is_answered_over_tls_too(registry, tls):
    server, client = tls
    async with serving(registry, tls=server) as (url, _):
        for chunked in (False, True):
            received = await asyncio.to_thread(send_all, url, POST, chunked, client)
            assert received.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n", b"Expect: 100-continue\r\n"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_client_that_sends_too_large_a_body_gets_to_read_so(base_url, more, chunked):
    received = await asyncio.to_thread(send_all, base_url, POST + more, chunked)
    if more.startswith(b"Expect") and chunked:
        received = received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in received
    assert json.loads(received.partition(b"\r\n\r\n")[2])["reason"] == "RequestEntityTooLarge"


async def test_a_client_that_asks_before_it_sends_is_refused_without_sending(base_url):
    async with connected(base_url) as (reader, writer):
        writer.write(POST + b"Content-Length: 20000000\r\nExpect: 100-continue\r\n\r\n")
        assert (await answer(reader))[0] == 413
        assert await reader.read() == b""


async def test_an_answer_before_the_end_of_the_body_closes_the_connection(base_url):
    async with connected(base_url) as (reader, writer):
        writer.write(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")
        code, headers, _ = await answer(reader)
        assert (code, headers["connection"]) == (404, "close")
        writer.write(b"x" * 99 + GET + b"\r\n")
        assert await reader.read() == b""


async def test_an_answer_after_the_end_of_the_body_keeps_the_connection(base_url):
    async with connected(base_url) as (reader, writer):
        for _ in range(3):
            writer.write(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n" + b"x" * 100)
            code, headers, _ = await answer(reader)
            assert code == 404
            assert "connection" not in headers


async def test_a_client_that_reads_nothing_is_not_read_for_ever(registry, monkeypatch):
    monkeypatch.setattr("app.api.protocol.LIMITS", Limits(linger_bytes=1_000_000, linger_seconds=0.5))
    async with serving(registry) as (url, _), connected(url) as (reader, writer):
        writer.write(POST + b"Content-Length: 90000000\r\n\r\n")
        assert (await answer(reader))[0] == 413
        with pytest.raises(ConnectionError):
            await endless(writer)


async def test_empty_lines_do_not_keep_a_connection_open(registry, monkeypatch):
    monkeypatch.setattr("app.api.protocol.LIMITS", Limits(head_seconds=0.3))
    async with serving(registry) as (url, _), connected(url) as (reader, writer):
        writer.write(b"\r\n" + GET + b"\r\n\r\n")
        assert (await answer(reader))[0] == 200
        writer.write(b"\r\n")
        assert await reader.read() == b""


async def test_requests_that_come_together_are_answered_in_turn(base_url):
    async with connected(base_url) as (reader, writer):
        paths = ("/version", "/nothing", SERVICES, "/livez") * 3
        writer.write(b"".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths))
        assert [(await answer(reader))[0] for _ in paths] == [200, 404, 200, 200] * 3


async def test_only_so_many_requests_may_wait_for_another(base_url):
    async with connected(base_url) as (reader, writer):
        writer.write((GET + b"\r\n") * 1000)
        answers = [await answer(reader) for _ in range(1 + Limits().pipelined)]
        assert {code for code, _, _ in answers} == {200}
        assert answers[-1][1]["connection"] == "close"
        assert await reader.read() == b""


async def test_nothing_is_read_behind_a_watch(base_url):
    """Else it would have to be kept for as long as the watch is open."""

    watch = f"GET {SERVICES}?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    def push():
        host, port = base_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=1) as connection:
            connection.sendall(watch + POST + CHUNKED)
            connection.sendall(chunk(b"x" * 100_000_000))

    with pytest.raises(TimeoutError):
        await asyncio.to_thread(push)


@pytest.mark.parametrize(
    "broken", [b"no http\r\n\r\n", POST + CHUNKED + b"no chunk\r\n", POST + CHUNKED + b"0\r\n" + MANY]
)
async def test_what_comes_before_something_broken_is_answered(base_url, broken):
    async with connected(base_url) as (reader, writer):
        writer.write((GET + b"\r\n") * 3 + broken)
        assert [(await answer(reader))[0] for _ in range(3)] == [200] * 3
        assert (await reader.read())[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 431")


async def test_a_body_that_breaks_off_is_answered(base_url):
    async with connected(base_url) as (reader, writer):
        writer.write(POST + CHUNKED + chunk(b"{"))
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"no chunk\r\n")
        code, _, body = await answer(reader)
        assert (code, json.loads(body)["reason"]) == (400, "BadRequest")
        assert await reader.read() == b""


async def test_a_request_for_another_protocol_is_answered_in_this_one(base_url):
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    body = json.dumps(alias("web")).encode()
    async with connected(base_url) as (reader, writer):
        writer.write((GET + upgrade + b"\r\n") * 2 + POST + upgrade + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        writer.write(GET + b"\r\n")
        assert [(await answer(reader))[0] for _ in range(2)] == [200] * 2
        assert (await answer(reader))[0] in (201, 409)
        assert (await answer(reader))[0] == 200
        writer.write(b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n")
        assert (await answer(reader))[0] == 400


async def test_a_stopping_server_does_not_wait_for_what_is_sent_to_it(registry):
    async with serving(registry) as (url, stopping), connected(url) as (reader, writer):
        writer.write(POST + b"Content-Length: 90000000\r\n\r\n")
        assert (await answer(reader))[0] == 413
        stopping.set()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)
