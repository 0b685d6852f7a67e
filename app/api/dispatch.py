"""The one route for the resources of all kinds: from method and path to a verb of the registry."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from app.api.access.routes import Answerer, Route, target_request, unserved_request
from app.api.exchange import Exchange
from app.api.headers import warning_headers
from app.api.negotiation import negotiate
from app.api.paths import ResourcePaths
from app.api.websocket import no_watch
from app.domain.declarations.catalog import Kinds
from app.domain.errors import ApiError, MethodNotAllowed, NotFound
from app.registry.target import Target

Verb = Callable[[Exchange, Target], Awaitable[None]]

_ON_OBJECT = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ON_SUBRESOURCE = _ON_OBJECT | {"POST": "create"}
_ON_COLLECTION = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}


class Resources:
    """Dispatches requests for objects and collections.

    Args:
        kinds: The kinds that have a resource path.
        verbs: Answer each verb, by the name that discovery gives it.
        actions: Answer the paths that belong to no kind.
    """

    def __init__(self, kinds: Kinds, verbs: Mapping[str, Verb], actions: Mapping[str, Answerer]) -> None:
        self._actions = actions
        self._paths = ResourcePaths(kinds)
        self._verbs = verbs
        self._warnings = {kind.key: warning_headers([kind.deprecation]) if kind.deprecation else () for kind in kinds}

    def route(self, exchange: Exchange) -> Route:
        """Where a request below `/api/` or `/apis/` goes. A path that names nothing goes to an error.

        Raises:
            BadRequest: The query cannot be read.
        """
        action = self._actions.get(exchange.path)
        if action is not None:
            return Route(unserved_request(exchange), action)
        try:
            target, streams = self._paths.resolve(exchange.path)
        except NotFound as error:
            return Route(unserved_request(exchange), partial(_fail, error))
        request = target_request(exchange, target, streams=streams)
        exchange.resource, exchange.verb = target.kind.plural, request.verb
        return Route(request, partial(self._answer, target))

    async def _answer(self, target: Target, exchange: Exchange) -> None:
        """Answer a request that is authorized.

        Raises:
            ApiError: The request is refused.
        """
        verb = exchange.verb
        if exchange.method not in _methods(target) or verb not in self._paths.verbs(target):
            raise self._refused(exchange, target)
        if exchange.over_websocket and verb != "watch":
            raise no_watch()
        exchange.extra = self._warnings[target.kind.key]
        exchange.form = negotiate(exchange.headers.get(b"accept", b""))
        await self._verbs[verb](exchange, target)

    def _refused(self, exchange: Exchange, target: Target) -> MethodNotAllowed:
        offered = ", ".join(method for method, verb in _methods(target).items() if verb in self._paths.verbs(target))
        exchange.extra = ((b"allow", offered.encode()),)
        return MethodNotAllowed(
            f"the server does not allow this method on the requested resource; it allows {offered or 'none'}"
        )


def _methods(target: Target) -> Mapping[str, str]:
    """The verbs by their HTTP methods."""
    if target.subresource:
        return _ON_SUBRESOURCE
    return _ON_OBJECT if target.name else _ON_COLLECTION


async def _fail(error: ApiError, _: Exchange) -> None:
    raise error
