"""The verbs that change objects: create, update, patch, delete, deletecollection."""

from collections.abc import Awaitable, Callable, Mapping

from app.api.bodies import Bodies
from app.api.deletion_options import read_delete_options
from app.api.exchange import Exchange
from app.api.headers import preview_headers
from app.api.parameters import list_options, strictness, write_options
from app.api.patches import read_patch
from app.api.rendering import Renderer
from app.api.statuses import success
from app.domain.errors import MethodNotAllowed
from app.registry.options import Answer
from app.registry.registry import Registry
from app.registry.target import Target


class Writes:
    """Answers requests that write: reads the body and the options, calls the registry and sends the result.

    Args:
        registry: The verbs.
        bodies: Reads bodies.
        renderer: Writes answers.
        now: Tells the present as RFC 3339, for managedFields.
        answers: Answer what is posted and not stored, by the kind or subresource, such as `serviceaccounts/token`.
    """

    def __init__(
        self,
        registry: Registry,
        bodies: Bodies,
        renderer: Renderer,
        now: Callable[[], str],
        answers: Mapping[str, Callable[[Exchange, Target], Awaitable[None]]],
    ) -> None:
        self._registry = registry
        self._answers = answers
        self._now = now
        self._bodies = bodies
        self._renderer = renderer

    async def create(self, exchange: Exchange, target: Target) -> None:
        """POST to a collection, or to a subresource."""
        answer_only = self._answers.get(f"{target.kind.key}/{target.subresource}".rstrip("/"))
        if answer_only is not None:
            await answer_only(exchange, target)
            return
        if target.namespace is None:
            raise MethodNotAllowed(
                f"{target.kind.plural} are created in a namespace: POST to /namespaces/NAMESPACE/{target.kind.plural}"
            )
        options = write_options(exchange)
        obj, exchange.warnings = await self._bodies.read_object(exchange, target.kind, strictness(exchange.query))
        answer = await self._registry.create(target, obj, options)
        await self._send(exchange, target, answer)

    async def update(self, exchange: Exchange, target: Target) -> None:
        """PUT of an object or a subresource."""
        options = write_options(exchange)
        obj, exchange.warnings = await self._bodies.read_object(exchange, target.kind, strictness(exchange.query))
        answer = await self._registry.update(target, obj, options)
        await self._send(exchange, target, answer)

    async def patch(self, exchange: Exchange, target: Target) -> None:
        """PATCH of an object or a subresource."""
        patch, options = await read_patch(exchange, target, self._now)
        answer = await self._registry.patch(target, patch, options)
        await self._send(exchange, target, answer)

    async def delete(self, exchange: Exchange, target: Target) -> None:
        """DELETE of an object; the body may carry DeleteOptions."""
        options = await read_delete_options(exchange, self._bodies)
        answer = await self._registry.delete(target, options)
        if answer.deleted and not target.kind.delete_returns_object:
            kind, entry = target.kind, answer.entry
            body = success(group=kind.group, plural=kind.plural, name=entry.name, uid=entry.uid)
            exchange.warnings = answer.warnings
            exchange.extra += preview_headers(answer.preview)
            await self._renderer.document(exchange, body, answer.code)
            return
        await self._send(exchange, target, answer)

    async def delete_collection(self, exchange: Exchange, target: Target) -> None:
        """DELETE of all objects that the selectors choose."""
        if target.namespace is None:
            raise MethodNotAllowed("a collection is deleted one namespace at a time")
        selected = list_options(exchange.query)
        options = await read_delete_options(exchange, self._bodies)
        page = await self._registry.delete_collection(target, selected, options)
        await self._renderer.page(exchange, target.kind, page)

    async def _send(self, exchange: Exchange, target: Target, answer: Answer) -> None:
        if answer.warnings:
            exchange.warnings = [*exchange.warnings, *answer.warnings]
        exchange.extra += preview_headers(answer.preview)
        if answer.preference_applied:
            exchange.extra += ((b"preference-applied", b"respond-async"),)
        await self._renderer.entry(exchange, target.kind, answer.entry, answer.code)
