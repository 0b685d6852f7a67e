"""A store, a mirror and the verbs in one process, with any controllers running over them."""

import asyncio
import contextlib
from dataclasses import replace

import msgspec

from app.credentials.tsig_keys import TsigKeys
from app.domain.documents.encoding import decode_object
from app.domain.errors import Conflict, NotFound
from app.domain.user import ITSELF
from app.main.parts import started
from app.main.reconciler import allocation_of, controllers_of, memory_of, reconciler_of
from app.main.zones import zone_work
from app.registry.options import DeleteOptions, WriteOptions
from app.registry.target import Target
from app.settings.processes import Settings
from app.startup.bootstrap import bootstrap
from app.startup.initial_pools import make_initial_pools
from app.store.milestones import Milestones
from tests.e2e.waiting import eventually


def target(kind, namespace, name="", subresource=""):
    """What a call is about; a cluster-scoped kind has no namespace."""
    return Target(kind, namespace if kind.namespaced else "", name, subresource)


BY_US = WriteOptions(user=ITSELF)


class World:
    """What a client and a reconciler have in common.

    Attributes:
        parts: Of the composition root.
        registry: The verbs.
        keys: With which DNS messages are signed; tests may give others.
    """

    def __init__(self, parts, registry):
        self.keys = TsigKeys(None)
        self.parts = parts
        self.registry = registry

    async def create(self, kind, document, namespace="default"):
        """Create an object from a document; answers it as stored."""
        obj = msgspec.convert(document, type=kind.model)
        answer = await self.registry.create(target(kind, namespace), obj, BY_US)
        return decode_object(kind, answer.entry.wire)

    async def change(self, kind, name, change, namespace="default", subresource=""):
        """Read an object, change it in place and put it back; answers it as stored.

        As clients do, it begins again when somebody else, a controller perhaps, changed the object meanwhile.
        """
        about = target(kind, namespace, name, subresource)
        while True:
            obj = await self.get(kind, name, namespace)
            change(obj)
            with contextlib.suppress(Conflict):
                answer = await self.registry.update(about, obj, BY_US)
                return decode_object(kind, answer.entry.wire)

    async def delete(self, kind, name, namespace="default", **options):
        """Delete an object."""
        return await self.registry.delete(target(kind, namespace, name), DeleteOptions(**options))

    async def get(self, kind, name, namespace="default"):
        """An object as it is now; None when it is not there."""
        try:
            entry = await self.registry.get(target(kind, namespace, name))
        except NotFound:
            return None
        return decode_object(kind, entry.wire)

    async def names(self, kind, namespace="default"):
        """Names of all objects of a kind in a namespace."""
        await self.parts.mirror.fresh()
        return {entry.name for entry in self.parts.mirror.list(kind.key, namespace if kind.namespaced else None)}

    async def gone(self, kind, name, namespace="default"):
        """Wait until an object is not there any more."""

        async def is_gone():
            return await self.get(kind, name, namespace) is None

        await eventually(is_gone)

    async def becomes(self, kind, name, condition, namespace="default"):
        """Wait until an object fulfils a condition; answers it."""

        async def fulfilled():
            obj = await self.get(kind, name, namespace)
            return obj if obj is not None and condition(obj) else None

        return await eventually(fulfilled)

    def reconciling(self, *controllers, targets=(), reporting=None):
        """Run controllers until the end of the block; `reporting` writes what is shown of failures."""
        return _run(reconciler_of(replace(self.parts, writer=reporting or self.parts.writer), controllers, targets))

    def allocating(self):
        """Run the allocation until the end of the block."""
        return self.reconciling(allocation_of(self.parts, memory_of(self.parts)))

    def reconciling_everything(self):
        """Run the controllers of a reconciler process until the end of the block."""
        zones, targets = zone_work(self.parts, self.keys)
        return _run(reconciler_of(self.parts, [*controllers_of(self.parts), *zones], targets))


@contextlib.asynccontextmanager
async def _run(reconciler):
    task = asyncio.create_task(reconciler.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def running(url, **settings):
    """A world on a database, with what is there from the start."""
    given = Settings(database_url=url, **settings)
    async with started(given, asyncio.Event()) as parts:
        registry = parts.registry(5.0, lambda: True)
        await bootstrap(registry)
        await make_initial_pools(registry, Milestones(parts.database), given.initial_pools())
        yield World(parts, registry)
