"""Being the one process that works on a concern: a lease, renewed until it is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from app.domain.errors import ApiError
from app.store.leases import Leases
from app.store.writes import LeaseGuard

TTL = 2.0
"""Seconds after which a lease that is not renewed can be taken over."""

RENEWAL = 0.5
"""Seconds between renewals and between tries to take over."""

_log = structlog.stdlib.get_logger(__name__)


class Ownership:
    """A lease held by this process.

    Attributes:
        guard: Goes with every write, so that a process that was paused cannot write under a lease it lost.
        lost: Set when the lease is gone; work under it stops.
    """

    def __init__(self, guard: LeaseGuard) -> None:
        self.guard = guard
        self.lost = asyncio.Event()


@contextlib.asynccontextmanager
async def owned(leases: Leases, name: str, holder: str) -> AsyncIterator[Ownership]:
    """Wait until the lease can be had, hold it, and give it back at the end."""
    guard = await _acquire(leases, name, holder)
    ownership = Ownership(guard)
    _log.info("lease taken", lease=name, epoch=guard.epoch)
    renewing = asyncio.create_task(_renew(leases, ownership, holder), name=f"renew {name}")
    try:
        yield ownership
    finally:
        held = not ownership.lost.is_set()
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing
        if held:
            await _release(leases, guard, holder)


async def _acquire(leases: Leases, name: str, holder: str) -> LeaseGuard:
    while True:
        try:
            guard = await leases.acquire(name, holder, TTL)
        except ApiError as error:
            _log.warning("lease not reachable", lease=name, error=error.message)
            guard = None
        if guard is not None:
            return guard
        await asyncio.sleep(RENEWAL)


async def _renew(leases: Leases, ownership: Ownership, holder: str) -> None:
    """Renew until that is refused, or fails for longer than the lease lives; however it ends, the lease is lost."""
    loop = asyncio.get_running_loop()
    good_until = loop.time() + TTL
    try:
        while loop.time() < good_until:
            # All leases of a process at the same moments, so that they are renewed together.
            await asyncio.sleep(RENEWAL - loop.time() % RENEWAL)
            asked = loop.time()
            try:
                renewed = await leases.renew(ownership.guard, holder, TTL)
            except ApiError as error:
                _log.warning("lease not renewed", lease=ownership.guard.name, error=error.message)
                continue
            if not renewed:
                break
            good_until = asked + TTL
        _log.warning("lease lost", lease=ownership.guard.name, epoch=ownership.guard.epoch)
    finally:
        ownership.lost.set()


async def _release(leases: Leases, guard: LeaseGuard, holder: str) -> None:
    try:
        await leases.release(guard, holder)
    except ApiError as error:
        _log.warning("lease left to expire", lease=guard.name, error=error.message)
