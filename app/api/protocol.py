"""uvicorn's HTTP protocol with what it lacks: bounds on all that a client sends, and answers that the client can read.

Every byte of a request that is not its body counts against one limit: the request line, header lines, chunk sizes with
their extensions, and trailers. Of the body, little more is read than the application asks for. A client may still be
sending when its connection is to be closed. It has some seconds to read the answer, and what it sends meanwhile is
discarded: a connection that is closed with unread data is reset, and the answer is lost.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.api.connections import Connections, extension
from app.api.exchange import ABORT, ANSWER_AFTER, PEER_CERTIFICATE
from app.api.limits import Limits
from app.api.statuses import failure
from app.domain.errors import ApiError, BadRequest, RequestHeaderFieldsTooLarge, TooManyRequests

LIMITS = Limits()
_NO_LINGER = struct.pack("ii", 1, 0)
_REFUSED_SECONDS = 1.0
"""Time that a client has to read why its connection is one too many, while the connection counts for nobody."""
_LINE_BYTES = len(": \r\n")
"""Bytes of a header line that are neither name nor value."""
_CHUNK_BYTES = 16
"""Bytes of framing that do not count, for each chunk: a client may send a body in chunks of one byte."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A message is a request, from its first byte to its last."""

    def __init__(self, counted: Connections, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counted = counted
        self._timer: asyncio.TimerHandle | None = None
        self._in_head = False
        self._in_message = False
        self._messages_begun = 0
        self._body_bytes = 0
        self._read_bytes = 0
        self._framing_bytes = 0
        self._discarded_bytes = 0
        self._refusal: ApiError | None = None
        self._keep_alive = True
        self._stopping = False
        self._discarding = False
        self._lingering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent's
        """Bound the time until the first request."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)
        self._answers = _Answers(self, transport)
        self._extensions = {ABORT: self._abort, ANSWER_AFTER: self._answers.after, **peer_certificate(transport)}
        try:
            self._extensions |= extension(self._counted.opened(transport))
        except TooManyRequests as error:
            self._refuse(error)
            self._close_in(_REFUSED_SECONDS)
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Parse what came, and count what is not body.

        The parser tells no positions. So the bytes of one read are counted only if they all belong to one request, and
        the limit can be exceeded by one read.
        """
        self._unset_keepalive_if_required()
        if self._discarding:
            self._discard(data)
            return
        was_in_message = self._in_message
        self._messages_begun = self._body_bytes = 0
        self._read_bytes = len(data)
        try:
            self._parse(data)
        except HttpParserError as error:
            self._refuse(self._refusal or BadRequest(f"the request is not valid HTTP: {error}"))
            return
        if self._in_message:
            if self._messages_begun == (0 if was_in_message else 1):
                self._framing_bytes = max(0, self._framing_bytes + self._read_bytes - self._body_bytes)
            self._check_unfinished()
        elif self._timer is None and not self._is_answering():
            self._await_head()  # empty lines came, of which no request begins

    def _parse(self, data: bytes) -> None:
        """Parse what came. The parser stops after a head that asks for another protocol."""
        while True:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                if self._should_upgrade():
                    self._answers.release()
                    self.handle_websocket_upgrade()
                    return
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
            else:
                return

    def _should_upgrade(self) -> bool:
        return (
            self.ws_protocol_class is not None
            and self.parser.get_method() == b"GET"
            and any(name == b"upgrade" and value.lower() == b"websocket" for name, value in self.headers)
        )

    def _head_without_upgrade(self) -> bytes:
        """The head again: a server may answer as if no other protocol had been asked for (RFC 9110, 7.8)."""
        request = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        return b"".join([request, *headers, b"\r\n"])

    def _is_upgrade(self) -> bool:
        """Whether the parser stops after this head and another protocol may follow; CONNECT is refused anyway."""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _head_is_too_large(self) -> bool:
        """Whether the head exceeds its limit; its bytes are added up only if enough of them came."""
        if self._framing_bytes + self._read_bytes <= LIMITS.head_bytes:
            return False
        size = len(self.url) + sum(len(name) + len(value) + _LINE_BYTES for name, value in self.headers)
        return size > LIMITS.head_bytes

    def _check_unfinished(self) -> None:
        """Bound the bytes and the time of a message that is not complete."""
        if self._framing_bytes > LIMITS.head_bytes:
            self._refuse(_too_large())
        elif self._in_head and self._timer is None:
            self._await_head()

    def on_message_begin(self) -> None:
        """A head begins; let the application cut the connection."""
        super().on_message_begin()
        self._messages_begun += 1
        self._in_message = self._in_head = True
        self._framing_bytes = 0
        self.scope["extensions"] = self._extensions

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line of the head; those that follow a body (trailers, RFC 9110, 6.5) mean nothing here."""
        if self._in_head:
            if len(self.headers) >= LIMITS.head_lines:
                self._stop_parsing(_too_large())
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._forget_timer()
        if self._head_is_too_large():
            self._stop_parsing(_too_large())
        if len(self.pipeline) >= LIMITS.pipelined:
            self.cycle.keep_alive = False
            self._stop_parsing(BadRequest("too many requests wait for the answer to another one"))
        if self._is_upgrade():
            if self._should_upgrade() and self._is_answering():
                self._stop_parsing(BadRequest("a connection becomes a WebSocket only when all requests are answered"))
            self.scope["method"] = self.parser.get_method().decode()
            return
        super().on_headers_complete()
        self._in_head = False
        # The connection is kept if the whole request is there when its answer begins. Else the rest may never come.
        self._keep_alive, self.cycle.keep_alive = self.cycle.keep_alive, False
        self.cycle.transport = self._answers  # type: ignore[assignment]  # it has all that is used of a transport

    def on_chunk_header(self) -> None:
        """A piece of a body begins."""
        self._framing_bytes -= _CHUNK_BYTES

    def on_body(self, body: bytes) -> None:
        """A piece of a body is there."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The whole request is there."""
        if self._is_upgrade():
            return
        self._in_message = False
        super().on_message_complete()
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keep_alive and self.parser.should_keep_alive() and not self._stopping

    def on_response_complete(self) -> None:
        """An answer is sent."""
        if self._lingering:
            return
        was_last = not self.pipeline
        super().on_response_complete()
        if self._discarding and was_last:
            self._linger()

    def shutdown(self) -> None:
        """The server stops: close the connection, as soon as its request is answered."""
        self._stopping = True
        self._answers.release()
        super().shutdown()
        if self._lingering:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        self._forget_timer()
        self._counted.closed(self.transport)
        super().connection_lost(exc)

    def close(self) -> None:
        """Close the connection; a client that still sends first gets some time to read the answer."""
        self._answers.release()
        if self._in_message:
            self._linger()
        else:
            self.transport.close()

    def _is_answering(self) -> bool:
        """Whether a request of this connection is not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_parsing(self, refusal: ApiError) -> None:
        """End parsing, so that `data_received` refuses what is being parsed.

        Raises:
            ApiError: The refusal, always.
        """
        self._refusal = refusal
        raise refusal

    def _refuse(self, error: ApiError) -> None:
        """Answer what cannot be read with an error, and close; if earlier requests wait for answers, only close."""
        self._discarding = True
        self.parser = None  # type: ignore[assignment]  # it holds what it could not finish
        if self._in_head:
            self.headers.clear()
        if self.pipeline and self._in_message and not self._in_head:
            self.pipeline.popleft()  # the request that cannot be read, which waits for those before it
            return
        if self._is_answering():
            if self._in_head or not self._in_message or self.cycle.response_started:
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._answers.release()
        body = failure(error)
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n" % len(body)
        if error.retry_after is not None:
            head += b"retry-after: %d\r\n" % error.retry_after
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[error.code], head, body))
        self._linger()

    def _linger(self) -> None:
        """Send nothing more, and leave the client some seconds to read what it was sent (RFC 9112, 9.6)."""
        if self._lingering or self.transport.is_closing():
            return
        self._answers.release()
        self._discarding = self._lingering = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._close_in(LIMITS.linger_seconds)
        self.flow.resume_reading()

    def _close_in(self, seconds: float) -> None:
        self._forget_timer()
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _discard(self, data: bytes) -> None:
        """Discard what came; beyond a limit nothing more is read until the connection is closed."""
        self._discarded_bytes += len(data)
        if self._discarded_bytes > LIMITS.linger_bytes:
            self.flow.pause_reading()

    def _abort(self) -> None:
        cut(self.transport)

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(LIMITS.head_seconds, self.timeout_keep_alive_handler)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Flow(FlowControl):
    """Reads nothing more while requests wait for the answer to another one."""

    def __init__(self, transport: asyncio.Transport, waiting: deque[Any]) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class Gate(Protocol):
    """What answers may have to wait for, such as the audit log."""

    def send(self, transport: asyncio.WriteTransport, answer: bytes) -> None:
        """Send a part of an answer when it may go."""
        ...

    def release(self) -> None:
        """Have everything go that waits."""
        ...


class _Answers:
    """The transport as an answer uses it. The protocol closes it, since it knows what the client still sends."""

    def __init__(self, protocol: BoundedProtocol, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._gate: Gate | None = None
        self.write: Callable[[bytes], None] = transport.write
        self.is_closing = transport.is_closing
        self.close = protocol.close

    def after(self, gate: Gate) -> None:
        """From now on have answers wait for a gate."""
        if self._gate is not gate:
            self._gate = gate
            self.write = partial(gate.send, self._transport)

    def release(self) -> None:
        """Have the answers go that wait, since something else is to follow them."""
        if self._gate is not None:
            self._gate.release()


def peer_certificate(transport: asyncio.BaseTransport) -> dict[str, Any]:
    """The ASGI extension with the certificate that a client showed, if it showed one."""
    connection = transport.get_extra_info("ssl_object")
    shown = None if connection is None else connection.getpeercert(binary_form=True)
    return {} if shown is None else {PEER_CERTIFICATE: shown}


def cut(transport: asyncio.Transport) -> None:
    """Cut a connection and discard what the client has not read; the kernel would keep that for minutes."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:  # else it was closed a moment ago
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def _too_large() -> RequestHeaderFieldsTooLarge:
    return RequestHeaderFieldsTooLarge(
        f"a request may have {LIMITS.head_lines} header lines, and {LIMITS.head_bytes} bytes besides its body"
    )
