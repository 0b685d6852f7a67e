"""The verbs that read: get, list and watch."""

from app.api.exchange import Exchange
from app.api.negotiation import PLAIN
from app.api.parameters import list_options, watch_options, whole_number
from app.api.rendering import Renderer
from app.api.streaming import Streams
from app.api.watch_frames import Frames
from app.domain.errors import Expired, NotAcceptable
from app.registry.registry import Registry
from app.registry.target import Target


class Reads:
    """Answers requests that read."""

    def __init__(self, registry: Registry, renderer: Renderer, streams: Streams) -> None:
        self._registry = registry
        self._renderer = renderer
        self._streams = streams

    async def get(self, exchange: Exchange, target: Target) -> None:
        """GET of an object."""
        revision = exchange.query.get("resourceVersion", "")
        entry = await self._registry.get(target, revision)
        if exchange.form is PLAIN and not exchange.pretty:
            await exchange.reply(200, entry.wire)
        else:
            await self._renderer.entry(exchange, target.kind.carried_by(target.subresource), entry)

    async def list(self, exchange: Exchange, target: Target) -> None:
        """GET of a collection."""
        page = await self._registry.list(target, list_options(exchange.query))
        await self._renderer.page(exchange, target.kind, page)

    async def watch(self, exchange: Exchange, target: Target) -> None:
        """GET with `watch`: a stream of events, one JSON document a line."""
        if exchange.form.media != "json":
            raise NotAcceptable("a watch is answered as application/json only")
        frames = Frames(target.kind, exchange.form, self._renderer.table(exchange, target.kind))
        limit = whole_number(exchange.query, "timeoutSeconds")
        options = watch_options(exchange.query, target.name)
        with self._streams.opened(exchange):
            try:
                watch = await self._registry.watch(target, options)
            except Expired as error:
                await self._streams.refuse(exchange, frames.error(error))
                return
            await self._streams.run(exchange, watch, frames, limit)
