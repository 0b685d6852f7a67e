"""Logging in, with a token or at a provider of OpenID Connect, and out."""

from http import HTTPStatus

from starlette.responses import RedirectResponse, Response

from app.console.api_client import SELF_REVIEW, SELF_REVIEWS, Refused
from app.console.oidc import LoginError
from app.console.sessions import MOST_TOKEN_BYTES
from app.console.visit import LOGIN, Visit

_START = "/console/"
_MASTERS = "system:masters"
_LONGEST_REASON = 200


async def ask(visit: Visit) -> Response:
    """The page to log in."""
    return _page(visit, _target(visit.query("next")), HTTPStatus.OK)


async def take(visit: Visit) -> Response:
    """Log a user in who sends a token that the API accepts."""
    form = await visit.form()
    token, target = form.get("token", "").strip(), _target(form.get("next", ""))
    problem = await _problem(visit, token) if token else "Paste a token."
    if problem:
        return _page(visit, target, HTTPStatus.UNAUTHORIZED, problem)
    return visit.sessions.begin(visit.request, token, RedirectResponse(target, HTTPStatus.SEE_OTHER))


async def begin_at_provider(visit: Visit) -> Response:
    """Send the browser to the provider."""
    target = _target(visit.query("next"))
    if visit.oidc is None or not visit.sessions.possible:
        return _page(visit, target, HTTPStatus.NOT_FOUND, "This server sends nobody to a provider.")
    try:
        url, pending = await visit.oidc.begin(target, f"{visit.origin}{LOGIN}/callback")
    except LoginError as error:
        return _page(visit, target, HTTPStatus.BAD_GATEWAY, str(error))
    return visit.sessions.keep_pending(visit.request, pending, RedirectResponse(url, HTTPStatus.SEE_OTHER))


async def end_at_provider(visit: Visit) -> Response:
    """Log a user in whom the provider sends back with a code."""
    pending = visit.sessions.pending(visit.request)
    if visit.oidc is None or pending is None:
        return _page(visit, _START, HTTPStatus.BAD_REQUEST, "The login took too long, or began in another browser.")
    reason = visit.query("error_description") or visit.query("error")
    if reason:
        said = f"The provider says: {reason[:_LONGEST_REASON]}"
        return _page(visit, pending.target, HTTPStatus.UNAUTHORIZED, said)
    try:
        token = await visit.oidc.finish(pending, visit.query("state"), visit.query("code"))
    except LoginError as error:
        return _page(visit, pending.target, HTTPStatus.UNAUTHORIZED, str(error))
    problem = await _problem(visit, token)
    if problem:
        return _page(visit, pending.target, HTTPStatus.UNAUTHORIZED, problem)
    # The browser comes from another site, so it would not send a SameSite cookie if it were redirected from here. A
    # page of this site that leads on is another matter.
    return visit.sessions.begin(visit.request, token, visit.part("logged_in.html", target=pending.target))


async def leave(visit: Visit) -> Response:
    """Log the user out."""
    return visit.sessions.end(LOGIN)


async def _problem(visit: Visit, token: str) -> str:
    """Why somebody cannot be logged in with a token, "" if they can."""
    if not token.isascii() or len(token) > MOST_TOKEN_BYTES:
        return f"This token has more than {MOST_TOKEN_BYTES} bytes, or is none: it cannot be kept in a cookie."
    if visit.needs_login and await _lets_everybody_in(visit):
        return "The API asks nobody who they are: start it with tokens or a provider before others can reach it."
    try:
        await visit.client(token).get("/api")
    except Refused as error:
        return "The server does not accept this token." if error.code == HTTPStatus.UNAUTHORIZED else ""
    return ""


async def _lets_everybody_in(visit: Visit) -> bool:
    """Whether the API gives all rights to somebody without a token."""
    try:
        review = (await visit.client("").write("POST", SELF_REVIEWS, SELF_REVIEW)).document
    except Refused:
        return False
    return _MASTERS in review["status"]["userInfo"].get("groups", [])


def _page(visit: Visit, target: str, code: HTTPStatus, problem: str = "") -> Response:
    possible, provider = visit.sessions.possible, visit.oidc is not None
    return visit.part("login.html", code, possible=possible, provider=provider, next=target, problem=problem)


def _target(wanted: str) -> str:
    """Where to go after the login: only to a page of the console."""
    return wanted if wanted.startswith(_START) and "\\" not in wanted else _START
