"""The users whom providers of OpenID Connect know (OpenID Connect Core 1.0, 2 and 3.1.3.7)."""

import asyncio
import secrets
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from app.credentials.json_web_tokens import Unverified, WrongTokenError, verified
from app.domain.user import User
from app.oidc.configuration import Configuration, Provider
from app.oidc.keys import ProviderKeys
from app.oidc.users import user_of

_REMEMBERED = 4096
"""Tokens whose signature was right."""


class Providers:
    """Finds the users of tokens.

    Of tokens that were checked a digest is remembered for as long as the keys of their provider, and never the token.
    Times and rules are looked at each time.

    Args:
        configuration: Whose tokens are accepted.
        clock: Seconds since 1970.

    Attributes:
        anonymous: The paths on which somebody without a credential is let in as system:anonymous; None for every path.
    """

    def __init__(self, configuration: Configuration, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._providers: dict[str, Provider] = {}
        self._keys: dict[str, ProviderKeys] = {}
        self._checked: dict[bytes, tuple[dict[str, Any], object]] = {}
        self._digest_key = secrets.token_bytes(32)
        self.anonymous: frozenset[str] | None = None
        self.replace(configuration)

    def replace(self, configuration: Configuration) -> None:
        """Accept the tokens of these from now on, and no others; keys of a provider that stays as it is are kept."""
        before, self._providers = self._providers, {each.issuer: each for each in configuration.providers}
        self.anonymous = configuration.anonymous
        self._keys = {
            issuer: self._keys[issuer] if before.get(issuer) == provider else ProviderKeys(provider)
            for issuer, provider in self._providers.items()
        }
        self._checked.clear()

    def knows(self, issuer: str) -> bool:
        """Whether an issuer is one of the providers."""
        return issuer in self._providers

    async def user_of(self, token: str, claim: Unverified) -> User:
        """Who has a token of one of the providers.

        Raises:
            ProviderUnavailableError: Its keys are not known, and it does not answer.
            WrongTokenError: The signature is wrong.
            ClaimError: The token is not valid now, is meant for others, breaks a rule, or names no user.
        """
        return user_of(self._providers[claim.issuer], await self._claims(token, claim), self._clock())

    async def _claims(self, token: str, claim: Unverified) -> dict[str, Any]:
        provider = self._providers[claim.issuer]
        if claim.algorithm not in provider.algorithms:
            raise WrongTokenError("the token is signed with an algorithm that is not accepted")
        keys = await self._keys[claim.issuer].of(claim)
        digest = blake2b(token.encode(), key=self._digest_key, digest_size=32).digest()
        found = self._checked.get(digest)
        if found is not None and any(found[1] is key for key in keys):
            return found[0]
        for key in keys:
            try:
                claims = verified(token, key, (claim.algorithm,))
            except WrongTokenError:
                continue
            if len(self._checked) >= _REMEMBERED:
                self._checked.clear()
            self._checked[digest] = claims, key
            return claims
        raise WrongTokenError("the token is signed with none of the provider's keys")

    async def close(self) -> None:
        """End what is going on."""
        await asyncio.gather(*(keys.close() for keys in self._keys.values()))
