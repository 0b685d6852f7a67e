"""The log of changes is kept as long as watches may want to resume, and no longer."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from app.controllers.controller import Controller
from app.domain.errors import RetryError
from app.mirror.entry import Change
from app.store.compaction import compact
from app.store.database import Database
from app.store.writes import LeaseGuard

KEPT_FOR = timedelta(minutes=10)
KEPT_NUMBER = 20_000
"""A change goes when it is older than `KEPT_FOR` and not among the latest `KEPT_NUMBER`."""

_LOG = "changes"


class LogCompaction(Controller[str]):
    """Trims the log once a minute."""

    name = "log-compaction"
    resync = 60.0

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys_of(self, changes: Sequence[Change]) -> Iterable[str]:
        """No change calls for compaction by itself."""
        del changes
        return ()

    def all_keys(self) -> Iterable[str]:
        """The log."""
        return [_LOG]

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Trim; harmless under a lost lease, because what is trimmed does not depend on who does it."""
        del keys, lease
        await compact(self._database, KEPT_FOR, KEPT_NUMBER)
        return {}
