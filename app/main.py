"""The composition root: from settings to a running API process or reconciler."""

import asyncio
import gc
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial

from fastapi import FastAPI

from app import __version__
from app.api.application import create_app
from app.api.health import health_routes
from app.api.server import serve
from app.controllers.allocation import Allocation
from app.controllers.api_endpoints import ApiEndpoints
from app.controllers.backend_index import BackendIndex
from app.controllers.controller import Controller
from app.controllers.endpoint_slices import EndpointSlices
from app.controllers.endpoints_objects import EndpointsObjects
from app.controllers.event_expiry import EventExpiry
from app.controllers.event_recorder import EventRecorder
from app.controllers.garbage_collection import GarbageCollection
from app.controllers.log_compaction import LogCompaction
from app.controllers.mirrored_slices import MirroredSlices
from app.controllers.namespaces import Namespaces
from app.controllers.registrations import Registrations
from app.controllers.service_cidrs import ServiceCIDRs
from app.domain.errors import ServiceUnavailable
from app.domain.kinds.catalog import Kinds
from app.domain.kinds.meta import Cluster
from app.domain.kinds.service_declaration import SERVICE
from app.domain.rules.pool_set import PoolSet
from app.domain.timestamps import format_time
from app.domain.wanted.api_endpoints import lease_name
from app.mirror.mirror import Mirror
from app.mirror.service_ranges import ServiceRanges
from app.reconciler.loop import Reconciler
from app.registry.bootstrap import Surroundings
from app.registry.context import Context
from app.registry.forms import Forms
from app.registry.presence import Presence, reachable_address
from app.registry.preview import ServicePreview
from app.registry.registry import Registry
from app.settings import ApiSettings, ReconcilerSettings, Settings
from app.store import schema
from app.store.agreement import agreed
from app.store.database import Database
from app.store.leases import Leases
from app.store.notifications import Notifications
from app.store.reader import Reader
from app.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Parts:
    """What an API process and a reconciler have in common."""

    database: Database
    writer: Writer
    reader: Reader
    notifications: Notifications
    mirror: Mirror
    kinds: Kinds
    cluster: Callable[[], Cluster]
    empty_pools: Callable[[], PoolSet]

    async def check_mirror(self) -> None:
        """For `/readyz`: the objects are in memory and follow the log."""
        if not self.mirror.ready:
            raise ServiceUnavailable("the objects in memory do not follow the log")


async def run_api(settings: ApiSettings, listener: socket.socket) -> None:
    """Serve the API until SIGTERM or SIGINT.

    Args:
        settings: Of the command line.
        listener: A bound socket.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none.
        DisagreementError: Others work on the database with other settings.
    """
    stopping = asyncio.Event()
    async with _parts(settings) as parts:
        context = Context(
            writer=parts.writer,
            mirror=parts.mirror,
            cluster=parts.cluster,
            allocation_wait=settings.allocation_wait,
            forms=Forms(parts.kinds),
            previews={SERVICE.key: ServicePreview(parts.reader, parts.empty_pools)},
        )
        registry = Registry(context, parts.kinds)
        surroundings = Surroundings(list(map(str, settings.service_cidrs)), listener.getsockname()[1])
        await surroundings.ensure(registry)
        await surroundings.adapt(registry)
        app = create_app(
            registry,
            now=_now,
            ready={"mirror": parts.check_mirror},
            version=__version__,
            tokens=settings.tokens,
            stopping=stopping,
        )
        place = (str(settings.advertise_address or reachable_address(settings.host)), surroundings.port)
        holder = _holder()
        ensure = partial(surroundings.ensure, registry)
        presence = Presence(Leases(parts.database), lease_name(place, holder), holder, ensure)
        present = asyncio.create_task(presence.run(stopping), name="presence")
        try:
            await serve(app, listener, stopping, settings.tls)
        finally:
            stopping.set()
            await present


async def run_reconciler(settings: ReconcilerSettings) -> None:
    """Reconcile until SIGTERM or SIGINT.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none.
        DisagreementError: Others work on the database with other settings.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    async with _parts(settings) as parts:
        work = asyncio.create_task(_reconciler(parts).run(), name="reconciler")
        health = asyncio.create_task(_serve_health(settings, parts, stopping), name="health")
        end = asyncio.create_task(stopping.wait(), name="stopping")
        await asyncio.wait({work, health, end}, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        work.cancel()
        await asyncio.wait({work, health})
        for task in (work, health):
            if not task.cancelled():
                task.result()


def _reconciler(parts: Parts) -> Reconciler:
    recorder = EventRecorder(parts.writer, parts.mirror, parts.cluster)
    index = BackendIndex(parts.mirror)
    leases = Leases(parts.database)
    controllers: list[Controller] = [
        Allocation(parts.writer, parts.reader, parts.mirror, parts.cluster, parts.empty_pools(), recorder, parts.kinds),
        Namespaces(parts.writer, parts.mirror, parts.kinds, parts.cluster),
        EndpointSlices(parts.writer, parts.mirror, index, parts.cluster),
        EndpointsObjects(parts.writer, parts.mirror, index, parts.cluster),
        MirroredSlices(parts.writer, parts.mirror, index, parts.cluster),
        GarbageCollection(parts.writer, parts.mirror, parts.kinds, parts.cluster),
        Registrations(parts.writer, parts.reader, parts.mirror, index, parts.cluster, recorder, clock=time.monotonic),
        ServiceCIDRs(parts.writer, parts.reader, parts.mirror, parts.cluster),
        ApiEndpoints(parts.writer, parts.mirror, leases, parts.cluster),
        EventExpiry(parts.writer, parts.mirror, parts.cluster),
        LogCompaction(parts.database),
    ]
    return Reconciler(controllers, parts.mirror, leases, parts.notifications, _holder())


def _holder() -> str:
    """A name for this process that no other ever had."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


async def _serve_health(settings: ReconcilerSettings, parts: Parts, stopping: asyncio.Event) -> None:
    if not settings.health_port:
        await stopping.wait()
        return
    app = FastAPI(openapi_url=None)
    app.include_router(health_routes({"mirror": parts.check_mirror}))
    listener = socket.create_server((settings.health_host, settings.health_port))
    await serve(app, listener, stopping)


@asynccontextmanager
async def _parts(settings: Settings) -> AsyncIterator[Parts]:
    """Build what both processes need, started, and close it at the end."""
    database = Database(_url(settings))
    try:
        await schema.check(database)
        async with agreed(database, _holder(), settings.agreed()), _started(settings, database) as parts:
            yield parts
    finally:
        await database.close()


@asynccontextmanager
async def _started(settings: Settings, database: Database) -> AsyncIterator[Parts]:
    """Everything that works on a database which is one to work with."""
    reader, writer, notifications = Reader(database), Writer(database), Notifications(database)
    mirror = Mirror(reader, notifications)
    await notifications.start()
    await writer.start()
    await mirror.start()
    ranges = ServiceRanges(mirror, tuple(map(str, settings.service_cidrs)))
    # What was loaded stays: a full collection need not walk it each time.
    gc.collect()
    gc.freeze()
    try:
        yield Parts(
            database=database,
            writer=writer,
            reader=reader,
            notifications=notifications,
            mirror=mirror,
            kinds=Kinds(),
            cluster=_cluster(settings, ranges),
            empty_pools=_empty_pools(settings, ranges),
        )
    finally:
        await mirror.close()
        await writer.close()
        await notifications.close()
        await reader.close()


def _cluster(settings: Settings, ranges: ServiceRanges) -> Callable[[], Cluster]:
    node_port_range = (settings.node_port_range.first, settings.node_port_range.last)
    manages_load_balancers = settings.load_balancer_controller == "fairlead"
    internal_pools = tuple(map(str, settings.internal_pool))
    external_pools = tuple(map(str, settings.external_pool))

    def cluster() -> Cluster:
        return Cluster(
            service_cidrs=ranges.cidrs,
            served_families=ranges.families,
            node_port_range=node_port_range,
            cluster_domain=settings.cluster_domain,
            manages_load_balancers=manages_load_balancers,
            now=_now(),
            internal_pools=internal_pools,
            external_pools=external_pools,
        )

    return cluster


def _empty_pools(settings: Settings, ranges: ServiceRanges) -> Callable[[], PoolSet]:
    def empty_pools() -> PoolSet:
        return PoolSet(
            service_cidrs=ranges.cidrs,
            node_port_range=(settings.node_port_range.first, settings.node_port_range.last),
            internal_pool=map(str, settings.internal_pool),
            external_pool=map(str, settings.external_pool),
            random_below=secrets.randbelow,
        )

    return empty_pools


def _now() -> str:
    """The present as RFC 3339, in whole seconds: made once a second, since every write asks."""
    return _second(int(time.time()))


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))


def _url(settings: Settings) -> str:
    if settings.database_url is None:
        raise ValueError("the command line asks for a database URL before it gets here")
    return settings.database_url.get_secret_value()
