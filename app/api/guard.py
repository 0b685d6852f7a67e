"""Who may come in: loopback names where there are no tokens, else the bearers of a token."""

from functools import lru_cache
from ipaddress import ip_address

from app.api.exchange import Exchange
from app.domain.errors import Forbidden, Unauthorized
from app.domain.user import ANONYMOUS, User
from app.tokens import TokenUsers

_OPEN = frozenset({"docs", "healthz", "livez", "openapi.json", "readyz", "version"})
"""What is answered without a token, with everything below it: what a probe asks, and what the product is."""


def is_open(path: str) -> bool:
    """Whether a path is answered without a token."""
    return path[1:].partition("/")[0] in _OPEN


class Guard:
    """Decides on each request before anything else looks at it.

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
            if not _is_loopback(exchange.headers.get(b"host", b"")):
                raise Forbidden(
                    "without a token file only requests to a loopback name are answered: use localhost, 127.0.0.1 or "
                    "[::1] in the URL, or start the server with --token-file"
                )
            return ANONYMOUS
        scheme, _, secret = exchange.headers.get(b"authorization", b"").partition(b" ")
        user = self._tokens.find(secret.strip()) if scheme.lower() == b"bearer" else None
        if user is not None:
            return user
        if is_open(exchange.path):
            return ANONYMOUS
        raise Unauthorized("Unauthorized: send one of the server's tokens as Authorization: Bearer TOKEN")


@lru_cache(maxsize=256)
def _is_loopback(host: bytes) -> bool:
    name = host.decode("latin-1").lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
