"""Secrets are encrypted with the first of the keys, also those that were stored before it was the first."""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from app.controllers.controller import Controller
from app.domain.errors import RetryError
from app.mirror.entry import Change
from app.store.database import Database
from app.store.encryption import encrypt_anew
from app.store.writes import LeaseGuard

_EVERYTHING = "everything"

_log = structlog.stdlib.get_logger(__name__)


class Encryption(Controller[str]):
    """Rewrites what another key, or none, protects. A process with older keys may still write, so it looks again."""

    name = "encryption"
    resync = 300.0

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys_of(self, changes: Sequence[Change]) -> Iterable[str]:
        """No change calls for it: what this process sees written is encrypted as it should be."""
        del changes
        return ()

    def all_keys(self) -> Iterable[str]:
        """The database."""
        return [_EVERYTHING]

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Rewrite; harmless under a lost lease, because only what nobody has written since is replaced."""
        del keys, lease
        if count := await encrypt_anew(self._database):
            key = self._database.keyring.fingerprints[0]
            _log.info("Secrets are encrypted with the first key now", key=key, rewritten=count)
        return {}
