"""The streams of the aggregated discovery service: reading, writing, and who is on the other end."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

import grpc
import structlog
from envoy.service.discovery.v3.ads_pb2_grpc import AggregatedDiscoveryServiceServicer

from app.domain.wanted.traffic import PlaneProfile
from app.serving.xds.deliveries import Deliveries, TracedRevisions
from app.serving.xds.delta import DeltaDialect
from app.serving.xds.planes import NodeError, Plane, Planes, profile_of, version_of
from app.serving.xds.session import Session
from app.serving.xds.state_of_the_world import StateOfTheWorldDialect
from app.serving.xds.view import View
from app.telemetry.metrics import PLANE_BYTES, PLANE_PUSHES, PLANE_REJECTIONS

_log = structlog.stdlib.get_logger(__name__)

_FIRST_REQUEST_SECONDS = 10.0
_UNIX = "unix:"


class Views(Protocol):
    """Where the resources come from."""

    async def view(self, profile: PlaneProfile) -> View:
        """The resources for Envoys of a profile, complete."""


class Dialect(Protocol):
    """One of the two variants of the protocol."""

    def receive(self, request: Any, now: float) -> None:
        """Take in a request."""

    def responses(self) -> Iterator[Any]:
        """What is to be sent now."""


class Stream:
    """One stream. It wakes when a request comes, when the view has changed, and when a rejection is to be retried."""

    def __init__(
        self, plane: Plane, dialect: Dialect, context: "grpc.aio.ServicerContext[Any, Any]", deliveries: Deliveries
    ) -> None:
        self._plane = plane
        self._deliveries = deliveries
        self._session = plane.session
        self._dialect = dialect
        self._context = context
        self._wake = asyncio.Event()

    def changed(self, type_url: str, name: str, revision: int) -> None:
        """A resource came, changed or went."""
        self._session.changed(type_url, name, revision)
        self._deliveries.begin(revision)

    def advanced(self) -> None:
        """All changes of a revision are known."""
        self._wake.set()

    async def run(self, first: Any) -> None:
        """Converse until the Envoy ends the stream."""
        reading = asyncio.create_task(self._read(first), name="xds reading")
        try:
            while not reading.done():
                until = self._session.retry(time.monotonic())
                for response in self._dialect.responses():
                    await self._write(response)
                await self._wait(until)
            reading.result()
        finally:
            self._deliveries.end()
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([reading])

    async def _wait(self, until: float | None) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), None if until is None else max(0.0, until - time.monotonic()))
        self._wake.clear()

    async def _read(self, first: Any) -> None:
        request, rejections = first, 0
        try:
            while request is not grpc.aio.EOF:
                self._dialect.receive(request, time.monotonic())
                if request.HasField("error_detail"):
                    _log.warning("rejected", plane=self._plane.name, why=request.error_detail.message[:1024])
                    PLANE_REJECTIONS.labels(self._plane.name).inc(self._session.rejections - rejections)
                    rejections = self._session.rejections
                if self._deliveries:
                    self._deliveries.reached(self._session.watermark(), refused=request.HasField("error_detail"))
                self._wake.set()
                request = await self._context.read()
        finally:
            self._wake.set()

    async def _write(self, response: Any) -> None:
        size = response.ByteSize()
        self._plane.bytes_sent += size
        PLANE_BYTES.labels(self._plane.name).inc(size)
        PLANE_PUSHES.labels(self._plane.name).inc()
        await self._context.write(response)


class DiscoveryService(AggregatedDiscoveryServiceServicer):  # type: ignore[misc]  # the package ships no types
    """Serves both variants of the protocol.

    Args:
        views: Where the resources come from.
        planes: The Envoys that are connected.
        now: The time, RFC 3339.
        embedded_on_socket: Whether the Envoy that connects through the Unix socket is the one that `serve` runs on
            loopback.
        traced: The changes that are in traces; None where no traces are wanted.
    """

    def __init__(
        self,
        views: Views,
        planes: Planes,
        now: Callable[[], str],
        *,
        embedded_on_socket: bool = False,
        traced: TracedRevisions | None = None,
    ) -> None:
        self._traced = traced
        self._views = views
        self._embedded_on_socket = embedded_on_socket
        self._planes = planes
        self._now = now

    async def DeltaAggregatedResources(  # noqa: N802 - the name in the protocol
        self, _requests: Any, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> None:
        """Incremental discovery."""
        await self._serve(DeltaDialect, context)

    async def StreamAggregatedResources(  # noqa: N802 - the name in the protocol
        self, _requests: Any, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> None:
        """State-of-the-world discovery."""
        await self._serve(StateOfTheWorldDialect, context)

    async def _serve(
        self, dialect: Callable[[Session], Dialect], context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> None:
        try:
            first = await asyncio.wait_for(context.read(), _FIRST_REQUEST_SECONDS)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no request came")
        if first is grpc.aio.EOF:
            return
        try:
            embedded = self._embedded_on_socket and context.peer().startswith(_UNIX)
            profile = profile_of(first.node, embedded=embedded)
        except NodeError as error:
            _log.warning("refused", peer=context.peer(), why=str(error))
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        view = await self._views.view(profile)
        plane = Plane(first.node.id, profile, version_of(first.node), Session(view), self._now())
        stream = Stream(plane, dialect(plane.session), context, Deliveries(plane.name, self._traced))
        view.follow(stream)
        self._planes.enter(plane)
        _log.debug("connected", plane=plane.name, peer=context.peer(), version=plane.version)
        try:
            await stream.run(first)
        finally:
            view.leave(stream)
            self._planes.leave(plane)
            _log.info("disconnected", plane=plane.name)
