"""The composition root: from settings to a running API process or reconciler."""

import asyncio
import signal
import socket

import structlog
from fastapi import FastAPI, Response

from app.api.server import serve
from app.settings import ApiSettings, DatabaseSettings, ReconcilerSettings
from app.telemetry.metrics import CONTENT_TYPE, exposition

_log = structlog.stdlib.get_logger(__name__)


async def run_api(settings: ApiSettings, listener: socket.socket) -> None:
    """Serves the API until SIGTERM or SIGINT.

    Args:
        settings: Of the command line.
        listener: A bound socket.
    """
    app = FastAPI()

    @app.get("/healthz")
    @app.get("/readyz")
    async def healthz() -> str:
        return "ok"

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(exposition(), media_type=CONTENT_TYPE)

    _log.debug("serving", service_cidrs=str(settings.service_cidrs))
    await serve(app, listener, stopping=asyncio.Event())


async def run_reconciler(settings: ReconcilerSettings) -> None:
    """Reconciles until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    _log.debug("reconciling", service_cidrs=str(settings.service_cidrs))
    await stopping.wait()


def migrate(settings: DatabaseSettings) -> None:
    """Brings the database's schema to this version's."""
    _log.debug("migrating", database=str(settings.database_url))
