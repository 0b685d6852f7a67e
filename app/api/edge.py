"""The edge of a process: every request passes here, is bounded here, and is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog

from app.api.access.auditing import Auditor
from app.api.access.authorization import Authorization
from app.api.access.routes import Route, path_request
from app.api.connections import Connection
from app.api.dispatch import Resources
from app.api.documents import Documents
from app.api.exchange import CONNECTION, ClientGone, Exchange, Receive, Scope, Send
from app.api.fairness.fairness import Fairness
from app.api.fairness.line import State
from app.api.guard import Guard
from app.api.limits import BodyBudget, Limits
from app.api.measures import Measures
from app.api.request_log import log_request
from app.api.request_span import RequestSpan
from app.api.statuses import reply_failure
from app.api.websocket import Handshake, no_watch
from app.domain.errors import ApiError, InternalError, Timeout, TooManyRequests
from app.domain.rules.access.requests import Request
from app.telemetry import tracing

_log = structlog.stdlib.get_logger(__name__)

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_SWEEP_SECONDS = 1.0
_RESOURCE_ROOTS = ("/api/", "/apis/")


class Edge:
    """Admits requests, dispatches them, and answers every error with a Status.

    Args:
        guard: Decides who may send requests.
        authorization: Decides what they may do, for every path alike.
        documents: Answers requests for documents that never change.
        resources: Answers all other requests below `/api/` and `/apis/`.
        others: The application for all other paths: health, metrics, OpenAPI.
        fairness: Decides whose request is answered next.
        limits: What clients may use.
        auditor: Begins the record of each request; None where there is no audit log.

    Attributes:
        home: Where a browser is sent that asks for `/`, empty if there is no page for people.
    """

    def __init__(
        self,
        guard: Guard,
        authorization: Authorization,
        documents: Documents,
        resources: Resources,
        others: Application,
        fairness: Fairness,
        limits: Limits,
        auditor: Auditor | None = None,
    ) -> None:
        self._auditor = auditor
        self._guard = guard
        self._authorization = authorization
        self._documents = documents
        self._resources = resources
        self._others = others
        self._fairness = fairness
        self._limits = limits
        self._budget = BodyBudget(limits.bodies_bytes)
        self._measures = Measures()
        self.home = b""
        self._open: dict[Exchange, asyncio.Task[None] | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            handshake = Handshake(scope, receive, send)
            scope, receive, send = handshake.scope, handshake.receive, handshake.send
        exchange = Exchange(scope, receive, send, self._limits.body_bytes, self._budget)
        task = asyncio.current_task()
        self._open[exchange] = task
        try:
            await self._answer(exchange)
        except asyncio.CancelledError:
            if task is None:
                raise
            task.uncancel()
            await self._give_up(exchange)
        finally:
            del self._open[exchange]
            exchange.give_back_seat()
            self._budget.give_back(exchange.user.name, exchange.body_bytes)
            if exchange.record is not None:
                exchange.record.complete()
                exchange.record = None  # it refers to the exchange: without this only the garbage collector ends both
            self._measures.answered(exchange)
            log_request(exchange)
            if exchange.span is not None:
                exchange.span.end(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            exchange.check_headers()
            if self.home and not exchange.path and b"text/html" in exchange.headers.get(b"accept", b""):
                await exchange.reply(HTTPStatus.SEE_OTHER, b"", extra=((b"location", self.home),))
                return
            exchange.user = await self._guard.admit(exchange)
            self._check_connection(exchange)
            await self._authorization.impersonate(exchange)
            route = self._route(exchange)
            if tracing.is_on() and exchange.path.startswith(_RESOURCE_ROOTS) and exchange.verb != "watch":
                exchange.span = RequestSpan(exchange)
            if self._auditor is not None:
                self._auditor.begin(exchange, route.request)
            exchange.ticket = self._fairness.enter(exchange, route.request)
            if exchange.ticket is not None and exchange.ticket.state is not State.SEATED:
                await self._fairness.wait(exchange.ticket, exchange, route.request)
            await self._authorization.authorize(exchange, route)
            await route.answer(exchange)
        except ApiError as error:
            await self._fail(exchange, error)
        except ClientGone:
            _log.debug("the client went away", method=exchange.method, path=exchange.path)
        except Exception:  # noqa: BLE001 - a defect is answered, too
            _log.exception("request failed", method=exchange.method, path=exchange.path)
            await self._fail_for_defect(exchange)

    def _route(self, exchange: Exchange) -> Route:
        """Where a request goes. Every path has a route, if only to an error, so every request is authorized."""
        is_document = self._documents.has(exchange.path)
        if exchange.path.startswith(_RESOURCE_ROOTS) and not is_document:
            return self._resources.route(exchange)
        answer = self._documents.answer if is_document else self._answer_other
        return Route(path_request(exchange), _refuse_websocket if exchange.over_websocket else answer)

    def _asked(self, exchange: Exchange) -> Request:
        """What a request asks for, also where that cannot be read."""
        try:
            return self._route(exchange).request
        except ApiError:
            return path_request(exchange)

    async def _answer_other(self, exchange: Exchange) -> None:
        await self._others(exchange.scope, exchange.receive, exchange.send)

    @staticmethod
    def _check_connection(exchange: Exchange) -> None:
        """Tell the connection whose it is; one too many is closed with the answer."""
        connection: Connection | None = exchange.scope.get("extensions", {}).get(CONNECTION)
        if connection is not None and connection.user != exchange.user.name:
            try:
                connection.belongs_to(exchange.user)
            except TooManyRequests:
                exchange.extra = ((b"connection", b"close"),)
                raise

    async def _fail_for_defect(self, exchange: Exchange) -> None:
        error = InternalError("the server could not answer; its log says why")
        if exchange.record is not None:
            exchange.record.error = error
            exchange.record.write("Panic")
        await self._fail(exchange, error)

    async def _fail(self, exchange: Exchange, error: ApiError) -> None:
        if exchange.started:
            exchange.abort()
            return
        if self._auditor is not None:
            self._auditor.refused(exchange, self._asked(exchange), error)
        await reply_failure(exchange, error)

    async def _give_up(self, exchange: Exchange) -> None:
        """Answer a request that was cancelled: by `sweep`, or by a server that has no more time to stop."""
        why = f"within {self._limits.request_seconds:g} seconds" if exchange.overdue else "before this server stopped"
        await self._fail(exchange, Timeout(f"the request was not answered {why}; a write may still take effect"))

    async def sweep(self) -> None:
        """End requests that take too long, and cut connections whose client does not read, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = time.monotonic()
            requests = [exchange for exchange in self._open if not exchange.long_running]
            reading = sum(exchange.method == "GET" for exchange in requests)
            self._measures.in_flight(reading, len(requests) - reading)
            self._measures.bodies(self._budget.used)
            self._guard.tell_successes()
            self._fairness.tell()
            for exchange, task in list(self._open.items()):
                if exchange.sending_since and now - exchange.sending_since > self._limits.unread_seconds:
                    self._measures.dropped(exchange)
                    exchange.abort()
                elif not exchange.long_running and now - exchange.began > self._limits.request_seconds:
                    self._end(exchange, task)

    @staticmethod
    def _end(exchange: Exchange, task: asyncio.Task[None] | None) -> None:
        """End a request that takes too long, once."""
        if task is not None and not exchange.overdue:
            exchange.overdue = True
            task.cancel()


async def _refuse_websocket(_: Exchange) -> None:
    raise no_watch()
