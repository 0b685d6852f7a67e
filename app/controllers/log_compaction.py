"""Old changes leave the log when no watch is expected to resume before them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from app.controllers.controller import Periodic
from app.domain.errors import RetryError
from app.store.compaction import compact
from app.store.database import Database
from app.store.writes import LeaseGuard

KEPT_FOR = timedelta(minutes=10)
KEPT_NUMBER = 20_000
"""A change is deleted when it is older than `KEPT_FOR` and not among the latest `KEPT_NUMBER`."""


class LogCompaction(Periodic):
    """Deletes old changes once a minute."""

    name = "log-compaction"
    resync = 60.0

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Delete old changes. Two processes that do it at the same time do no harm, so the lease is not checked."""
        del keys, lease
        await compact(self._database, KEPT_FOR, KEPT_NUMBER)
        return {}
