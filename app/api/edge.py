"""The edge of a process: every request passes here, is bounded here, and is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from app.api.dispatch import Resources
from app.api.documents import Documents
from app.api.exchange import ClientGone, Exchange, Receive, Scope, Send
from app.api.guard import Guard
from app.api.limits import BodyBudget, Limits
from app.api.measures import Measures
from app.api.statuses import reply_failure
from app.api.streaming import Streams
from app.api.websocket import Handshake, no_watch
from app.domain.errors import ApiError, InternalError, Timeout, TooManyRequests

_log = structlog.stdlib.get_logger(__name__)

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_SWEEP_SECONDS = 1.0
_RESOURCE_ROOTS = ("/api/", "/apis/")


class Edge:
    """Admits requests, dispatches them, and answers every error with a Status.

    Args:
        guard: Decides who may send requests.
        documents: Answers requests for documents that never change.
        resources: Answers all other requests below `/api/` and `/apis/`.
        streams: The open watches, which have a limit of their own.
        others: The application for all other paths: health, metrics, OpenAPI.
        limits: What clients may use.
    """

    def __init__(
        self,
        guard: Guard,
        documents: Documents,
        resources: Resources,
        streams: Streams,
        others: Application,
        limits: Limits,
    ) -> None:
        self._guard = guard
        self._documents = documents
        self._resources = resources
        self._streams = streams
        self._others = others
        self._limits = limits
        self._budget = BodyBudget(limits.bodies_bytes)
        self._measures = Measures()
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
            self._budget.give_back(exchange.body_bytes)
            self._measures.answered(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            exchange.check_headers()
            exchange.user = await self._guard.admit(exchange)
            self._check_in_flight()
            await self._dispatch(exchange)
        except ApiError as error:
            await self._fail(exchange, error)
        except ClientGone:
            _log.debug("the client went away", method=exchange.method, path=exchange.path)
        except Exception:  # noqa: BLE001 - a defect is answered, too
            _log.exception("request failed", method=exchange.method, path=exchange.path)
            await self._fail(exchange, InternalError("the server could not answer; its log says why"))

    async def _dispatch(self, exchange: Exchange) -> None:
        is_document = self._documents.has(exchange.path)
        if exchange.path.startswith(_RESOURCE_ROOTS) and not is_document:
            await self._resources.handle(exchange)
        elif exchange.over_websocket:
            raise no_watch()
        elif is_document:
            await self._documents.answer(exchange)
        else:
            await self._others(exchange.scope, exchange.receive, exchange.send)

    def _check_in_flight(self) -> None:
        if len(self._open) - self._streams.open > self._limits.in_flight:
            raise TooManyRequests(
                f"{self._limits.in_flight} requests are being answered, which is the limit; try again", retry_after=1
            )

    async def _fail(self, exchange: Exchange, error: ApiError) -> None:
        if exchange.started:
            exchange.abort()
            return
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
