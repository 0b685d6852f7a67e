"""Who may send requests: everybody on loopback where there are no tokens, else the bearers of a token."""

import re
from functools import lru_cache
from ipaddress import ip_address

from app.api.exchange import Exchange
from app.domain.errors import Forbidden, Unauthorized
from app.domain.user import ANONYMOUS, User
from app.tokens import TokenUsers

_OPEN = frozenset({"docs", "healthz", "livez", "openapi.json", "readyz", "version"})
"""What is answered without a token, with everything below it: what a probe asks, and what the product is."""
_LONGEST_HOST = 262
"""The longest DNS name with a port: longer values are not remembered."""
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9.-]{1,253}))(?::[0-9]{0,5})?")


def is_open(path: str) -> bool:
    """Whether a path is answered without a token."""
    return path[1:].partition("/")[0] in _OPEN


class Guard:
    """Decides who sent a request, before anything else is done with it.

    Args:
        tokens: The users by their tokens, None where the server has no token file. Then everybody who can connect may
            do everything, and only loopback is listened on.
    """

    def __init__(self, tokens: TokenUsers | None) -> None:
        self._tokens = tokens

    async def admit(self, exchange: Exchange) -> User:
        """Who sent the request. It may wait, as for a provider of identities.

        Raises:
            Forbidden: There is no token file and the Host header names something else than this machine's loopback:
                a page in a browser may have been made to resolve its own name to 127.0.0.1 (DNS rebinding).
            Unauthorized: There is a token file and the request carries none of its tokens.
        """
        if self._tokens is None:
            self._check_loopback(exchange)
            return ANONYMOUS
        scheme, _, secret = exchange.headers.get(b"authorization", b"").partition(b" ")
        user = self._tokens.find(secret.strip()) if scheme.lower() == b"bearer" else None
        if user is not None:
            return user
        if is_open(exchange.path):
            return ANONYMOUS
        raise Unauthorized("Unauthorized: send one of the server's tokens as Authorization: Bearer TOKEN")

    @staticmethod
    def _check_loopback(exchange: Exchange) -> None:
        """Refuse what a page in a browser may have sent.

        A browser lets any page open a WebSocket anywhere and read from it, so the page has to be of loopback, too.
        """
        if not _is_loopback(exchange.headers.get(b"host", b"")):
            raise Forbidden(
                "without a token file only requests to a loopback name are answered: use localhost, 127.0.0.1 or "
                "[::1] in the URL, or start the server with --token-file"
            )
        origin = exchange.headers.get(b"origin") if exchange.over_websocket else None
        if origin is not None and not _is_loopback(origin.partition(b"://")[2]):
            raise Forbidden(
                "without a token file a WebSocket is open to pages of loopback only: start the server with --token-file"
            )


def _is_loopback(host: bytes) -> bool:
    """Whether a Host header names this machine's loopback."""
    return len(host) <= _LONGEST_HOST and _names_loopback(host)


@lru_cache(maxsize=256)
def _names_loopback(host: bytes) -> bool:
    match = _HOST.fullmatch(host.decode("latin-1").lower())
    if match is None:
        return False
    name = match["name"] or match["ipv6"]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
