"""The history of addresses is forgotten when it is older than it has to be kept."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from app.controllers.controller import Periodic
from app.domain.errors import RetryError
from app.store.address_ledger import AddressLedger
from app.store.writes import LeaseGuard

_LONGEST_SECONDS = 600.0


class HistoryRetention(Periodic):
    """Deletes from the ledger, every ten minutes at least, what ended longer ago than `retention`."""

    name = "history-retention"

    def __init__(self, ledger: AddressLedger, retention: timedelta) -> None:
        self._ledger = ledger
        self._retention = retention
        self.resync = min(_LONGEST_SECONDS, max(1.0, retention.total_seconds() / 10))

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Delete what is old. Two processes that do it at the same time do no harm, so the lease is not checked."""
        del keys, lease
        await self._ledger.forget(self._retention)
        return {}
