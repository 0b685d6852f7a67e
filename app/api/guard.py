"""Who sends a request. Where nobody has to say who they are, everybody on loopback may send requests."""

import re
from functools import lru_cache
from ipaddress import ip_address

import structlog

from app.api.access.access import Access
from app.api.access.client_certificates import ClientCertificates
from app.api.access.identity import RefusedCredentialError
from app.api.exchange import Exchange
from app.domain.errors import Forbidden, Unauthorized
from app.domain.user import ANONYMOUS, ON_LOOPBACK, User
from app.telemetry.metrics import AUTHENTICATION_ATTEMPTS, AUTHENTICATION_FAILURES

_log = structlog.stdlib.get_logger(__name__)

_SUCCESSES, _FAILURES = map(AUTHENTICATION_ATTEMPTS.labels, ("success", "failure"))
_UNAUTHORIZED = "Unauthorized: send a token that this server accepts as Authorization: Bearer TOKEN, or a certificate"
_LONGEST_HOST = 262
"""The longest DNS name with a port: longer values are not remembered."""
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9.-]{1,253}))(?::[0-9]{0,5})?")


class Guard:
    """Decides who sent a request, before anything else is done with it.

    Args:
        access: Who is let in. Where users need not say who they are, everybody who can connect is in the group
            system:masters and may do everything, and only loopback is listened on.
    """

    def __init__(self, access: Access) -> None:
        self._authentication = access.authentication
        self._required = access.required
        self._anonymous = access.anonymous
        self._failures = access.failures
        self._certificates = ClientCertificates()
        self._successes = 0

    async def admit(self, exchange: Exchange) -> User:
        """Who sent the request. It may wait, as for a provider of identities.

        Raises:
            Forbidden: Nobody has to say who they are, and the Host header names something else than this machine's
                loopback: a page in a browser may have been made to resolve its own name to 127.0.0.1 (DNS rebinding).
            ServiceUnavailable: Who has the credential cannot be told at the moment.
            TooManyRequests: Too many wrong credentials come at once.
            Unauthorized: The request has a credential that is nobody's. One without a credential is a stranger's, who
                has the rights of the group system:unauthenticated.
        """
        if not self._required:
            self._check_loopback(exchange)
        try:
            user = await self._identified(exchange)
        except RefusedCredentialError as error:
            if self._required:
                _FAILURES.inc()
                AUTHENTICATION_FAILURES.labels(error.reason).inc()
                _log.info("a credential was refused", reason=error.reason)
                await self._failures.slow_down(exchange.address)
                raise Unauthorized(_UNAUTHORIZED) from error
            user = None
        if user is not None:
            return user
        return self._stranger(exchange.path) if self._required else ON_LOOPBACK

    async def _identified(self, exchange: Exchange) -> User | None:
        """The user whose credential the request has, None if it has none.

        Raises:
            RefusedCredentialError: The credential is nobody's.
        """
        certificate = exchange.peer_certificate
        scheme, _, secret = exchange.headers.get(b"authorization", b"").partition(b" ")
        token = secret.strip() if scheme.lower() == b"bearer" else b""
        if certificate is None and not token:
            return None
        user = await self._user_of(certificate, token)
        self._successes += 1
        return user

    def tell_successes(self) -> None:
        """Add up the credentials that were good since the last time: a metric costs more than looking at a token."""
        _SUCCESSES.inc(self._successes)
        self._successes = 0

    async def _user_of(self, certificate: bytes | None, token: bytes) -> User:
        """The user of a certificate; where that is no good, the bearer of the token, if there is one."""
        if certificate is not None:
            try:
                return self._certificates.user_of(certificate)
            except RefusedCredentialError:
                if not token:
                    raise
        return (await self._authentication.identify(token)).user

    def _stranger(self, path: str) -> User:
        """Who somebody without a credential is.

        Raises:
            Unauthorized: Strangers are not let in, or not on this path.
        """
        listed = self._anonymous()
        if listed is not None and path not in listed:
            raise Unauthorized(_UNAUTHORIZED)
        return ANONYMOUS

    @staticmethod
    def _check_loopback(exchange: Exchange) -> None:
        """Refuse what a page in a browser may have sent.

        A browser lets any page open a WebSocket anywhere and read from it, so the page has to be of loopback, too.
        """
        if not names_loopback(exchange.headers.get(b"host", b"")):
            raise Forbidden(
                "without a token file only requests to a loopback name are answered: use localhost, 127.0.0.1 or "
                "[::1] in the URL, or start the server with --token-file"
            )
        origin = exchange.headers.get(b"origin") if exchange.over_websocket else None
        if origin is not None and not names_loopback(origin.partition(b"://")[2]):
            raise Forbidden(
                "without a token file a WebSocket is open to pages of loopback only: start the server with --token-file"
            )


def names_loopback(host: bytes) -> bool:
    """Whether a Host header names this machine's loopback."""
    return len(host) <= _LONGEST_HOST and _is_name_of_loopback(host)


@lru_cache(maxsize=256)
def _is_name_of_loopback(host: bytes) -> bool:
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
