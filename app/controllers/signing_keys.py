"""The keys that sign tokens of ServiceAccounts are replaced in time, and removed when their last token has ended."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from app.cluster.signing_keys import rotate
from app.controllers.controller import Periodic
from app.domain.errors import RetryError
from app.store.signing_keys import SigningKeyStore
from app.store.writes import LeaseGuard

_LEEWAY = timedelta(minutes=5)
"""More than clocks may differ by."""

_log = structlog.stdlib.get_logger(__name__)


class SigningKeyRotation(Periodic):
    """Makes a new key in time. It is published an hour before it signs, and stays until its last token has ended."""

    name = "signing-keys"
    resync = 60.0

    def __init__(self, store: SigningKeyStore, age: timedelta) -> None:
        """Prepare; a key is replaced when it has this age."""
        self._store = store
        self._age = age

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Rotate; two processes that do it at the same time make one key, so the lease is not checked."""
        del keys, lease
        if (made := await rotate(self._store, self._age)) is not None:
            _log.debug("a key for tokens of ServiceAccounts was made", key=made)
        for removed in await self._store.remove_ended(_LEEWAY):
            _log.info("a key for tokens of ServiceAccounts was removed, as its last token has ended", key=removed)
        return {}
