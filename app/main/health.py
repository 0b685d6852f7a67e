"""Health and metrics of a process that serves no API."""

import asyncio
import socket
from collections.abc import Callable

from fastapi import FastAPI

from app.api.health import Readiness, health_routes
from app.api.server import serve


async def serve_health(
    listener: socket.socket | None, ready: Readiness, stopping: asyncio.Event, listening: Callable[[], None]
) -> None:
    """Answer `/healthz`, `/readyz` and `/metrics` until `stopping` is set.

    Args:
        listener: A bound socket, None to answer nothing.
        ready: The checks of `/readyz`.
        stopping: Set to stop; SIGTERM and SIGINT set it, too.
        listening: Called once requests are answered.
    """
    if listener is None:
        await stopping.wait()
        return
    app = FastAPI(openapi_url=None)
    app.include_router(health_routes(ready))
    await serve(app, listener, stopping, listening=listening)
