"""A reconciler process, and how its controllers are put together."""

import asyncio
import secrets
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI

from app.api.health import health_routes
from app.api.server import serve
from app.certificates import RootCertificates
from app.controllers.address_pools import AddressPools
from app.controllers.allocation.controller import Allocation
from app.controllers.allocation.memory import PoolMemory
from app.controllers.api_endpoints import ApiEndpoints
from app.controllers.backend_index import BackendIndex
from app.controllers.controller import Controller, Targets
from app.controllers.encryption import Encryption
from app.controllers.endpoint_slices import EndpointSlices
from app.controllers.endpoints_objects import EndpointsObjects
from app.controllers.event_expiry import EventExpiry
from app.controllers.event_recorder import EventRecorder
from app.controllers.garbage_collection import GarbageCollection
from app.controllers.log_compaction import LogCompaction
from app.controllers.mirrored_slices import MirroredSlices
from app.controllers.namespace_defaults import NamespaceDefaults
from app.controllers.namespaces import Namespaces
from app.controllers.registrations import Registrations
from app.controllers.service_cidrs import ServiceCIDRs
from app.domain.pools.pool_set import PoolSet
from app.main.parts import Parts, holder_name, started
from app.main.reloading import reloading, root_certificates, warn_if_exposed
from app.reconciler.failures import FailureReports
from app.reconciler.loop import Reconciler
from app.reconciler.worker import WorkerContext
from app.reloading import log_level
from app.settings import ReconcilerSettings
from app.store.leases import Leases

_GATHERING_SECONDS = 0.01
"""Seconds in which changes gather before they are fetched; controllers rest longer than that between two batches."""


_log = structlog.stdlib.get_logger(__name__)


async def run_reconciler(settings: ReconcilerSettings, listener: socket.socket | None) -> None:
    """Reconcile until SIGTERM or SIGINT; SIGHUP has it read the level of the log again.

    Args:
        settings: Of the command line.
        listener: A bound socket for health and metrics, None to serve none.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none.
        DisagreementError: Others work on the database with other settings.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    roots = settings.root_certificates
    sources = (*log_level(settings), *root_certificates(roots))
    async with reloading(stopping.set, *sources), started(settings, gathering=_GATHERING_SECONDS) as parts:
        _warn_of_readers(settings.encryption_key_file)
        work = asyncio.create_task(reconciler_of(parts, controllers_of(parts, roots)).run(), name="reconciler")
        health = asyncio.create_task(_serve_health(listener, parts, stopping), name="health")
        end = asyncio.create_task(stopping.wait(), name="stopping")
        await asyncio.wait({work, health, end}, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        work.cancel()
        await asyncio.wait({work, health})
        for task in (work, health):
            if not task.cancelled():
                task.result()


def _warn_of_readers(encryption_keys: Path | None) -> None:
    """Log who can read Secrets without the API: once, as most deployments have only one or two reconcilers."""
    if encryption_keys is None:
        _log.warning("Secrets are stored in clear, for whoever can read the database: give --encryption-key-file")
    else:
        warn_if_exposed(encryption_keys)


def memory_of(parts: Parts) -> PoolMemory:
    """The pools as a reconciler remembers them."""
    return PoolMemory(parts.reader, PoolSet(secrets.randbelow, time.monotonic), parts.cluster)


def allocation_of(parts: Parts, memory: PoolMemory) -> Allocation:
    """The controller that allocates from the remembered pools."""
    recorder = EventRecorder(parts.writer, parts.mirror, parts.cluster)
    return Allocation(parts.writer, parts.reader, parts.mirror, parts.cluster, memory, recorder, parts.kinds)


def controllers_of(parts: Parts, roots: RootCertificates | None = None) -> list[Controller[Any]]:
    """All controllers of a reconciler; `roots` are the certificates by which clients know the API, if they do."""
    recorder = EventRecorder(parts.writer, parts.mirror, parts.cluster)
    index = BackendIndex(parts.mirror)
    leases = Leases(parts.database)
    memory = memory_of(parts)
    return [
        allocation_of(parts, memory),
        Namespaces(parts.writer, parts.mirror, parts.kinds, parts.cluster),
        NamespaceDefaults(parts.writer, parts.mirror, parts.cluster, lambda: "" if roots is None else roots.pem),
        EndpointSlices(parts.writer, parts.mirror, index, parts.cluster),
        EndpointsObjects(parts.writer, parts.mirror, index, parts.cluster),
        MirroredSlices(parts.writer, parts.mirror, index, parts.cluster),
        GarbageCollection(parts.writer, parts.mirror, parts.kinds, parts.cluster),
        Registrations(parts.writer, parts.reader, parts.mirror, index, parts.cluster, recorder, clock=time.monotonic),
        ServiceCIDRs(parts.writer, parts.reader, parts.mirror, parts.cluster),
        AddressPools(parts.writer, parts.reader, parts.mirror, parts.cluster, memory),
        ApiEndpoints(parts.writer, parts.mirror, index, leases, parts.cluster),
        EventExpiry(parts.writer, parts.mirror, parts.cluster),
        LogCompaction(parts.database),
        Encryption(parts.database),
    ]


def reconciler_of(parts: Parts, controllers: Sequence[Controller[Any]], targets: Sequence[Targets] = ()) -> Reconciler:
    """The loop that runs controllers."""
    recorder = EventRecorder(parts.writer, parts.mirror, parts.cluster)
    reports = FailureReports(parts.writer, parts.mirror, parts.kinds, parts.cluster, recorder)
    context = WorkerContext(parts.mirror, Leases(parts.database), parts.notifications, reports, holder_name())
    return Reconciler(controllers, context, targets)


async def _serve_health(listener: socket.socket | None, parts: Parts, stopping: asyncio.Event) -> None:
    if listener is None:
        await stopping.wait()
        return
    app = FastAPI(openapi_url=None)
    app.include_router(health_routes({"mirror": parts.check_mirror}))
    await serve(app, listener, stopping)
