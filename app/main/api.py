"""An API process, put together."""

import asyncio
import socket
from functools import partial

from app import __version__
from app.api.application import create_app
from app.api.limits import Limits
from app.api.server import serve
from app.controllers.allocation.controller import Allocation
from app.domain.wanted.api_endpoints import lease_name
from app.main.parts import holder_name, now, started
from app.main.reloading import certificate, reloading, tokens
from app.reloading import log_level
from app.settings import ApiSettings
from app.startup.allocation_watch import AllocationWatch
from app.startup.bootstrap import InitialObjects
from app.startup.initial_pools import make_initial_pools
from app.startup.presence import Presence, advertised_address
from app.store.leases import Leases
from app.store.milestones import Milestones
from app.tokens import TokenUsers


async def run_api(settings: ApiSettings, listener: socket.socket) -> None:
    """Serve the API until SIGTERM or SIGINT; SIGHUP has it read tokens, certificate and level of the log again.

    Args:
        settings: Of the command line.
        listener: A bound socket.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none.
        DisagreementError: Others work on the database with other settings.
    """
    stopping = asyncio.Event()
    users = TokenUsers(settings.tokens) if settings.token_file else None
    tls = None if settings.tls is None else settings.tls.context
    sources = (*log_level(settings), *tokens(settings.token_file, users), *certificate(settings.tls))
    async with reloading(stopping.set, *sources), started(settings) as parts:
        leases = Leases(parts.database)
        watch = AllocationWatch(leases, Allocation.name)
        registry = parts.registry(settings.allocation_wait, watch.allocates)
        initial = InitialObjects(list(map(str, settings.service_cidrs)), listener.getsockname()[1])
        await initial.ensure(registry)
        await initial.adapt(registry)
        await make_initial_pools(registry, Milestones(parts.database), settings.initial_pools())
        app = create_app(
            registry,
            now=now,
            ready={"mirror": parts.check_mirror, "allocation": watch.check},
            version=__version__,
            tokens=users,
            limits=Limits(bodies_bytes=settings.body_memory_mib * 1024 * 1024),
            stopping=stopping,
        )
        address = (str(settings.advertise_address or advertised_address(settings.host)), initial.port)
        holder = holder_name()
        ensure = partial(initial.ensure, registry)
        presence = Presence(leases, lease_name(address, holder), holder, ensure)
        # After a cold start the first writes need not wait for a reconciler. Reads need none: a write's wait is enough.
        await watch.wait(settings.allocation_wait)
        watching = asyncio.create_task(watch.run(), name="allocation watch")
        # A process that others cannot find is of no use, nor one that serves nothing: if one task ends, both do.
        tasks = [
            asyncio.create_task(presence.run(stopping), name="presence"),
            asyncio.create_task(serve(app, listener, stopping, tls), name="serve"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.set()
            watching.cancel()
            await asyncio.wait([*tasks, watching])
        for task in tasks:
            task.result()
