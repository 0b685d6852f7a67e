"""The one route for resources: from method and path to a verb of the registry, whatever the kind."""

from collections.abc import Awaitable, Callable

from app.api.exchange import Exchange
from app.api.negotiation import negotiate
from app.api.parameters import is_watch
from app.api.paths import ResourcePaths, Target
from app.api.reads import Reads
from app.api.warnings import warning_headers
from app.api.writes import Writes
from app.domain.errors import MethodNotAllowed
from app.domain.kinds.catalog import Kinds
from app.registry.registry import Registry

Verb = Callable[[Exchange, Target], Awaitable[None]]


class Resources:
    """Dispatches requests for objects and collections."""

    def __init__(self, registry: Registry, reads: Reads, writes: Writes) -> None:
        kinds: Kinds = registry.kinds
        self._paths = ResourcePaths(kinds)
        self._warnings = {kind.key: warning_headers([kind.deprecation]) if kind.deprecation else () for kind in kinds}
        self._on_object = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
        self._on_collection = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
        self._verbs: dict[str, Verb] = {
            "get": reads.get,
            "list": reads.list,
            "watch": reads.watch,
            "create": writes.create,
            "update": writes.update,
            "delete": writes.delete,
            "deletecollection": writes.delete_collection,
        }

    async def handle(self, exchange: Exchange) -> None:
        """Answer a request below `/api/` or `/apis/`.

        Raises:
            ApiError: The request is refused.
        """
        target = self._paths.resolve(exchange.path)
        verb = self._verb(exchange, target)
        exchange.verb, exchange.resource = verb, target.kind.plural
        exchange.extra = self._warnings[target.kind.key]
        exchange.form = negotiate(exchange.headers.get(b"accept", b""))
        await self._verbs[verb](exchange, target)

    def _verb(self, exchange: Exchange, target: Target) -> str:
        verb = (self._on_object if target.name else self._on_collection).get(exchange.method, "")
        if verb == "list" and exchange.scope["query_string"] and is_watch(exchange.query):
            verb = "watch"
        if target.watch and exchange.method == "GET":
            verb = "watch"
        if verb not in self._paths.verbs(target) or verb not in self._verbs:
            raise self._refused(target)
        return verb

    def _refused(self, target: Target) -> MethodNotAllowed:
        methods = self._on_object if target.name else self._on_collection
        offered = [method for method, verb in methods.items() if verb in self._paths.verbs(target)]
        return MethodNotAllowed(
            f"the server does not allow this method on the requested resource; it allows {', '.join(offered)}",
            group=target.kind.group,
            kind=target.kind.plural,
            name=target.name,
        )
