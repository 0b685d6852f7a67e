"""Health, version and metrics, for probes, load balancers and scrapers."""

import asyncio
import platform
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from app.api.headers import JSON
from app.api.paths import READ_METHODS
from app.store.leases import Leases
from app.telemetry.exposition import exposition

Check = Callable[[], Awaitable[None]]
"""Returns if all is well, else raises an error that says why not."""
Readiness = Mapping[str, Check]

_CHECK_SECONDS = 2.0


LEASES_PATH = "/leases"
_MOST_LEASES = 10_000


def leases_route(leases: Leases) -> APIRouter:
    """`/leases`: which process works on what at the moment, and in which database."""
    router = APIRouter(tags=["health"], include_in_schema=False)

    async def show() -> Response:
        items = [
            {"name": each.name, "holder": each.holder, "epoch": each.epoch, "secondsLeft": round(each.seconds_left, 3)}
            for each in await leases.held(_MOST_LEASES)
        ]
        database = f"PostgreSQL {await leases.server_version()}"
        return Response(msgspec.json.encode({"items": items, "database": database}), media_type=JSON)

    router.add_api_route(LEASES_PATH, show, methods=READ_METHODS)
    return router


def health_routes(ready: Readiness) -> APIRouter:
    """`/healthz`, `/livez` and `/readyz` in Kubernetes' format, each check on a path below them, and `/metrics`.

    A process that answers is alive, so `/livez` checks nothing else: a restart would not bring a database back.
    `/readyz` and the older `/healthz` run every check.
    """
    router = APIRouter(tags=["health"], include_in_schema=False)

    async def probe(request: Request) -> Response:
        name = request.url.path.split("/")[1]
        checks = {} if name == "livez" else ready
        return await _answer(
            name, {"ping": _ping, **checks}, request.query_params.getlist("exclude"), _verbose(request)
        )

    async def single(request: Request) -> Response:
        name, check = request.url.path.split("/")[1:3]
        checks = {"ping": _ping, **({} if name == "livez" else ready)}
        if check not in checks:
            return PlainTextResponse(f"no such check: {check}\n", 404)
        return await _answer(check, {check: checks[check]}, [], verbose=False)

    for name in ("healthz", "livez", "readyz"):
        router.add_api_route(f"/{name}", probe, methods=READ_METHODS)
        router.add_api_route(f"/{name}/{{check}}", single, methods=READ_METHODS)
    router.add_api_route("/metrics", _metrics, methods=READ_METHODS)
    return router


async def _answer(name: str, checks: Readiness, excluded: list[str], verbose: bool) -> Response:
    lines: list[str] = []
    healthy = True
    for check_name, check in checks.items():
        if check_name in excluded:
            lines.append(f"[+]{check_name} excluded: ok")
            continue
        problem = await _problem(check)
        healthy = healthy and not problem
        lines.append(f"[-]{check_name} failed: {problem}" if problem else f"[+]{check_name} ok")
    text = "\n".join([*lines, f"{name} check {'passed' if healthy else 'failed'}", ""])
    if healthy:
        return PlainTextResponse(text if verbose else "ok")
    return PlainTextResponse(text, 503)


async def _problem(check: Check) -> str:
    """Why a check fails, "" if it does not."""
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except TimeoutError:
        return f"no answer within {_CHECK_SECONDS:g} seconds"
    except Exception as error:  # noqa: BLE001 - any failure means not ready, and the answer tells which
        return str(error) or type(error).__name__
    return ""


async def _ping() -> None:
    """The process answers."""


def _verbose(request: Request) -> bool:
    return "verbose" in request.query_params


async def _metrics(request: Request) -> Response:
    body, content_type = await asyncio.to_thread(exposition, request.headers.get("accept", ""))
    return Response(body, headers={"content-type": content_type})


def version_document(version: str) -> dict[str, str]:
    """`/version`. Clients compare their own version with the version of Kubernetes whose API this is."""
    return {
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": f"v1.36.0+fairlead.{version}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }
