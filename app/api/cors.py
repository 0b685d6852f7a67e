"""Pages of other origins: which of them may call the API from a browser (the Fetch standard, CORS protocol)."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_HEADERS = (
    "accept", "authorization", "content-type", "if-none-match", "impersonate-group", "impersonate-uid",
    "impersonate-user", "prefer",
)  # fmt: skip
_ANSWER_HEADERS = ("audit-id", "etag", "fairlead-preview", "location", "preference-applied", "retry-after", "warning")
_PREFLIGHT_SECONDS = 600


def shared_with(origins: Sequence[str], application: ASGIApp) -> ASGIApp:
    """The application, which scripts of these origins may call; the application itself if there are none.

    The browser's question before a request (preflight) carries no token, and is answered before anybody is asked for
    one. Cookies are not accepted from other origins, so nobody's session of the console is used.
    """
    if not origins:
        return application
    return CORSMiddleware(
        application,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_ANSWER_HEADERS,
        max_age=_PREFLIGHT_SECONDS,
    )
