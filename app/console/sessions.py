"""Who is logged in: the token of the user, sealed in a cookie that the server alone can open.

Nothing is kept on the server, so any process with the same keys serves the next request.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.console.oidc import Pending

COOKIE = "fairlead_session"
_LOGIN_COOKIE = "fairlead_login"
_LOGIN_PATH = "/console/login"
_LOGIN_SECONDS = 600
"""Time to log in at a provider."""
SECONDS = 8 * 3600
"""Time after a login until a user has to log in again."""
MOST_TOKEN_BYTES = 2800
"""A browser keeps at least 4096 bytes of a cookie (RFC 6265, 6.1), and sealing makes a token longer by half."""


class Sessions:
    """Seals tokens into cookies, and opens them.

    Args:
        keys: 32 bytes each: the first one seals, each one opens. Without keys nobody can log in.
        secure: Whether browsers reach the console by HTTPS although requests arrive here by HTTP, as behind a proxy.
    """

    def __init__(self, keys: Sequence[bytes], *, secure: bool = False) -> None:
        self._secure = secure
        self._seal = MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys]) if keys else None

    @property
    def possible(self) -> bool:
        """Whether users can log in."""
        return self._seal is not None

    def token(self, request: Request) -> str:
        """The token of the user, "" if nobody is logged in."""
        return self._opened(request, COOKIE, SECONDS)

    def begin(self, request: Request, token: str, response: Response) -> Response:
        """Log a user in, with an answer that goes to the browser.

        Raises:
            ValueError: There are no keys.
        """
        self._keep(request, response, COOKIE, token, SECONDS, "/console", "strict")
        response.delete_cookie(_LOGIN_COOKIE, path=_LOGIN_PATH, httponly=True, samesite="lax")
        return response

    def keep_pending(self, request: Request, pending: Pending, response: Response) -> Response:
        """Have the browser keep a login that goes on at a provider, which sends it back from another site.

        Raises:
            ValueError: There are no keys.
        """
        text = msgspec.json.encode(pending).decode()
        self._keep(request, response, _LOGIN_COOKIE, text, _LOGIN_SECONDS, _LOGIN_PATH, "lax")
        return response

    def pending(self, request: Request) -> Pending | None:
        """The login that the browser keeps, None if there is none."""
        try:
            return msgspec.json.decode(self._opened(request, _LOGIN_COOKIE, _LOGIN_SECONDS), type=Pending)
        except msgspec.MsgspecError:
            return None

    @staticmethod
    def end(target: str) -> Response:
        """Log the user out, and send the browser on."""
        response = RedirectResponse(target, HTTPStatus.SEE_OTHER)
        response.delete_cookie(COOKIE, path="/console", httponly=True, samesite="strict")
        return response

    def _opened(self, request: Request, cookie: str, seconds: int) -> str:
        sealed = request.cookies.get(cookie)
        if self._seal is None or not sealed:
            return ""
        try:
            return self._seal.decrypt(sealed.encode(), ttl=seconds).decode()
        except (InvalidToken, UnicodeError):
            return ""

    def _keep(
        self,
        request: Request,
        response: Response,
        cookie: str,
        text: str,
        seconds: int,
        path: str,
        same_site: Literal["lax", "strict"],
    ) -> None:
        if self._seal is None:
            raise ValueError("the console has no key to seal sessions with")
        response.set_cookie(
            cookie,
            self._seal.encrypt(text.encode()).decode(),
            max_age=seconds,
            path=path,
            secure=self._secure or request.url.scheme == "https",
            httponly=True,
            samesite=same_site,
        )


def is_from_elsewhere(request: Request) -> bool:
    """Whether a page of another site sent a request that may change something.

    Browsers tell with Sec-Fetch-Site (Fetch Metadata), and older ones with Origin. SameSite keeps the cookie from such
    requests already; where the server asks for no token, this is what refuses them.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")
