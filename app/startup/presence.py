"""How other processes find an API process: by a lease, which it renews. It also keeps the initial objects there."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

import structlog

from app.domain.errors import ApiError
from app.store.leases import Leases
from app.store.writes import LeaseGuard

TTL_SECONDS = 15.0
"""Seconds after which a killed process is no longer an endpoint of the API's Service."""

RENEWAL_SECONDS = 5.0
"""Seconds between renewals of the lease, and between checks of the initial objects."""

_log = structlog.stdlib.get_logger(__name__)


class Presence:
    """Holds the lease of this process until it stops."""

    def __init__(self, leases: Leases, name: str, holder: str, ensure: Callable[[], Awaitable[None]]) -> None:
        """Prepare.

        Args:
            leases: Where the lease is.
            name: Of the lease.
            holder: This process.
            ensure: Creates the initial objects that are missing.
        """
        self._leases = leases
        self._name = name
        self._holder = holder
        self._ensure = ensure
        self._guard: LeaseGuard | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Renew the lease until `stopping` is set, then release it."""
        while not stopping.is_set():
            try:
                await self._renew()
                await self._ensure()
            except ApiError as error:
                _log.warning("presence not renewed", error=error.message)
            try:
                async with asyncio.timeout(RENEWAL_SECONDS):
                    await stopping.wait()
            except TimeoutError:
                continue
        await self._leave()

    async def _renew(self) -> None:
        if self._guard is None or not await self._leases.renew(self._guard, self._holder, TTL_SECONDS):
            self._guard = await self._leases.acquire(self._name, self._holder, TTL_SECONDS)

    async def _leave(self) -> None:
        try:
            if self._guard is not None:
                await self._leases.release(self._guard, self._holder)
        except ApiError as error:
            _log.warning("presence left to expire", error=error.message)


def advertised_address(host: str) -> str:
    """The address at which others reach a server that listens on `host`, which may be the unspecified address."""
    address = ipaddress.ip_address(host)
    if not address.is_unspecified:
        return str(address)
    loopback, elsewhere = ("127.0.0.1", "192.0.2.1") if address.version == 4 else ("::1", "2001:db8::1")  # noqa: PLR2004 - the protocol's
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the protocol's own number
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent. The kernel only says which address it would send from.
            probe.connect((elsewhere, 9))
        except OSError:
            return loopback
        return str(probe.getsockname()[0])
