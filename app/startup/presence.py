"""What each API process does for others to find it: it holds a lease, and keeps what is there from the start there."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

import structlog

from app.domain.errors import ApiError
from app.store.leases import Leases
from app.store.writes import LeaseGuard

TTL = 15.0
"""Seconds after which a process that was killed is no endpoint any more."""

RENEWAL = 5.0
"""Seconds between renewals, and between looks at what should be there."""

_log = structlog.stdlib.get_logger(__name__)


class Presence:
    """Says that this process is there, until it is told to stop."""

    def __init__(self, leases: Leases, name: str, holder: str, ensure: Callable[[], Awaitable[None]]) -> None:
        """Prepare.

        Args:
            leases: Where the lease is.
            name: Of the lease.
            holder: This process.
            ensure: Creates what should be there and is not.
        """
        self._leases = leases
        self._name = name
        self._holder = holder
        self._ensure = ensure
        self._guard: LeaseGuard | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Renew the lease until `stopping` is set, then give it back."""
        while not stopping.is_set():
            try:
                await self._renew()
                await self._ensure()
            except ApiError as error:
                _log.warning("presence not renewed", error=error.message)
            try:
                await asyncio.wait_for(stopping.wait(), RENEWAL)
            except TimeoutError:
                continue
        await self._leave()

    async def _renew(self) -> None:
        if self._guard is None or not await self._leases.renew(self._guard, self._holder, TTL):
            self._guard = await self._leases.acquire(self._name, self._holder, TTL)

    async def _leave(self) -> None:
        try:
            if self._guard is not None:
                await self._leases.release(self._guard, self._holder)
        except ApiError as error:
            _log.warning("presence left to expire", error=error.message)


def advertised_address(host: str) -> str:
    """The address at which others reach what listens on `host`, which may be the one that stands for all."""
    address = ipaddress.ip_address(host)
    if not address.is_unspecified:
        return str(address)
    loopback, elsewhere = ("127.0.0.1", "192.0.2.1") if address.version == 4 else ("::1", "2001:db8::1")  # noqa: PLR2004 - the protocol's
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the protocol's own number
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: the kernel only says from which address it would be.
            probe.connect((elsewhere, 9))
        except OSError:
            return loopback
        return str(probe.getsockname()[0])
