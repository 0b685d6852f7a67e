"""Serving an HTTP application on a socket until it is told to stop, also with watches open."""

import asyncio
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from fastapi import FastAPI

from app.api.connections import Connections
from app.api.limits import Limits
from app.api.protocol import BoundedProtocol
from app.api.websocket import MESSAGE_BYTES, WatchProtocol

# Longer than the 90 s for which Go's HTTP client keeps an idle connection: the client closes first, so that none of
# its requests meets a connection that is just being closed.
_KEEP_ALIVE_SECONDS = 120
_DRAIN_SECONDS = 4
_BACKLOG = 2048


async def serve(
    app: FastAPI,
    listener: socket.socket,
    stopping: asyncio.Event,
    tls: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    *,
    listening: Callable[[], None] = lambda: None,
) -> None:
    """Serve an application until SIGTERM, SIGINT or `stopping`, then until its requests end, four seconds at most.

    Args:
        app: The application.
        listener: A bound socket; it is closed at the end.
        stopping: Set to stop the server; SIGTERM and SIGINT set it, too. Watches end then.
        tls: TLS with a certificate; None serves plain HTTP.
        limits: What clients may use.
        listening: Called once connections are taken.
    """
    _allow_open_files()
    config = configuration(app, tls, limits)
    server = _Server(config, stopping, listening)
    stop = asyncio.create_task(server.stop(), name="stop")
    try:
        await server.serve(sockets=[listener])
    finally:
        stop.cancel()


def configuration(app: FastAPI, tls: ssl.SSLContext | None = None, limits: Limits | None = None) -> uvicorn.Config:
    """How uvicorn serves an application."""
    connections = Connections(limits or Limits())
    return uvicorn.Config(
        app,
        http=partial(BoundedProtocol, connections),  # type: ignore[arg-type]  # it is called, no more
        ws=partial(WatchProtocol, connections),  # type: ignore[arg-type]  # as above
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,  # it would keep a compressor for each watch
        log_config=None,
        access_log=False,
        # No decision depends on the address of the client.
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )


def _allow_open_files() -> None:
    """Let this process open as many files as it may: each connection is one, and the usual limit is 1,024 of them.

    That limit is for programs that use select(2); Go raises it at the start of a program, too.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Server(uvicorn.Server):
    """Uvicorn, handling signals in the event loop, where the watches live."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stopping.set)
        yield

    async def stop(self) -> None:
        """Has uvicorn end as soon as the event says so."""
        await self._stopping.wait()
        self.should_exit = True
