"""The console, put together: its pages, the files that they need, and what a browser may do with them."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib.resources import files

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.console import addresses, editing, lists, login, objects, overviews
from app.console.api_client import Refused
from app.console.page_span import page_span
from app.console.sessions import is_from_elsewhere
from app.console.visit import Surroundings, Visit

Page = Callable[[Visit], Awaitable[Response]]

_HTMX = "static/django_htmx"
_FILES = {
    # The package django-htmx is where htmx and its extension for server-sent events are kept up. Nothing of it runs.
    "htmx.js": ("django_htmx", f"{_HTMX}/htmx-2.min.js", "text/javascript"),
    "sse.js": ("django_htmx", f"{_HTMX}/ext/hx-sse-2.min.js", "text/javascript"),
    "console.js": ("app.console", "static/console.js", "text/javascript"),
    "console.css": ("app.console", "static/console.css", "text/css"),
    "icon.svg": ("app.console", "static/icon.svg", "image/svg+xml"),
}
_HEADERS = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            b"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


def create_console(around: Surroundings) -> Starlette:
    """The console as an ASGI application, to be mounted at `/console`."""

    def route(path: str, page: Page, method: str = "GET") -> Route:
        async def answer(request: Request) -> Response:
            return await _answer(request, page, around, f"/console{path}")

        return Route(path, answer, methods=[method])

    one = "{resource}/{namespace}/{name}"
    pages = [
        route("/", lists.start),
        route("/login", login.ask),
        route("/login", login.take, "POST"),
        route("/login/provider", login.begin_at_provider),
        route("/login/callback", login.end_at_provider),
        route("/logout", login.leave, "POST"),
        route("/kinds", lists.kinds),
        route("/list/{resource}", lists.objects),
        route("/changes/{resource}", lists.changes),
        route(f"/object/{one}", objects.show),
        route(f"/delete/{one}", objects.delete, "POST"),
        route("/new/{resource}", editing.new),
        route("/new/{resource}", editing.create, "POST"),
        route(f"/edit/{one}", editing.edit),
        route(f"/edit/{one}", editing.change, "POST"),
        route("/addresses", addresses.pools),
        route("/holders/{pool}", addresses.holders),
        route("/history", addresses.history),
        route("/dataplanes", overviews.data_planes),
        route("/audit", overviews.audit),
        route("/dns", overviews.dns),
        route("/about", overviews.about),
    ]
    static = [Route(f"/static/{name}", _file(*where)) for name, where in _FILES.items()]
    return Starlette(routes=[*pages, *static], middleware=[Middleware(SecurityHeaders)])


_FOR_STRANGERS = (login.ask, login.take, login.leave, login.begin_at_provider, login.end_at_provider)


async def _answer(request: Request, page: Page, around: Surroundings, path: str) -> Response:
    if request.method == "POST" and is_from_elsewhere(request):
        return PlainTextResponse("this request came from another site", HTTPStatus.FORBIDDEN)
    visit = Visit(request, around)
    if around.needs_login and not visit.logged_in and page not in _FOR_STRANGERS:
        return visit.to_login()
    with page_span(request, path) as answered:
        answered.response = await _made(visit, page)
        return answered.response


async def _made(visit: Visit, page: Page) -> Response:
    try:
        return await page(visit)
    except Refused as error:
        return await visit.failure(error)
    except httpx.TransportError as error:
        return visit.part("failure.html", HTTPStatus.SERVICE_UNAVAILABLE, error=_unreachable(error))


def _unreachable(error: httpx.TransportError) -> Refused:
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, {"message": f"the API cannot be reached: {error}"})


def _file(package: str, path: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    content = files(package).joinpath(path).read_bytes()

    async def answer(request: Request) -> Response:
        del request
        return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=3600"})

    return answer


class SecurityHeaders:
    """Adds to each answer what a browser may do with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], *_HEADERS]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)
