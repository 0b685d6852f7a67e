"""Who may come in: loopback names without tokens, bearers of a known token with them."""

import hmac
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address

from app.api.exchange import ANONYMOUS, Exchange
from app.domain.errors import Forbidden, Unauthorized
from app.tokens import Token

OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/version", "/openapi.json"})
"""Answered without a token: what a probe asks, and what the product is."""
OPEN_PREFIXES = ("/healthz/", "/livez/", "/readyz/", "/docs")
_EVERYBODY = "system:authenticated"


class Guard:
    """Decides on each request before anything else looks at it.

    Args:
        tokens: The bearer tokens; none means that everybody who can connect may do everything, which is only loopback.
    """

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = [(sha256(token.secret.encode()).digest(), token) for token in tokens]

    def admit(self, exchange: Exchange) -> Token:
        """Who sent the request.

        Raises:
            Forbidden: There are no tokens and the Host header names something else than this machine's loopback: a
                page in a browser may have been made to resolve its own name to 127.0.0.1 (DNS rebinding).
            Unauthorized: There are tokens and the request carries none of them.
        """
        if not self._tokens:
            if not _is_loopback(exchange.headers.get(b"host", b"")):
                raise Forbidden(
                    "without a token file only requests to a loopback name are answered: use localhost, 127.0.0.1 or "
                    "[::1] in the URL, or start the server with --token-file"
                )
            return ANONYMOUS
        token = self._bearer(exchange.headers.get(b"authorization", b""))
        if token is not None:
            return token
        if exchange.path in OPEN_PATHS or exchange.path.startswith(OPEN_PREFIXES):
            return ANONYMOUS
        raise Unauthorized("Unauthorized: send one of the server's tokens as Authorization: Bearer TOKEN")

    def _bearer(self, authorization: bytes) -> Token | None:
        """The token of the header; every known one is compared, in constant time, whichever it is."""
        scheme, _, secret = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        digest = sha256(secret.strip()).digest()
        found = None
        for known, token in self._tokens:
            if hmac.compare_digest(known, digest):
                found = token
        return found


def groups_of(token: Token) -> tuple[str, ...]:
    """A user's groups, with the one that every authenticated user has."""
    return token.groups if token is ANONYMOUS else (*token.groups, _EVERYBODY)


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
