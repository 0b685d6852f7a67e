"""uvicorn's HTTP protocol with what it lacks: bounds on a request's head, and cutting a connection."""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.api.exchange import ABORT
from app.api.limits import Limits
from app.api.statuses import failure
from app.domain.errors import BadRequest

LIMITS = Limits()
_NO_LINGER = struct.pack("ii", 1, 0)


class BoundedProtocol(HttpToolsProtocol):
    """Ends connections whose client sends a request's head too slowly or too long (RFC 6585, 431)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent's
        """Wait for the first request only so long."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head that is not complete yet; most are, in the first piece."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_timer is None:
                self._expect_head()
            if self._head_bytes > LIMITS.head_bytes:
                self._refuse_head()

    def on_message_begin(self) -> None:
        """A head begins; let the application cut the connection."""
        super().on_message_begin()
        self._in_head = True
        self.scope["extensions"] = {ABORT: self._abort}  # type: ignore[dict-item]  # uvicorn knows extensions without values only

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = False
        self._head_bytes = 0
        self._forget_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        self._forget_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP with a Status, like everything else."""
        body = failure(BadRequest(f"the request is not valid HTTP: {msg}"))
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[400] + head + body)
        self.transport.close()

    def _abort(self) -> None:
        """Cut the connection and forget what was not read, in the kernel, too, which would keep it for minutes."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:  # else it was closed a moment ago
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(LIMITS.head_seconds, self.timeout_keep_alive_handler)

    def _forget_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse_head(self) -> None:
        self.transport.write(STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
