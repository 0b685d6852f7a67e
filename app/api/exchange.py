"""One HTTP request and its answer, over the raw ASGI scope."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from time import monotonic
from typing import Any, Protocol
from urllib.parse import parse_qsl

from app.api.fairness.line import Ticket
from app.api.headers import Header, warning_headers
from app.api.limits import BodyBudget
from app.api.negotiation import PLAIN
from app.domain.errors import ApiError, BadRequest, RequestEntityTooLarge
from app.domain.rules.access.requests import Request
from app.domain.user import ANONYMOUS, User

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ABORT = "fairlead.abort"
"""ASGI extension: cuts the connection."""
ANSWER_AFTER = "fairlead.answer-after"
"""ASGI extension: takes a `Gate`; answers of the connection leave when it lets them."""
CONNECTION = "fairlead.connection"
"""ASGI extension: the connection, which knows whose it is."""
PEER_CERTIFICATE = "fairlead.peer-certificate"
"""ASGI extension: the certificate that the client showed, in DER, if it showed one."""
JSON = b"application/json"
_NO_CACHE: Header = (b"cache-control", b"no-cache, private")
_READ_BY_PEOPLE = (b"curl/", b"Wget/", b"Mozilla/5.0")
_JSON_TYPE: Header = (b"content-type", JSON)
_ONCE = frozenset({b"authorization", b"content-length", b"content-type", b"host"})
"""Headers that have one value. A proxy and this server may each believe another of two (RFC 9110, 5.3)."""


class Record(Protocol):
    """The record of a request in the audit log.

    Attributes:
        id: Tells the request from all others; it is in the answer, too.
        sent: What was sent.
        answered: What is answered, in JSON.
        annotations: What else is told of it.
    """

    id: bytes
    sent: bytes
    answered: bytes
    error: ApiError | None
    annotations: dict[str, str]

    @property
    def keeps_sent(self) -> bool:
        """Whether what was sent is written."""
        ...

    def complete(self) -> None:
        """Write how the request is answered, unless that is written already."""
        ...

    def write(self, stage: str) -> None:
        """Write a line, unless the policy leaves the stage out."""
        ...


class Span(Protocol):
    """The span of a request.

    Attributes:
        trace_id: Of its trace.
        header: Tells the client its trace.
        labels: For an example in a metric; None if the span is not kept.
    """

    trace_id: str
    header: Header
    labels: dict[str, str] | None

    def end(self, exchange: "Exchange") -> None:
        """The request has been answered."""
        ...


class ClientGone(Exception):  # noqa: N818 - not an error of ours: nobody is left to answer
    """The client closed the connection before its request was complete."""


class Exchange:
    """What a handler needs of a request, and how it answers.

    Attributes:
        path: The path, without a slash at its end.
        headers: The headers by their names in lower case.
        body_limit: Bytes that the body may have.
        body_bytes: Bytes of the body that are in memory and count in the budget for all bodies.
        extra: Headers that the answer has besides its own, also if it is an error.
        warnings: Texts of the answer's Warning headers.
        form: The form of the answer that the client asked for.
        user: The user whose rights count; anonymous until the guard has admitted the request.
        asked: What the user was authorized for; None before that.
        impersonator: The user who sent the request, if it is to be judged as another user's; else None.
        verb: The verb, such as `list`; "" until the path is read.
        resource: The kind in the plural, such as `services`; "" until the path is read.
        long_running: Whether it is a watch, which has no deadline.
        overdue: Whether it was ended because it took too long.
        began: When it began, in monotonic seconds.
        sending_since: Since when a message waits for the client to read, in monotonic seconds; 0 if none does.
        started: Whether the head of the answer was sent, so that no other answer is possible.
        code: The HTTP status of the answer, 0 before it started.
        record: The record of the request in the audit log, None where it is not written.
        span: Of the request; None where no traces are wanted.
        ticket: Its turn among other requests; None until it has one, and for those that need none.
    """

    __slots__ = (
        "_budget",
        "_query",
        "_send",
        "asked",
        "began",
        "body_bytes",
        "body_limit",
        "code",
        "extra",
        "form",
        "headers",
        "impersonator",
        "long_running",
        "method",
        "overdue",
        "path",
        "receive",
        "record",
        "resource",
        "scope",
        "sending_since",
        "span",
        "started",
        "ticket",
        "user",
        "verb",
        "warnings",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, body_limit: int, budget: BodyBudget) -> None:
        self.scope = scope
        self.receive = receive
        self._send = send
        self.method: str = scope["method"]
        path: str = scope["path"]
        self.path = path.rstrip("/") if path.endswith("/") else path
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.body_limit = body_limit
        self.body_bytes = 0
        self._budget = budget
        self.extra: tuple[Header, ...] = ()
        self.warnings: Sequence[str] = ()
        self.form = PLAIN
        self.user = ANONYMOUS
        self.impersonator: User | None = None
        self.asked: Request | None = None
        self.verb = ""
        self.resource = ""
        self.long_running = False
        self.overdue = False
        self.began = monotonic()
        self.sending_since = 0.0
        self.started = False
        self.code = 0
        self.record: Record | None = None
        self.span: Span | None = None
        self.ticket: Ticket | None = None
        self._query: dict[str, str] | None = None

    def check_headers(self) -> None:
        """Join the values of headers that came in several lines (RFC 9110, 5.2).

        Raises:
            BadRequest: A header that has one value came twice, or Host is missing (RFC 9112, 3.2).
        """
        lines: Sequence[Header] = self.scope["headers"]
        if len(lines) > len(self.headers):
            self.headers = _joined(lines)
        if b"host" not in self.headers and self.scope["http_version"] == "1.1":
            raise BadRequest("the request has no Host header, which HTTP/1.1 asks for")

    @property
    def address(self) -> str:
        """The address from which it came, "" if that is not known."""
        return (self.scope.get("client") or ("",))[0]

    @property
    def peer_certificate(self) -> bytes | None:
        """The certificate that the client showed, in DER, None if it showed none. The connection has checked it."""
        return self.extensions.get(PEER_CERTIFICATE)

    @property
    def extensions(self) -> dict[str, Any]:
        """What the server offers beyond ASGI."""
        return self.scope.get("extensions") or {}

    @property
    def over_websocket(self) -> bool:
        """Whether the answer goes over a WebSocket."""
        return bool(self.scope["type"] == "websocket")

    @property
    def pretty(self) -> bool:
        """Whether the answer is indented: as `pretty` says, by default for tools that show answers as they are."""
        if self.scope["query_string"] and "pretty" in self.query:
            return self.query["pretty"].lower() not in ("false", "0")
        return self.read_by_people

    @property
    def read_by_people(self) -> bool:
        """Whether the user agent is a tool that shows answers to people as they are."""
        return self.headers.get(b"user-agent", b"").startswith(_READ_BY_PEOPLE)

    @property
    def accepts_gzip(self) -> bool:
        """Whether the client accepts gzip."""
        return b"gzip" in self.headers.get(b"accept-encoding", b"")

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query; if one is repeated, its first value, as in Kubernetes.

        Raises:
            BadRequest: The query is not UTF-8 once its escapes are resolved.
        """
        if self._query is None:
            self._query = _parse_query(self.scope["query_string"])
        return self._query

    def header(self, name: bytes) -> str:
        """The value of a header, "" if there is none."""
        return self.headers.get(name, b"").decode("latin-1")

    async def read_body(self) -> bytes:
        """The whole body.

        Raises:
            RequestEntityTooLarge: It is larger than the limit; the rest is not read.
            TooManyRequests: The bodies of all requests take too much memory; the rest is not read.
            ClientGone: The client closed the connection before the end of the body.
        """
        if int(self.headers.get(b"content-length", b"0")) > self.body_limit:
            raise self._too_large()
        chunks: list[bytes] = []
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            if self.body_bytes + len(chunk) > self.body_limit:
                raise self._too_large()
            self._budget.take(self.user.name, len(chunk))
            self.body_bytes += len(chunk)
            chunks.append(chunk)
            if not message.get("more_body", False):
                body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
                if self.record is not None and self.record.keeps_sent:
                    self.record.sent = body
                return body

    def _too_large(self) -> RequestEntityTooLarge:
        return RequestEntityTooLarge(f"Request entity too large: limit is {self.body_limit} bytes")

    async def disconnected(self) -> None:
        """Return when the client has closed the connection; what it still sends is discarded."""
        while (await self.receive())["type"] != "http.disconnect":
            continue

    async def send(self, message: Message) -> None:
        """Send an ASGI message; returns when the connection can take more."""
        if message["type"] == "http.response.start":
            self.started = True
            self.code = message["status"]
            if self.span is not None:
                message["headers"] = [*message["headers"], self.span.header]
            if self.record is not None and self.long_running:
                self.record.write("ResponseStarted")
        elif self.record is not None and not message.get("more_body"):
            self.record.complete()
        self.sending_since = monotonic()
        await self._send(message)
        self.sending_since = 0.0

    async def reply(
        self, code: int, body: bytes, content_type: Header = _JSON_TYPE, extra: tuple[Header, ...] = ()
    ) -> None:
        """Send a whole answer. The audit log has it before the client does."""
        if self.record is not None:
            self.code = code
            self.record.answered = self.record.answered or body
            self.record.complete()
            extra = (*extra, (b"audit-id", self.record.id))
        head = [content_type, (b"content-length", b"%d" % len(body)), _NO_CACHE, *self.extra, *extra]
        if self.warnings:
            head += warning_headers(self.warnings)
        await self.send({"type": "http.response.start", "status": code, "headers": head})
        await self.send({"type": "http.response.body", "body": body})

    async def start(self, code: int, extra: tuple[Header, ...] = ()) -> None:
        """Begin an answer in JSON whose length is not known yet; `write` and `finish` follow."""
        head = [_JSON_TYPE, _NO_CACHE, *self.extra, *extra]
        if self.record is not None:
            head.append((b"audit-id", self.record.id))
        await self.send({"type": "http.response.start", "status": code, "headers": head})

    async def write(self, chunk: bytes) -> None:
        """Send a piece of the body."""
        await self.send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def finish(self) -> None:
        """End an answer that `start` began."""
        await self.send({"type": "http.response.body", "body": b""})

    def give_back_seat(self) -> None:
        """Let somebody else have the turn: it is answered, or a watch that has begun. It may be called twice."""
        if self.ticket is not None:
            self.ticket.line.leave(self.ticket, monotonic())
            self.ticket = None

    def abort(self) -> None:
        """Cut the connection without waiting for what the client has not read.

        Raises:
            KeyError: The server does not offer this extension.
        """
        self.scope["extensions"][ABORT]()


def _joined(lines: Sequence[Header]) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in lines:
        if name in headers and name in _ONCE:
            raise BadRequest(f"the request has the header {name.decode('latin-1')} twice; send it once")
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def _parse_query(raw: bytes) -> dict[str, str]:
    if not raw:
        return {}
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise BadRequest(f"the query string cannot be read: {error}") from error
    return dict(reversed(pairs))
