"""Whether some reconciler allocates at the moment, as an API process sees it."""

import asyncio
import logging
import math
import time
from collections.abc import Callable

import structlog

from app.domain.errors import ApiError, ServiceUnavailable
from app.store.leases import Leases
from app.telemetry.metrics import LEASE_HELD

LOOK_SECONDS = 1.0
"""Time between two looks at the lease of the allocation."""

GRACE_SECONDS = 3.0
"""Time for another reconciler to take over. Until it has passed, nobody is told that no reconciler allocates."""

_FIRST_LOOK_SECONDS = 0.05

_log = structlog.stdlib.get_logger(__name__)


class AllocationWatch:
    """Looks at the lease of the allocation once a second, so that asking the watch costs nothing.

    Args:
        leases: Where the lease is.
        name: Of the lease.
        clock: Seconds of this process.
    """

    def __init__(self, leases: Leases, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._leases = leases
        self._name = name
        self._clock = clock
        self._held_until = -math.inf
        self._said = self._missed = False

    def allocates(self) -> bool:
        """Whether a reconciler allocates, or did so a moment ago."""
        return self._clock() < self._held_until

    async def check(self) -> None:
        """For `/readyz`: check that a reconciler allocates.

        Raises:
            ServiceUnavailable: None does.
        """
        if not self.allocates():
            raise ServiceUnavailable("no reconciler allocates: what is created waits for its addresses and ports")

    async def look(self) -> bool:
        """Look at the lease now; whether it is held. If the database cannot be reached, that is not known."""
        try:
            held = await self._leases.is_held(self._name)
        except ApiError:
            held = False
        if held:
            self._held_until = self._clock() + GRACE_SECONDS
        self._say()
        return held

    async def wait(self, seconds: float) -> None:
        """Wait until a reconciler allocates, but no longer than `seconds`."""
        until = self._clock() + seconds
        if not await self.look():
            _log.debug("no reconciler allocates yet: waiting for one", seconds=seconds)
        while not self.allocates() and self._clock() < until:
            await asyncio.sleep(_FIRST_LOOK_SECONDS)
            await self.look()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def _say(self) -> None:
        """Put it into the metrics, and log it when it changes."""
        allocates = self.allocates()
        LEASE_HELD.labels(self._name).set(allocates)
        if allocates != self._said:
            self._said = allocates
            if allocates:
                _log.log(logging.INFO if self._missed else logging.DEBUG, "a reconciler allocates")
            else:
                self._missed = True
                _log.warning("no reconciler allocates")
