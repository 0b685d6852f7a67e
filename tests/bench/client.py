"""A lean HTTP/1.1 client: the next request leaves in the callback that saw the last answer end."""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SAMPLE_BYTES = 4096


@dataclass(frozen=True)
class Server:
    """Where requests go.

    Attributes:
        url: Scheme, host and port.
        token: Bearer token, or "".
        verify: Whether a certificate is checked; a cluster made for a benchmark signs its own.
    """

    url: str
    token: str = ""
    verify: bool = True

    def request(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
        """A request as it goes over the wire, to be made before time is taken."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\nAccept: application/json\r\n"
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\n"
        if body:
            head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + body

    async def connect(self, factory):
        """Open a connection with a protocol of one's own."""
        parts = urlsplit(self.url)
        context = None
        if parts.scheme == "https":
            context = ssl.create_default_context()
            if not self.verify:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        port = parts.port or (443 if context else 80)
        return await asyncio.get_running_loop().create_connection(factory, parts.hostname, port, ssl=context)

    async def send(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json"):
        """One request on a connection of its own; answers status and body."""
        answers = []
        requests = iter([self.request(method, path, body, content_type)])
        await _run(self, [requests], lambda code, text, _: answers.append((code, text)), keep_bodies=True)
        assert answers, f"{method} {path}: the connection was closed"
        return answers[0]


@dataclass
class Load:
    """What a number of clients saw.

    Attributes:
        seconds: From the first request to the last answer.
        latencies: Seconds of each answer, in the order they came.
        codes: Answers by status.
        bodies: The answers' bodies, where they were asked for.
        lost: Connections that broke.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)
    lost: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def centile(self, part: float) -> float:
        """Milliseconds within which this part of the answers came."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 if ordered else float("nan")


async def drive(
    server: Server, scripts: list[Iterator[bytes]], *, seconds: float = 1e9, keep_bodies: bool = False
) -> Load:
    """Let clients send their requests, each one after the other, until all are sent or the time is up."""
    load = Load()
    until = time.perf_counter() + seconds

    def limited(script):
        # Time is looked at first: what a script has made is also sent.
        while time.perf_counter() < until:
            request = next(script, None)
            if request is None:
                return
            yield request

    def seen(code, body, latency):
        load.latencies.append(latency)
        load.codes[code] += 1
        if keep_bodies:
            load.bodies.append(body)

    started = time.perf_counter()
    load.lost = await _run(server, [limited(script) for script in scripts], seen, keep_bodies=keep_bodies)
    load.seconds = time.perf_counter() - started
    return load


async def _run(server, scripts, seen: Callable[[int, bytes, float], None], *, keep_bodies: bool) -> int:
    clients = [_Client(script, seen, keep_bodies) for script in scripts]
    await asyncio.gather(*(server.connect(lambda client=client: client) for client in clients))
    for client in clients:
        client.advance()
    await asyncio.gather(*(client.done for client in clients))
    return sum(client.lost for client in clients)


class _Client(asyncio.BufferedProtocol):
    """One connection; reads into one buffer of its own, since what a list answers is only counted."""

    def __init__(self, script: Iterator[bytes], seen: Callable[[int, bytes, float], None], keep: bool) -> None:
        self._script = script
        self._seen = seen
        self._keep = keep
        self._buffer = bytearray(256 * 1024)
        self._view = memoryview(self._buffer)
        self._kept: list[bytes] = []
        self._head = b""
        self._left: int | None = None
        self._chunks: _Chunks | None = None
        self._sent = 0.0
        self.lost = False
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint):
        del sizehint
        return self._view

    def advance(self) -> None:
        """Send the next request, or end."""
        request = next(self._script, None)
        if request is None:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def buffer_updated(self, count: int) -> None:
        if self._left is None and self._chunks is None:
            data = self._head + self._buffer[:count]
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._head = data
                return
            self._head = b""
            self._begin(bytes(data[:end]))
            self._take(data[end + 4 :])
        elif self._keep or self._chunks is not None:
            self._take(self._buffer[:count])
        else:
            self._left -= count
            self._check()

    def _begin(self, head: bytes) -> None:
        self._code = int(head[9:12])
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        if at >= 0:
            self._left = int(lowered[at + 15 :].split(b"\r\n", 1)[0])
        elif b"transfer-encoding: chunked" in lowered:
            self._chunks = _Chunks()
        else:
            self._left = 0

    def _take(self, data: bytes) -> None:
        if self._chunks is not None:
            data, ended = self._chunks.feed(data)
            if ended:
                self._chunks, self._left = None, len(data)
        if self._keep:
            self._kept.append(bytes(data))
        if self._left is not None:
            self._left -= len(data)
        self._check()

    def _check(self) -> None:
        if self._left == 0 and self._chunks is None:
            self._left = None
            body = b"".join(self._kept) if self._keep else b""
            self._kept.clear()
            self._seen(self._code, body, time.perf_counter() - self._sent)
            self.advance()

    def connection_lost(self, exc) -> None:
        self.lost = exc is not None or self._left is not None
        with suppress(asyncio.InvalidStateError):
            self.done.set_result(None)


class _Chunks:
    """Takes a chunked body apart (RFC 9112, 7.1) as it comes."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """The content in some bytes, and whether the body is over."""
        content = []
        data = self._rest + bytes(data)
        while True:
            if self._left:
                piece = data[: self._left]
                content.append(piece)
                self._left -= len(piece)
                data = data[len(piece) :]
                if self._left:
                    self._rest = b""
                    return b"".join(content), False
            line = data.lstrip(b"\r\n")
            end = line.find(b"\r\n")
            if end < 0:
                self._rest = data
                return b"".join(content), False
            size = int(line[:end].split(b";")[0], 16)
            if size == 0:
                return b"".join(content), True
            self._left, data = size, line[end + 2 :]
