"""The one route for the resources of all kinds: from method and path to a verb of the registry."""

from collections.abc import Awaitable, Callable, Mapping

from app.api.exchange import Exchange
from app.api.headers import warning_headers
from app.api.negotiation import negotiate
from app.api.parameters import is_watch
from app.api.paths import ResourcePaths
from app.api.websocket import no_watch
from app.domain.declarations.catalog import Kinds
from app.domain.errors import MethodNotAllowed
from app.registry.target import Target

Verb = Callable[[Exchange, Target], Awaitable[None]]
Answerer = Callable[[Exchange], Awaitable[None]]

_ON_OBJECT = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
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

    async def handle(self, exchange: Exchange) -> None:
        """Answer a request below `/api/` or `/apis/`.

        Raises:
            ApiError: The request is refused.
        """
        action = self._actions.get(exchange.path)
        if action is not None:
            await action(exchange)
            return
        target, streams = self._paths.resolve(exchange.path)
        exchange.resource = target.kind.plural
        exchange.verb = verb = self._verb(exchange, target, streams=streams)
        exchange.extra = self._warnings[target.kind.key]
        exchange.form = negotiate(exchange.headers.get(b"accept", b""))
        await self._verbs[verb](exchange, target)

    def _verb(self, exchange: Exchange, target: Target, *, streams: bool) -> str:
        verb = (_ON_OBJECT if target.name else _ON_COLLECTION).get(exchange.method, "")
        streams = streams or (exchange.scope["query_string"] and verb == "list" and is_watch(exchange.query))
        if streams and exchange.method == "GET":
            verb = "watch"
        if verb not in self._paths.verbs(target):
            raise self._refused(exchange, target)
        if exchange.over_websocket and verb != "watch":
            raise no_watch()
        return verb

    def _refused(self, exchange: Exchange, target: Target) -> MethodNotAllowed:
        methods = _ON_OBJECT if target.name else _ON_COLLECTION
        offered = ", ".join(method for method, verb in methods.items() if verb in self._paths.verbs(target))
        exchange.extra = ((b"allow", offered.encode()),)
        return MethodNotAllowed(
            f"the server does not allow this method on the requested resource; it allows {offered or 'none'}",
            group=target.kind.group,
            kind=target.kind.plural,
            name=target.name,
        )
