"""Being the one process that works on a concern: a lease, renewed until it is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

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


@contextlib.asynccontextmanager
async def owned(leases: Leases, name: str, holder: str) -> AsyncIterator[LeaseGuard]:
    """Wait for a lease, hold it while the block runs, and give it back.

    When the lease is lost the block is cancelled at once, and the code behind it goes on. The yielded guard goes with
    every write, so that a process that was paused cannot write under a lease that it lost.
    """
    guard = await _acquire(leases, name, holder)
    _log.debug("lease taken", lease=name, epoch=guard.epoch)
    tenure = asyncio.timeout(None)
    try:
        async with tenure:
            renewing = asyncio.create_task(_renew(leases, guard, holder, tenure), name=f"renew {name}")
            try:
                yield guard
            finally:
                renewing.cancel()
                await asyncio.wait([renewing])
    except TimeoutError:
        if not tenure.expired():
            raise
    finally:
        if tenure.expired():
            _log.warning("lease lost", lease=name, epoch=guard.epoch)
        else:
            await _release(leases, guard, holder)


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


async def _renew(leases: Leases, guard: LeaseGuard, holder: str, tenure: asyncio.Timeout) -> None:
    """Renew until that is refused, or fails for longer than the lease lives; then end the tenure."""
    lost = True
    try:
        await _keep(leases, guard, holder)
    except asyncio.CancelledError:
        lost = False
        raise
    finally:
        if lost:
            tenure.reschedule(asyncio.get_running_loop().time())


async def _keep(leases: Leases, guard: LeaseGuard, holder: str) -> None:
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
