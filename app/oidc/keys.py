"""The public keys of one provider: fetched when they are first needed, kept, and fetched again in time."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.credentials.json_web_tokens import AsymmetricKey, Unverified
from app.oidc.configuration import Provider
from app.oidc.documents import FETCH_SECONDS, ProviderUnavailableError, check_place, connection, fetched

REFRESH_SECONDS = 300.0
"""Age at which keys are fetched again: so long may a key be used that the provider has withdrawn."""

_AGAIN_SECONDS = 10.0
"""At least so long between two fetches: anybody can send a token that names an unknown key."""
_MOST_KEYS = 64
_KEY_TYPES: dict[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}

_log = structlog.stdlib.get_logger(__name__)


class _Discovered(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


class _Key(msgspec.Struct, frozen=True):
    id: str
    algorithm: str
    key: AsymmetricKey


class ProviderKeys:
    """The keys of one provider. What was fetched stays in use while the provider does not answer.

    Args:
        provider: Where to fetch them.
        clock: Monotonic seconds.
    """

    def __init__(self, provider: Provider, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider = provider
        self._clock = clock
        self._keys: tuple[_Key, ...] = ()
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._trying = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def of(self, claim: Unverified) -> Sequence[AsymmetricKey]:
        """The keys with which a token may be signed.

        Raises:
            ProviderUnavailableError: None were ever fetched, and the provider does not answer.
        """
        found = self._matching(claim)
        if not found:
            await self._fetch_again()
            if not self._keys:
                raise ProviderUnavailableError(self._provider.issuer)
            found = self._matching(claim)
        elif self._clock() - self._fetched_at > REFRESH_SECONDS and self._refreshing is None:
            # Nobody waits for it: the keys there are still good.
            self._refreshing = asyncio.create_task(self._refresh(), name="refresh keys of a provider")
        return found

    async def close(self) -> None:
        """End what is going on."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])

    def _matching(self, claim: Unverified) -> list[AsymmetricKey]:
        return [
            each.key for each in self._keys if claim.key_id in ("", each.id) and each.algorithm in ("", claim.algorithm)
        ]

    async def _refresh(self) -> None:
        try:
            await self._fetch_again()
        finally:
            self._refreshing = None

    async def _fetch_again(self) -> None:
        """Fetch the keys, unless that was tried a moment ago; those who ask at the same time share the answer."""
        async with self._trying:
            if self._clock() - self._tried_at < _AGAIN_SECONDS:
                return
            self._tried_at = self._clock()
            try:
                self._keys = await _fetch(self._provider)
            except ProviderUnavailableError as error:
                _log.warning("the keys of a provider were not fetched", issuer=self._provider.issuer, error=str(error))
            else:
                self._fetched_at = self._clock()


async def _fetch(provider: Provider) -> tuple[_Key, ...]:
    try:
        async with (
            asyncio.timeout(FETCH_SECONDS),
            connection(provider) as client,
        ):
            discovered = msgspec.json.decode(await fetched(client, provider.discovery_url), type=_Discovered)
            if discovered.issuer != provider.issuer:
                raise ProviderUnavailableError(f"its description names the issuer {discovered.issuer!r}")
            check_place(provider, "jwks_uri", discovered.jwks_uri)
            key_set = msgspec.json.decode(await fetched(client, discovered.jwks_uri), type=_KeySet)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as error:
        raise ProviderUnavailableError(f"{type(error).__name__}: {error}") from error
    keys = tuple(key for each in key_set.keys[:_MOST_KEYS] if (key := _key(each)) is not None)
    if not keys:
        raise ProviderUnavailableError("it has no key that tokens could be signed with")
    return keys


def _key(document: dict[str, Any]) -> _Key | None:
    """A key that tokens may be signed with, None if it is for something else or is not understood."""
    kind = _KEY_TYPES.get(str(document.get("kty")))
    if kind is None or document.get("use", "sig") != "sig":
        return None
    try:
        key: RSAKey | ECKey | OKPKey = kind.import_key({name: document[name] for name in _PARTS if name in document})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return _Key(str(document.get("kid", "")), str(document.get("alg", "")), key)


_PARTS = ("kty", "n", "e", "crv", "x", "y")
"""The public half. A private half that a provider shows by mistake is not even looked at."""
