"""Secrets are encrypted with the first of the keys, also those that were stored before it was the first."""

from collections.abc import Mapping, Sequence

import structlog

from app.controllers.controller import Periodic
from app.domain.errors import RetryError
from app.store.database import Database
from app.store.encryption import encrypt_anew
from app.store.writes import LeaseGuard

_log = structlog.stdlib.get_logger(__name__)


class Encryption(Periodic):
    """Rewrites what another key, or none, protects. A process with older keys may still write, so it looks again."""

    name = "encryption"
    resync = 300.0

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Rewrite; harmless under a lost lease, because only what nobody has written since is replaced."""
        del keys, lease
        if count := await encrypt_anew(self._database):
            key = self._database.keyring.fingerprints[0]
            _log.info("Secrets are encrypted with the first key now", key=key, rewritten=count)
        return {}
