"""A lean HTTP/1.1 client for loads: one connection, one request at a time, and it knows what it does not know."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 40.0
"""Seconds for one answer; longer than anything the server allows itself."""


class UnreachableError(Exception):
    """Nobody listens: the request was never sent."""


class LostError(Exception):
    """The connection broke before the answer was complete: what the request did is unknown."""


class RefusedError(Exception):
    """A watch was answered by something else."""


@dataclass(slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes = b""
    document: Any = field(init=False, default=None)

    def __post_init__(self):
        if self.body and self.headers.get("content-type", "").startswith("application/json"):
            self.document = json.loads(self.body)

    @property
    def reason(self):
        """Why it was refused, "" for what is no Status."""
        return self.document.get("reason", "") if isinstance(self.document, dict) else ""


class Connection:
    """Keeps its connection alive, and opens another when it was lost.

    Args:
        url: `http://host:port`, or a function that tells where the server is now.
    """

    def __init__(self, url):
        self._url = url if callable(url) else lambda: url
        self._at = None
        self._streams = None

    async def request(self, method, path, document=None, headers=None):
        """Send a request and read its answer.

        Raises:
            UnreachableError: Nobody listens.
            LostError: It may or may not have been carried out.
        """
        reader, writer = await self._connect()
        body = b"" if document is None else json.dumps(document).encode()
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(_head(method, path, body, headers or {}) + body)
                status, fields = await _read_head(reader)
                return Reply(status, fields, await _read_body(reader, fields))
        except (OSError, EOFError) as error:
            self.close()
            raise LostError(f"{method} {path}: {error!r}") from error
        except BaseException:
            self.close()
            raise

    async def _connect(self):
        at = self._url()
        if self._streams is not None and self._at == at and not self._streams[0].at_eof():
            return self._streams
        self.close()
        try:
            self._streams = await _open(at)
        except OSError as error:
            raise UnreachableError(str(error)) from error
        self._at = at
        return self._streams

    def close(self):
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@asynccontextmanager
async def watching(url, path):
    """Open a watch; gives an iterator over its events, which ends when the server ends the answer.

    Raises:
        OSError, EOFError: The connection cannot be made, or broke.
        RefusedError: It is not answered by a stream.
    """
    reader, writer = await _open(url)
    try:
        writer.write(_head("GET", path, b"", {}))
        status, fields = await _read_head(reader)
        if status != 200:
            raise RefusedError(f"{status}: {await _read_body(reader, fields)}")
        yield _events(reader)
    finally:
        writer.close()


async def _events(reader) -> AsyncIterator[dict[str, Any]]:
    rest = b""
    async for chunk in _chunks(reader):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)


async def _open(url):
    host, _, port = url.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port), limit=2**22)


def _head(method, path, body, headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
        headers = {"Content-Type": "application/json", **headers}
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _read_head(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    fields = dict(line.split(":", 1) for line in lines)
    return int(first.split(" ", 2)[1]), {name.strip().lower(): value.strip() for name, value in fields.items()}


async def _read_body(reader, fields):
    if fields.get("transfer-encoding") == "chunked":
        return b"".join([chunk async for chunk in _chunks(reader)])
    return await reader.readexactly(int(fields.get("content-length", "0")))


async def _chunks(reader):
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunk = await reader.readexactly(size + 2)
        yield chunk[:-2]
    await reader.readexactly(2)
