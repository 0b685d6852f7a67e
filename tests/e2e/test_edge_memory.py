"""What somebody without a token can have a process hold, and what somebody with one can."""

import re
import socket
from contextlib import ExitStack, suppress

import httpx
import psutil
import pytest

from tests.e2e.serving import Serving
from tests.e2e.waiting import until

TOKEN = "not-easily-guessed"
MOST = 48 * 1024 * 1024
"""Bytes by which a process may grow; each attack sends several times as much, or sends it several times."""
HOST = b"Host: x\r\n"
POST = b"POST /api/v1/namespaces/default/services HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
BEARER = f"Authorization: Bearer {TOKEN}\r\n".encode()
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
WATCH = b"GET /api/v1/services?watch=1 HTTP/1.1\r\n" + HOST
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
GET = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A product of one API process that asks for a token."""
    directory = tmp_path_factory.mktemp("guarded")
    tokens = directory / "tokens.csv"
    tokens.write_text(f'{TOKEN},admin,1,"system:masters"\n')
    tokens.chmod(0o600)
    flags = ("--workers", "1", "--token-file", tokens, "--insecure-http", "--body-memory-mib", "32")
    with Serving(directory / "data", *flags) as serving:
        yield serving


def push(serving, head, piece, most=200_000_000):
    """Send as much as is taken within a second; gives the connection."""
    connection = socket.create_connection(("127.0.0.1", int(serving.url.rpartition(":")[2])), timeout=1)
    sent = 0
    with suppress(OSError):
        connection.sendall(head)
        while piece and sent < most:
            connection.sendall(piece)
            sent += len(piece)
    return connection


@pytest.mark.parametrize("token", [b"", BEARER], ids=["stranger", "bearer"])
@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (POST + CHUNKED + b"0\r\n", b"X-Trailer: 1\r\n" * 10_000),
        (POST + CHUNKED + b"0\r\nX-Trailer: ", b"1" * 100_000),
        (POST + CHUNKED + b"1;x=", b"1" * 100_000),
        (POST + CHUNKED, b"1\r\nx\r\n" * 20_000),
        (POST + b"X-Header: ", b"1" * 100_000),
        (POST + b"Content-Length: 9000000000\r\n\r\n", b"1" * 100_000),
        (b"", GET * 5_000),
        (WATCH + b"\r\n", GET * 5_000),
        (WATCH + b"\r\n" + POST + CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    ],
    ids=["trailers", "trailer", "extension", "tiny", "header", "body", "pipeline", "behind a watch", "body behind it"],
)
def test_endless_requests_are_not_kept(guarded, head, piece, token):
    api = psutil.Process(guarded.child("api").pid)
    before = api.memory_info().rss
    with push(guarded, head.replace(HOST, HOST + token), piece):
        assert api.memory_info().rss < before + MOST
    assert guarded.is_ready()


@pytest.mark.parametrize("piece", [b"a:b\r\n" * 50_000, b"X: " + b"1" * 250_000, b"X: " + b"1" * 60_000])
def test_heads_that_are_refused_are_forgotten(guarded, piece):
    api = psutil.Process(guarded.child("api").pid)
    before = api.memory_info().rss
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(push(guarded, POST, piece, most=len(piece)))
        assert api.memory_info().rss < before + MOST
    assert guarded.is_ready()


@pytest.mark.parametrize(
    "frame", [b"\x89\xfdmask" + b"x" * 125, b"\x00\x80mask", b"\x81\x80mask"], ids=["pings", "empty parts", "messages"]
)
def test_what_is_sent_over_a_websocket_is_not_kept(guarded, frame):
    api = psutil.Process(guarded.child("api").pid)
    before = api.memory_info().rss
    with push(guarded, WATCH + BEARER + UPGRADE, b"") as connection:
        assert connection.recv(12) == b"HTTP/1.1 101"
        with suppress(OSError):
            connection.sendall(b"\x01\x80mask" if frame.startswith(b"\x00") else frame)
            for _ in range(20):
                connection.sendall(frame * (10_000_000 // len(frame)))
        assert api.memory_info().rss < before + MOST
    assert guarded.is_ready()


def test_bodies_have_one_budget(guarded):
    """Each is sent but for its last byte; those for which there is no room are answered at once."""
    api = psutil.Process(guarded.child("api").pid)
    before = api.memory_info().rss
    body = b'{"metadata": {"name": "' + b"x" * 2_500_000
    head = POST + BEARER + b"Content-Length: %d\r\n\r\n" % (len(body) + 1)
    with ExitStack() as stack:
        held = [stack.enter_context(push(guarded, head, body, most=len(body))) for _ in range(100)]
        answers = {}

        def answered():
            for connection in held:
                connection.setblocking(False)
                with suppress(BlockingIOError):
                    answers.setdefault(connection, connection.recv(65536))
            return len(answers)

        until(lambda: answered() >= 100 - 32 * 1024 * 1024 // len(body))
        assert api.memory_info().rss < before + 2 * MOST
        assert all(answer.startswith(b"HTTP/1.1 429 ") for answer in answers.values())
        assert all(b"\r\nretry-after: 1\r\n" in answer for answer in answers.values())
        until(lambda: used(guarded) > 25_000_000)
    until(lambda: used(guarded) == 0)
    assert created(guarded) == 201


def used(serving):
    """Bytes that bodies take, as the process measures it each second."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    measured = httpx.get(f"{serving.url}/metrics", headers=headers, timeout=60).text
    return float(re.search(r"^fairlead_request_body_bytes (\S+)$", measured, re.MULTILINE)[1])


def created(serving):
    service = {"metadata": {"generateName": "web-"}, "spec": {"ports": [{"port": 80}]}}
    headers = {"authorization": f"Bearer {TOKEN}"}
    url = f"{serving.url}/api/v1/namespaces/default/services"
    return httpx.post(url, json=service, headers=headers, timeout=30).status_code
