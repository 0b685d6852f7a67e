"""A reconciler process, and how its controllers are put together."""

import asyncio
import secrets
import socket
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from app.cluster.signing_keys import SigningKeys
from app.controllers.account_secrets import AccountSecrets
from app.controllers.address_pools import AddressPools
from app.controllers.aggregated_roles import AggregatedRoles
from app.controllers.allocation.controller import Allocation
from app.controllers.allocation.memory import PoolMemory
from app.controllers.api_endpoints import ApiEndpoints
from app.controllers.backend_index import BackendIndex
from app.controllers.controller import Controller, Targets
from app.controllers.data_planes import DataPlanes
from app.controllers.encryption import Encryption
from app.controllers.endpoint_slices import EndpointSlices
from app.controllers.endpoints_objects import EndpointsObjects
from app.controllers.event_expiry import EventExpiry
from app.controllers.event_recorder import EventRecorder
from app.controllers.garbage_collection import GarbageCollection
from app.controllers.history_retention import HistoryRetention
from app.controllers.load_balancer_events import LoadBalancerEvents
from app.controllers.log_compaction import LogCompaction
from app.controllers.mirrored_slices import MirroredSlices
from app.controllers.namespace_defaults import NamespaceDefaults
from app.controllers.namespaces import Namespaces
from app.controllers.programming import Programming
from app.controllers.quota_status import QuotaStatus
from app.controllers.registrations import Registrations
from app.controllers.service_cidrs import ServiceCIDRs
from app.controllers.signing_keys import SigningKeyRotation
from app.controllers.static_addresses import StaticAddresses
from app.credentials.certificates import RootCertificates
from app.domain.pools.pool_set import PoolSet
from app.main.exporting import exporting
from app.main.health import serve_health
from app.main.lifecycle import Lifecycle
from app.main.load_balancers import load_balancer_targets
from app.main.parts import Parts, holder_name, started
from app.main.reloading import reloading, root_certificates, service_tags, warn_if_exposed
from app.main.stopping import stop_signals
from app.main.zones import tsig_keys, zone_work
from app.reconciler.failures import FailureReports
from app.reconciler.loop import Reconciler
from app.reconciler.worker import WorkerContext
from app.reloading import log_level
from app.settings.processes import ReconcilerSettings
from app.store.address_ledger import AddressLedger
from app.store.leases import Leases
from app.store.signing_keys import SigningKeyStore

_GATHERING_SECONDS = 0.01
"""Seconds between two fetches of changes under load; controllers rest longer than that between two large batches."""


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
    roots = settings.root_certificates
    sources = (
        *log_level(settings),
        *root_certificates(roots),
        *service_tags(settings.service_tags_file),
        *tsig_keys(settings.tsig_keys),
    )
    async with (
        stop_signals() as stopping,
        reloading(stopping.set, *sources),
        exporting(settings, "reconciler"),
        started(settings, stopping, gathering=_GATHERING_SECONDS) as parts,
    ):
        _warn_of_readers(settings.encryption_key_file)
        zones, targets = zone_work(parts, settings.tsig_keys)
        targets += load_balancer_targets(parts, settings)
        controllers = controllers_of(
            parts, roots, timedelta(days=settings.signing_key_days), settings.history_retention.length
        )
        work = asyncio.create_task(reconciler_of(parts, [*controllers, *zones], targets).run(), name="reconciler")
        checks = {"mirror": parts.check_mirror}
        life = Lifecycle("reconciler", checks)
        answering = serve_health(listener, checks, stopping, life.listening("health", listener))
        health = asyncio.create_task(answering, name="health")
        end = asyncio.create_task(life.run(stopping), name="life")
        await asyncio.wait({work, health, end}, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        work.cancel()
        await asyncio.wait({work, health, end})
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
    pools = PoolSet(secrets.randbelow, time.monotonic)
    return PoolMemory(parts.reader, AddressLedger(parts.database), pools, parts.cluster)


def allocation_of(parts: Parts, memory: PoolMemory) -> Allocation:
    """The controller that allocates from the remembered pools."""
    recorder = EventRecorder(parts.writer, parts.mirror, parts.cluster)
    return Allocation(
        parts.writer, parts.reader, parts.mirror, parts.cluster, memory, recorder, parts.kinds, parts.notifications
    )


def controllers_of(
    parts: Parts,
    roots: RootCertificates | None = None,
    key_age: timedelta = timedelta(days=90),
    history: timedelta = timedelta(days=90),
) -> list[Controller[Any]]:
    """All controllers of a reconciler but those of DNS zones.

    Args:
        parts: What they work with.
        roots: The certificates by which clients know the API, if they do.
        key_age: Age at which a key that signs tokens is replaced.
        history: How long it is remembered who held which address.
    """
    recorder = EventRecorder(parts.writer, parts.mirror, parts.cluster)
    index = BackendIndex(parts.mirror)
    leases = Leases(parts.database)
    memory = memory_of(parts)
    signing_keys = SigningKeyStore(parts.database)

    def certificates() -> str:
        return "" if roots is None else roots.pem

    return [
        allocation_of(parts, memory),
        Namespaces(parts.writer, parts.mirror, parts.kinds, parts.cluster),
        NamespaceDefaults(parts.writer, parts.mirror, parts.cluster, certificates),
        EndpointSlices(parts.writer, parts.mirror, index, parts.cluster),
        EndpointsObjects(parts.writer, parts.mirror, index, parts.cluster),
        MirroredSlices(parts.writer, parts.mirror, index, parts.cluster),
        GarbageCollection(parts.writer, parts.mirror, parts.kinds, parts.cluster),
        Registrations(parts.writer, parts.reader, parts.mirror, index, parts.cluster, recorder, clock=time.monotonic),
        ServiceCIDRs(parts.writer, parts.reader, parts.mirror, parts.cluster),
        AddressPools(parts.writer, parts.reader, parts.mirror, parts.cluster, memory),
        QuotaStatus(parts.writer, parts.reader, parts.mirror, parts.cluster, parts.kinds),
        AggregatedRoles(parts.writer, parts.mirror, parts.cluster),
        StaticAddresses(parts.writer, parts.reader, parts.mirror, parts.cluster),
        ApiEndpoints(parts.writer, parts.mirror, index, leases, parts.cluster),
        LoadBalancerEvents(recorder, parts.mirror, parts.cluster),
        DataPlanes(parts.writer, parts.mirror, parts.cluster),
        Programming(parts.writer, parts.mirror, parts.cluster),
        EventExpiry(parts.writer, parts.mirror, parts.cluster),
        LogCompaction(parts.database),
        HistoryRetention(AddressLedger(parts.database), history),
        Encryption(parts.database),
        SigningKeyRotation(signing_keys, key_age),
        AccountSecrets(parts.writer, parts.mirror, parts.cluster, SigningKeys(signing_keys), certificates),
    ]


def reconciler_of(parts: Parts, controllers: Sequence[Controller[Any]], targets: Sequence[Targets] = ()) -> Reconciler:
    """The loop that runs controllers."""
    recorder = EventRecorder(parts.writer, parts.mirror, parts.cluster)
    reports = FailureReports(parts.writer, parts.mirror, parts.kinds, parts.cluster, recorder)
    context = WorkerContext(parts.mirror, Leases(parts.database), parts.notifications, reports, holder_name())
    return Reconciler(controllers, context, targets)
