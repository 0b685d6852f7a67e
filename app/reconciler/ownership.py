"""Being the one process that works on a concern: a lease, renewed until it is lost."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from app.domain.errors import ApiError
from app.store.leases import Leases
from app.store.writes import LeaseGuard

LEASE_SECONDS = 2.0
"""A lease that is not renewed for so long can be taken over."""

RENEWAL_SECONDS = 0.5
"""Time between renewals, and between tries to take over."""

_RELEASE_SECONDS = 0.5
"""How long a process tries to give a lease back: it expires soon in any case, and who stops has to end."""

_log = structlog.stdlib.get_logger(__name__)


async def while_owned(
    leases: Leases, name: str, holder: str, work: Callable[[LeaseGuard], Coroutine[Any, Any, None]]
) -> None:
    """Wait for a lease, work while it is held, and give it back.

    When the lease is lost the work is cancelled at once, and this returns. The work is a task of its own: Python before
    3.13 may leave a task in which a TaskGroup has failed with a cancellation that nobody asked for, and such a task
    would take the loss of its lease for its own end.

    Args:
        leases: Where.
        name: The concern.
        holder: The unique name of this process.
        work: What to do; it gets the proof of the tenure, which goes with every write, so that a process that was
            paused cannot write under a lease that it lost.
    """
    guard = await _acquire(leases, name, holder)
    _log.debug("lease taken", lease=name, epoch=guard.epoch)
    working = asyncio.create_task(work(guard), name=f"work {name}")
    renewing = asyncio.create_task(_keep(leases, guard, holder), name=f"renew {name}")
    lost = False
    try:
        await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        lost = renewing.done()
    finally:
        for task in (working, renewing):
            task.cancel()
        await asyncio.gather(working, renewing, return_exceptions=True)
        if lost:
            defect = None if renewing.cancelled() else renewing.exception()
            _log.warning("lease lost", lease=name, epoch=guard.epoch, exc_info=defect)
        else:
            await _release(leases, guard, holder)
    if not working.cancelled():
        working.result()


async def _acquire(leases: Leases, name: str, holder: str) -> LeaseGuard:
    while True:
        try:
            guard = await leases.acquire(name, holder, LEASE_SECONDS)
        except ApiError as error:
            _log.warning("lease not reachable", lease=name, error=error.message)
            guard = None
        if guard is not None:
            return guard
        await asyncio.sleep(RENEWAL_SECONDS)


async def _keep(leases: Leases, guard: LeaseGuard, holder: str) -> None:
    """Renew until that is refused, or fails for longer than the lease lives."""
    loop = asyncio.get_running_loop()
    good_until = loop.time() + LEASE_SECONDS
    while loop.time() < good_until:
        # All leases of a process at the same moments, so that they are renewed together.
        await asyncio.sleep(RENEWAL_SECONDS - loop.time() % RENEWAL_SECONDS)
        asked = loop.time()
        try:
            renewed = await leases.renew(guard, holder, LEASE_SECONDS)
        except ApiError as error:
            _log.warning("lease not renewed", lease=guard.name, error=error.message)
            continue
        if not renewed:
            return
        good_until = asked + LEASE_SECONDS


async def _release(leases: Leases, guard: LeaseGuard, holder: str) -> None:
    try:
        async with asyncio.timeout(_RELEASE_SECONDS):
            await leases.release(guard, holder)
    except ApiError as error:
        _log.warning("lease left to expire", lease=guard.name, error=error.message)
    except TimeoutError:
        _log.warning("lease left to expire", lease=guard.name, error="the database does not answer")
