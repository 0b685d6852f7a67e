"""The console as a process of its own, put together: a client of an API that may be anywhere."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from app.api.guard import names_loopback
from app.api.server import serve
from app.console.application import create_console
from app.console.oidc import OidcLogin
from app.console.sessions import Sessions
from app.console.visit import Surroundings
from app.main.exporting import exporting
from app.main.health import serve_health
from app.main.lifecycle import Lifecycle
from app.main.reloading import certificate, reloading
from app.reloading import log_level
from app.settings.console_process import ConsoleProcessSettings

_MOST_CONNECTIONS = 2000
"""Each page that shows changes holds one."""


async def run_console(settings: ConsoleProcessSettings, listener: socket.socket, health: socket.socket | None) -> None:
    """Serve the console until SIGTERM or SIGINT; SIGHUP has it read its certificate and the level of the log again.

    Args:
        settings: Of the command line.
        listener: A bound socket for browsers.
        health: A bound socket for health and metrics, None to serve none.
    """
    stopping = asyncio.Event()
    limits = httpx.Limits(max_connections=_MOST_CONNECTIONS)
    oidc = None if settings.provider is None else OidcLogin(settings.provider, settings.console_client_secret)
    tls = None if settings.tls is None else settings.tls.context
    sources = (*log_level(settings), *certificate(settings.tls, "console"))
    async with (
        reloading(stopping.set, *sources),
        exporting(settings, "console"),
        httpx.AsyncClient(base_url=settings.api_url, verify=settings.api_trust, limits=limits) as http,
    ):

        async def api() -> None:
            (await http.get("/readyz")).raise_for_status()

        life = Lifecycle("console", {"api": api})
        application = _application(settings, http, oidc)
        serving = serve(application, listener, stopping, tls, listening=life.listening("console", listener))
        answering = serve_health(health, {"api": api}, stopping, life.listening("health", health))
        tasks = [
            asyncio.create_task(serving, name="serve"),
            asyncio.create_task(answering, name="health"),
            asyncio.create_task(life.run(stopping), name="life"),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        await asyncio.wait(tasks)
        if oidc is not None:
            await oidc.close()
        for task in tasks:
            task.result()


def _application(settings: ConsoleProcessSettings, http: httpx.AsyncClient, oidc: OidcLogin | None) -> FastAPI:
    around = Surroundings(
        http=http,
        sessions=Sessions(settings.console_keys, secure=settings.console_url.startswith("https://")),
        oidc=oidc,
        url=settings.console_url,
        docs_url=f"{settings.api_url}/docs",
        needs_login=settings.is_exposed,
    )
    app = FastAPI(openapi_url=None)
    own_name = urlsplit(settings.console_url).netloc.encode()

    @app.middleware("http")
    async def check_host(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        # A page in a browser may have been made to resolve its own name to 127.0.0.1 (DNS rebinding). Where others can
        # reach the console, nobody gets anywhere without a session.
        host = request.headers.get("host", "").encode()
        if settings.is_exposed or names_loopback(host) or (own_name and host == own_name):
            return await go_on(request)
        return PlainTextResponse("use localhost or 127.0.0.1 in the URL, or give --console-url", 403)

    @app.get("/")
    async def home() -> Response:
        return RedirectResponse("/console/", 303)

    app.mount("/console", create_console(around))
    return app
