"""Keeps the stock of an API process filled: asks the owner of the allocation for more, and puts in what it gets."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from app.domain.errors import ApiError
from app.domain.pools.portions import Portion, Wanted
from app.domain.pools.stock import Stock
from app.domain.rules.cluster import Cluster
from app.store.notifications import STOCKS, STOCKS_WANTED, Notifications

_ANSWER_SECONDS = 1.0
"""So long an answer is waited for before more is asked for."""

_log = structlog.stdlib.get_logger(__name__)


class Restocking:
    """Fills one stock.

    Args:
        stock: Of this process.
        notifications: Carry the messages.
        cluster: Answers what the rules may know of the cluster, as of now.
        process: Names this process.
    """

    def __init__(
        self, stock: Stock, notifications: Notifications, cluster: Callable[[], Cluster], process: str
    ) -> None:
        self._stock = stock
        self._notifications = notifications
        self._cluster = cluster
        self._process = process
        self._low, self._answered = asyncio.Event(), asyncio.Event()
        stock.on_low = self._low.set

    async def run(self) -> None:
        """Ask whenever there is too little, until cancelled."""
        self._notifications.subscribe(STOCKS, self._received)
        try:
            while True:
                await self._low.wait()
                self._low.clear()
                await self._ask()
        finally:
            self._notifications.unsubscribe(STOCKS, self._received)

    async def _ask(self) -> None:
        wanted = Wanted(self._process, self._stock.wanted())
        if not wanted.pools:
            return
        self._answered.clear()
        try:
            await self._notifications.send(STOCKS_WANTED, [msgspec.json.encode(wanted).decode()])
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._answered.wait()
        except TimeoutError:
            # The next Service that finds too little asks again.
            _log.debug("no answer about a stock", pools=len(wanted.pools))
        except ApiError as error:
            _log.warning("cannot ask for a stock", error=error.message)
            await asyncio.sleep(_ANSWER_SECONDS)

    def _received(self, message: str) -> None:
        # Every API process hears of every message.
        if self._process not in message:
            return
        try:
            portion = msgspec.json.decode(message, type=Portion)
        except msgspec.DecodeError as error:
            _log.warning("cannot read what the reconciler sent", error=str(error))
            return
        if portion.process == self._process:
            self._stock.put(portion, self._cluster())
            self._answered.set()
