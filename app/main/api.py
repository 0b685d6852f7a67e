"""An API process, put together."""

import asyncio
import socket
import time
from collections.abc import Coroutine, Iterable, Iterator
from functools import partial
from typing import Any

from app import __version__
from app.api.application import create_app
from app.api.limits import Limits
from app.api.request_log import log_requests
from app.api.server import serve
from app.controllers.allocation.controller import Allocation
from app.domain.pools.stock import Stock
from app.domain.wanted.api_endpoints import lease_name
from app.main.access import Identities, admitting
from app.main.console import mount_console
from app.main.exporting import exporting
from app.main.lifecycle import Lifecycle
from app.main.parts import holder_name, now, started
from app.main.reloading import certificate, reloading, service_tags
from app.main.stopping import stop_signals, unless_stopped
from app.registry.restocking import Restocking
from app.reloading import Source, log_level
from app.settings.api import ApiSettings
from app.startup.allocation_watch import AllocationWatch
from app.startup.backup_watch import watch_backups
from app.startup.bootstrap import InitialObjects
from app.startup.default_roles import make_default_roles
from app.startup.initial_pools import make_initial_pools
from app.startup.presence import Presence, advertised_address
from app.store.leases import Leases
from app.store.milestones import Milestones

_GATHERING_SECONDS = 0.005
"""Seconds between two fetches of changes under load that no request waits for: watches show them so much later."""


async def run_api(settings: ApiSettings, listener: socket.socket) -> None:
    """Serve the API until SIGTERM or SIGINT; SIGHUP has it read tokens, certificate and level of the log again.

    Args:
        settings: Of the command line.
        listener: A bound socket.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none.
        DisagreementError: Others work on the database with other settings.
    """
    log_requests(wanted=settings.log_requests)
    identities = Identities.of(settings)
    tls = None if settings.tls is None else settings.tls.context
    limits = _limits(settings)
    sources = _sources(settings, identities)
    async with (
        stop_signals() as stopping,
        reloading(stopping.set, *sources),
        exporting(settings, "api"),
        started(settings, stopping, gathering=_GATHERING_SECONDS) as parts,
    ):
        leases, holder = Leases(parts.database), holder_name()
        watch = AllocationWatch(leases, Allocation.name)
        stock = Stock(time.monotonic)
        restocking = Restocking(stock, parts.notifications, parts.cluster, holder)
        registry = parts.registry(settings.allocation_wait, watch.allocates, stock)
        initial = InitialObjects(list(map(str, settings.service_cidrs)), listener.getsockname()[1])
        async with unless_stopped(stopping):
            await initial.ensure(registry)
            await initial.adapt(registry)
            await make_default_roles(registry)
            await make_initial_pools(registry, Milestones(parts.database), settings.initial_pools())
        address = (str(settings.advertise_address or advertised_address(settings.host)), initial.port)
        presence = Presence(leases, lease_name(address, holder), holder, partial(initial.ensure, registry))
        checks = {"mirror": parts.check_mirror, "allocation": watch.check}
        life = Lifecycle("api", checks)
        async with admitting(settings, identities, parts, address) as access:
            app = create_app(
                registry,
                now=now,
                ready=checks,
                version=__version__,
                access=access,
                limits=limits,
                stopping=stopping,
                leases=leases,
                cors_origins=settings.cors_origins.words,
            )
            oidc = None if settings.no_console else mount_console(app, settings)
            # After a cold start the first writes need not wait for a reconciler. Reads need none: a write's wait is
            # enough.
            async with unless_stopped(stopping):
                await watch.wait(settings.allocation_wait)
            serving = serve(app, listener, stopping, tls, limits, listening=life.listening("api", listener))
            background = (watch.run(), watch_backups(parts.database), restocking.run())
            await _serve(serving, presence, life, background, stopping)
            if oidc is not None:
                await oidc.close()


async def _serve(
    serving: Coroutine[Any, Any, None],
    presence: Presence,
    life: Lifecycle,
    background: Iterable[Coroutine[Any, Any, None]],
    stopping: asyncio.Event,
) -> None:
    """Serve until the process is told to stop.

    A process that others cannot find is of no use, nor one that serves nothing: if one of both ends, so does the other.
    """
    watching = [asyncio.create_task(each) for each in background]
    tasks = [
        asyncio.create_task(presence.run(stopping), name="presence"),
        asyncio.create_task(serving, name="serve"),
        asyncio.create_task(life.run(stopping), name="life"),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        for task in watching:
            task.cancel()
        await asyncio.wait([*tasks, *watching])
    for task in tasks:
        task.result()


def _limits(settings: ApiSettings) -> Limits:
    """What clients may use."""
    return Limits(
        reads=settings.max_requests_inflight,
        writes=settings.max_mutating_requests_inflight,
        user_waiting=settings.requests_waiting_per_user,
        user_watches=settings.watches_per_user,
        user_connections=settings.connections_per_user,
        source_connections=settings.connections_per_source,
        bodies_bytes=settings.body_memory_mib * 1024 * 1024,
    )


def _sources(settings: ApiSettings, identities: Identities) -> Iterator[Source]:
    """What is read again while the process runs."""
    yield from log_level(settings)
    yield from identities.sources(settings)
    yield from certificate(settings.tls, "api")
    yield from service_tags(settings.service_tags_file)
