"""Watches over WebSocket (RFC 6455), as Kubernetes serves them: each event is one text message of JSON.

A WebSocket begins as a GET, and so the edge sees it. The answer is a stream, whose lines become messages, or an error,
which refuses the handshake.
"""

from base64 import b64decode
from binascii import Error
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from app.api.connections import Connections, extension
from app.api.exchange import ABORT, Message, Receive, Scope, Send
from app.api.protocol import cut, peer_certificate
from app.domain.errors import BadRequest

MESSAGE_BYTES = 4096
"""Size of a message from a client, and of all that is read from it at once; nothing but a ping or a close is expected.
Parsing costs microseconds a frame, and a frame may be six bytes long."""
_TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io."  # noqa: S105 - what stands before a token
"""A script in a browser cannot set headers of a WebSocket, but it can offer protocols. In Kubernetes it offers this
name, followed by its token in base64url without padding."""


class WatchProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol for a server that only sends: messages of the client are not kept."""

    def __init__(self, counted: Connections, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counted = counted

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no more."""
        self._counted.closed(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse a handshake that the HTTP parser accepted and this one does not, and end a flood."""
        if self.handshake_initiated and len(data) > MESSAGE_BYTES:
            self._refuse_flood()
            return
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        """Let the application cut the connection."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            extensions: dict[str, Any] = self.scope["extensions"]
            counted = extension(self._counted.opened(self.transport))
            extensions.update({ABORT: self._abort, **counted, **peer_certificate(self.transport)})

    async def send(self, message: Any) -> None:
        """Send a message of the application; with an HTTP answer the handshake is complete, too."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True

    def handle_text(self, event: Frame) -> None:
        """Discard a message."""

    def handle_bytes(self, event: Frame) -> None:
        """Discard a message."""

    def handle_cont(self, event: Frame) -> None:
        """Discard a part of a message."""

    def pause_writing(self) -> None:
        """The client does not read. Read nothing from it, or answers to its pings would pile up."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self.transport.resume_reading()

    def _refuse_flood(self) -> None:
        """End the connection without parsing what came."""
        self.conn.fail(CloseCode.MESSAGE_TOO_BIG, f"a watch reads at most {MESSAGE_BYTES} bytes at once")
        if self.conn.close_sent is None:  # the handshake is not answered yet
            self._abort()
        else:
            self.handle_parser_exception()

    def _abort(self) -> None:
        cut(self.transport)


class Handshake:
    """A WebSocket as the GET that it begins as.

    Attributes:
        scope: The request, with the token as a header.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = {**scope, "method": "GET", "headers": _headers(scope)}
        self._protocol = next((name for name in scope["subprotocols"] if not name.startswith(_TOKEN_PROTOCOL)), None)
        self._receive = receive
        self._send = send
        self._accepted = False

    async def receive(self) -> Message:
        """Return when the connection has ended; nothing else is expected from the client."""
        while (await self._receive())["type"] != "websocket.disconnect":
            continue
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send a part of an HTTP answer in its form here, unless the client has gone."""
        try:
            for each in self._translated(message):
                await self._send(each)
        except ClientDisconnected:
            return

    def _translated(self, message: Message) -> Iterable[Message]:
        if message.get("status") == HTTPStatus.OK:
            self._accepted = True
            return [{"type": "websocket.accept", "subprotocol": self._protocol}]
        if not self._accepted:
            return [{**message, "type": f"websocket.{message['type']}"}]
        events: list[Message] = [
            {"type": "websocket.send", "text": line.decode()} for line in message["body"].split(b"\n") if line
        ]
        return events if message.get("more_body") else [*events, {"type": "websocket.close"}]


def no_watch() -> BadRequest:
    """The error for a WebSocket that asks for something else than a watch."""
    return BadRequest("only a watch is served over a WebSocket: send the request without Upgrade, or add watch=1")


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers; a token that was offered as a protocol becomes the Authorization header."""
    headers: list[tuple[bytes, bytes]] = list(scope["headers"])
    if not any(name == b"authorization" for name, _ in headers):
        headers += [(b"authorization", b"Bearer " + token) for token in _tokens(scope["subprotocols"])]
    return headers


def _tokens(protocols: Iterable[str]) -> Iterable[bytes]:
    for name in protocols:
        encoded = name.removeprefix(_TOKEN_PROTOCOL)
        if encoded != name:
            try:
                yield b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
            except Error:
                yield encoded.encode()  # nobody's token, so it is refused
