"""A transport of httpx that hands requests to the application of this process, as if they had come over the network."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_CHUNKS = 16
"""Pieces of an answer that wait for the reader; the application waits when there are as many."""


class InProcess(httpx.AsyncBaseTransport):
    """Sends requests to an ASGI application, and gives answers while they arrive.

    The transport of httpx collects an answer before it gives it, so a watch would never arrive.

    Args:
        application: The application.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return as soon as the head of the answer is there."""
        call = _Call(await request.aread())
        call.task = asyncio.create_task(self._run(_scope(request, call), call), name="request of the console")
        try:
            status, headers = await call.head
        except BaseException:
            await call.aclose()
            raise
        return httpx.Response(status, headers=headers, stream=call)

    async def _run(self, scope: Message, call: "_Call") -> None:
        try:
            await self._application(scope, call.receive, call.send)
        finally:
            call.end()


class _Call(httpx.AsyncByteStream):
    """One request, and the stream of its answer."""

    def __init__(self, body: bytes) -> None:
        self.head: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None
        self._body: bytes | None = body
        self._gone = asyncio.Event()
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_CHUNKS)
        self._ended = False

    async def receive(self) -> Message:
        """The body at once, then the end of the connection when the reader goes away."""
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start":
            if not self.head.done():
                self.head.set_result((message["status"], list(message["headers"])))
            return
        if message.get("body") and not self._gone.is_set():
            await self._chunks.put(message["body"])
        if not message.get("more_body", False):
            self.end()

    def end(self) -> None:
        """Note that nothing more comes."""
        if not self.head.done():
            self.head.set_exception(httpx.RemoteProtocolError("the server ended without an answer"))
        if not self._ended:
            self._ended = True
            with suppress(asyncio.QueueFull):  # then the reader sees the end when it has read all
                self._chunks.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not (self._ended and self._chunks.empty()):
            chunk = await self._chunks.get()
            if chunk is None:
                return
            yield chunk

    async def aclose(self) -> None:
        """Go away: the application sees the end of the connection."""
        self._gone.set()
        if self.task is not None:
            while not self._chunks.empty():
                self._chunks.get_nowait()
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task


def _scope(request: httpx.Request, call: _Call) -> Message:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": request.extensions.get("client"),
        "server": None,
        "extensions": {"fairlead.abort": call._gone.set},  # noqa: SLF001 - the call is this module's own
    }
