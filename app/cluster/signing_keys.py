"""The signing keys of ServiceAccounts' tokens, followed from the store. All processes of a database share them."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from app.credentials.token_signing import SigningKey, Verification
from app.domain.errors import ServiceUnavailable
from app.store.signing_keys import SigningKeyStore, StoredKey

_LOOK_SECONDS = 10.0
"""A key that was revoked is known for so long, at most."""
_LOOK_AGAIN_SECONDS = 1.0
"""At least so long between two looks for keys that tokens name: anybody can name any."""
_AHEAD = timedelta(days=30)
"""The last expiry of a key is noted so far ahead, so that few tokens have to."""
_NO_END = datetime(9000, 1, 1, tzinfo=UTC)
"""Later than the end of every token that may be asked for."""
_ANY_AGE = timedelta(days=365_000)

_log = structlog.stdlib.get_logger(__name__)


class SigningKeys:
    """Signs and verifies tokens.

    Args:
        store: Where the keys are.
        clock: Monotonic seconds.
    """

    def __init__(self, store: SigningKeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._verification = Verification()
        self._signing: SigningKey | None = None
        self._noted = datetime.min.replace(tzinfo=UTC)
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")

    async def start(self) -> None:
        """Learn the keys; make the first one where there is none.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        await rotate(self._store, _ANY_AGE)
        await self._look()

    async def follow(self) -> None:
        """Learn of new keys, and forget revoked ones, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            with suppress(ServiceUnavailable):  # what is known is good until then; the log tells of the database
                await self._look()

    async def sign(self, claims: dict[str, Any], until: datetime = _NO_END) -> str:
        """A token that says this.

        Args:
            claims: What it says.
            until: When it ends, so that its key stays as long. By default it does not.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        key = self._current()
        if until > self._noted:
            noted = await self._store.used(key.id, min(until + _AHEAD, _NO_END))
            if noted is None:  # revoked a moment ago
                await self._look()
                return await self.sign(claims, until)
            if key is self._signing:
                self._noted = noted
        return key.sign(claims)

    async def verified(self, token: str, key_id: str) -> dict[str, Any]:
        """What a token says that one of the keys signed. Nothing else about it is checked.

        Raises:
            WrongTokenError: None did.
        """
        if not self._verification.knows(key_id):
            await self._look_again()
        return self._verification.verified(token, key_id)

    def key_set(self) -> bytes:
        """The JWK Set of the public keys (RFC 7517)."""
        return self._verification.key_set()

    def _current(self) -> SigningKey:
        if self._signing is None:
            raise ServiceUnavailable("there is no key to sign tokens with yet; try again", retry_after=1)
        return self._signing

    async def _look_again(self) -> None:
        """Look whether another process has made a key; those who ask at the same time share the answer."""
        async with self._looking:
            if self._clock() - self._looked_at >= _LOOK_AGAIN_SECONDS:
                self._looked_at = self._clock()
                with suppress(ServiceUnavailable):
                    await self._look()

    async def _look(self) -> None:
        stored = await self._store.all()
        self._keys = {each.id: self._keys.get(each.id) or SigningKey(each.private_key) for each in stored}
        self._verification.replace(self._keys.values())
        signing = next((each for each in stored if each.may_sign), None)
        self._sign_with(signing)

    def _sign_with(self, stored: StoredKey | None) -> None:
        if stored is None:
            self._signing = None
        elif self._signing is None or self._signing.id != stored.id:
            self._signing, self._noted = self._keys[stored.id], stored.last_expiry
            _log.debug("tokens of ServiceAccounts are signed with a key", key=stored.id)


async def rotate(store: SigningKeyStore, age: timedelta) -> str | None:
    """Store a new key unless there is one that is younger than so much; answers its id if it was stored.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    if await store.is_recent(age):
        return None
    key = await asyncio.to_thread(SigningKey.generate)
    return key.id if await store.add(key.id, key.pem, age) else None
