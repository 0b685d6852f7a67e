"""What the owner of the allocation sets aside for API processes, which give it to what they create."""

from collections.abc import Iterable

import msgspec
import structlog

from app.controllers.allocation.memory import PoolMemory
from app.domain.pools.portions import Portion, StockKey, Wanted
from app.store.notifications import MOST_BYTES, STOCKS, Notifications
from app.store.writes import LeaseGuard

_VALUE_BYTES = 42
"""So many bytes of a message a value takes at most: an IPv6 address with its quotation marks and comma."""

_HEAD_BYTES = 1_000
"""So many bytes the rest of a message takes at most: the names of a process and of a pool."""

_AT_ONCE = (MOST_BYTES - _HEAD_BYTES) // _VALUE_BYTES

_log = structlog.stdlib.get_logger(__name__)


class Stocks:
    """Answers API processes that ask for a stock. What they ask for is remembered here alone, as what is set aside is.

    Args:
        notifications: Carry the answers.
        memory: What is free.
    """

    def __init__(self, notifications: Notifications, memory: PoolMemory) -> None:
        self._notifications = notifications
        self._memory = memory
        self._wanted: dict[str, list[tuple[StockKey, int]]] = {}

    def want(self, message: str) -> str:
        """Note what a process asks for; answers which process, "" for a message that says nothing."""
        if not message:
            return ""
        try:
            wanted = msgspec.json.decode(message, type=Wanted)
        except msgspec.DecodeError as error:
            _log.warning("cannot read what an API process asks for", error=str(error))
            return ""
        self._wanted[wanted.process] = wanted.pools
        return wanted.process

    def forget(self) -> None:
        """Nothing was asked for."""
        self._wanted.clear()

    async def send(self, processes: Iterable[str], lease: LeaseGuard) -> None:
        """Set aside what processes asked for, and send it to them.

        Raises:
            ApiError: The database cannot be reached; whoever is not answered asks again.
        """
        portions = [
            Portion(process, lease.epoch, pool, list(values[first : first + _AT_ONCE]))
            for process in processes
            for pool, count in self._wanted.pop(process, ())
            if (values := self._memory.set_aside(pool, count))
            for first in range(0, len(values), _AT_ONCE)
        ]
        await self._notifications.send(STOCKS, [msgspec.json.encode(each).decode() for each in portions])
