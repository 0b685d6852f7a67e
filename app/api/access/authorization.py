"""Whether a user may do what a request asks: asked once for each request, after its path was read."""

from app.api.access.audit_lines import DECISION
from app.api.access.impersonation import impersonated
from app.api.access.routes import Route
from app.api.bulk import BULK_PATH
from app.api.exchange import Exchange
from app.cluster.authorizer import Authorizer
from app.domain.declarations.default_roles import PUBLIC_PATHS
from app.domain.errors import Forbidden
from app.domain.user import ALL_AUTHENTICATED

OPEN_TO_ALL = ("/console", "/docs", "/openapi.json", "/redoc")
"""Paths that describe the product and tell nothing of this server, with everything below them; and the console, which
asks the API with the credential of its user."""

OPEN_TO_USERS = (BULK_PATH,)
"""Paths for everybody who proved who they are: each object in a request is authorized by itself."""


def is_public(path: str) -> bool:
    """Whether a path is answered without a token, as long as the default bindings are as they were."""
    return path in PUBLIC_PATHS or _is_open(path)


def _is_open(path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in OPEN_TO_ALL)


class Authorization:
    """Lets a request pass, or refuses it.

    Args:
        authorizer: Decides by roles and bindings.
    """

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def impersonate(self, exchange: Exchange) -> None:
        """Let a user act as another one, if the request asks for it.

        Raises:
            BadRequest: The headers ask for something else than a user.
            Forbidden: The user may not act as the other one.
        """
        wanted = impersonated(exchange.scope["headers"])
        if wanted is None:
            return
        for request in wanted.requests:
            await self._authorizer.authorize(exchange.user, request)
        exchange.impersonator, exchange.user = exchange.user, wanted.user

    async def authorize(self, exchange: Exchange, route: Route) -> None:
        """Return if the user may do what the request asks.

        Raises:
            Forbidden: The user may not.
        """
        allowed = self._authorizer.allows(exchange.user, route.request)
        if not allowed and not self._needs_no_right(exchange):
            try:
                await self._authorizer.authorize(exchange.user, route.request)
            except Forbidden:
                _annotate(exchange, "forbid")
                raise
        exchange.asked = route.request
        _annotate(exchange, "allow")

    @staticmethod
    def _needs_no_right(exchange: Exchange) -> bool:
        is_for_users = exchange.path in OPEN_TO_USERS and ALL_AUTHENTICATED in exchange.user.groups
        return is_for_users or _is_open(exchange.path)


def _annotate(exchange: Exchange, decision: str) -> None:
    """Tell the audit log what was decided."""
    if exchange.record is not None:
        exchange.record.annotations[DECISION] = decision
