"""The API's verbs over any kind: one object that the HTTP edge talks to."""

from collections.abc import Sequence
from typing import Any

from app.domain.declarations.catalog import Kinds
from app.domain.declarations.kind import Kind
from app.mirror.entry import Entry
from app.registry.bulk import Bulk
from app.registry.bulk_preparation import BulkOptions, BulkResult, RawItem
from app.registry.context import Context
from app.registry.creation import Creation
from app.registry.deletion import Deletion
from app.registry.options import Answer, DeleteOptions, ListOptions, Page, Patch, WatchOptions, WriteOptions
from app.registry.reading import Reading
from app.registry.sources import Sources
from app.registry.updating import Subresource, Updating
from app.registry.watching import Watch, Watching


class Registry:
    """Create, get, list, watch, update, patch and delete. Every method raises `ApiError` when it refuses.

    Attributes:
        kinds: All kinds served.
    """

    def __init__(self, context: Context, kinds: Kinds) -> None:
        self.kinds = kinds
        sources = Sources(context.mirror, kinds, context.forms, context.cluster)
        creation = Creation(context)
        self._creation = creation
        self._updating = Updating(context, creation)
        self._bulk = Bulk(context, kinds, creation, self._updating)
        self._reading = Reading(context, sources)
        self._deletion = Deletion(context, self._reading)
        self._watching = Watching(context, sources)

    async def apply(self, items: Sequence[RawItem], options: BulkOptions) -> list[BulkResult]:
        """Apply many objects, all or none; see `Bulk.apply`."""
        return await self._bulk.apply(items, options)

    async def create(self, kind: Kind[Any], namespace: str, obj: Any, options: WriteOptions) -> Answer:
        """Store a new object; see `Creation.create`."""
        return await self._creation.create(kind, namespace, obj, options)

    async def update(
        self, kind: Kind[Any], namespace: str, name: str, obj: Any, options: WriteOptions, subresource: Subresource = ""
    ) -> Answer:
        """Replace an object or its status; see `Updating.update`."""
        return await self._updating.update(kind, namespace, name, obj, options, subresource)

    async def patch(
        self,
        kind: Kind[Any],
        namespace: str,
        name: str,
        patch: Patch,
        options: WriteOptions,
        subresource: Subresource = "",
    ) -> Answer:
        """Patch an object or its status; see `Updating.patch`."""
        return await self._updating.patch(kind, namespace, name, patch, options, subresource)

    async def delete(self, kind: Kind[Any], namespace: str, name: str, options: DeleteOptions) -> Answer:
        """Delete an object; see `Deletion.delete`."""
        return await self._deletion.delete(kind, namespace, name, options)

    async def delete_collection(
        self, kind: Kind[Any], namespace: str, selected: ListOptions, options: DeleteOptions
    ) -> Page:
        """Delete a selection; see `Deletion.delete_collection`."""
        return await self._deletion.delete_collection(kind, namespace, selected, options)

    async def get(self, kind: Kind[Any], namespace: str, name: str, resource_version: str = "") -> Entry:
        """One object; see `Reading.get`."""
        return await self._reading.get(kind, namespace, name, resource_version)

    async def list(self, kind: Kind[Any], namespace: str | None, options: ListOptions) -> Page:
        """A page of objects, `namespace` None for all; see `Reading.list`."""
        return await self._reading.list(kind, namespace, options)

    async def watch(self, kind: Kind[Any], namespace: str | None, options: WatchOptions) -> Watch:
        """A stream of changes; see `Watching.watch`."""
        return await self._watching.watch(kind, namespace, options)
