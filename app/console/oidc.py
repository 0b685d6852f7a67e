"""Logging in at a provider: the authorization code flow with PKCE (OpenID Connect Core 3.1, RFC 7636)."""

import asyncio
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from app.credentials.json_web_tokens import Unverified, WrongTokenError, unverified, verified
from app.oidc.configuration import Provider
from app.oidc.documents import FETCH_SECONDS, ProviderUnavailableError, check_place, connection, fetched
from app.oidc.keys import ProviderKeys

_SCOPES = "openid profile email"
_LEEWAY_SECONDS = 60


class LoginError(Exception):
    """A login did not succeed. The message is for the user, and holds no secret."""


class Pending(msgspec.Struct, frozen=True):
    """A login that has begun; the browser keeps it, sealed.

    Attributes:
        state: Ties the answer to this browser.
        nonce: Ties the token to this login.
        verifier: Proves that whoever began the login ends it.
        target: The page to show afterwards.
        redirect_uri: Where the provider sends the browser.
    """

    state: str
    nonce: str
    verifier: str
    target: str
    redirect_uri: str


class _Discovered(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str


class _Tokens(msgspec.Struct):
    id_token: str


class OidcLogin:
    """Lets users log in at one provider.

    Args:
        provider: The provider; the first of its audiences is what it calls this client.
        secret: What this client proves itself with, "" where the provider knows it as public.
    """

    def __init__(self, provider: Provider, secret: str = "") -> None:
        self._provider = provider
        self._client_id = provider.audiences[0]
        self._secret = secret
        self._keys = ProviderKeys(provider)

    async def begin(self, target: str, redirect_uri: str) -> tuple[str, Pending]:
        """Where to send the browser, and what it has to keep meanwhile.

        Raises:
            LoginError: The provider does not answer.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        pending = Pending(state, nonce, verifier, target, redirect_uri)
        challenge = urlsafe_b64encode(sha256(pending.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": _SCOPES,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = (await self._discovered()).authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", pending

    async def finish(self, pending: Pending, state: str, code: str) -> str:
        """The ID token of the user who has come back with a code.

        Raises:
            LoginError: The answer belongs to another login, or the provider does not vouch for the user.
        """
        if not secrets.compare_digest(state.encode(), pending.state.encode()):
            raise LoginError("This answer belongs to another login. Log in again.")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": pending.redirect_uri,
            "client_id": self._client_id,
            "code_verifier": pending.verifier,
        }
        if self._secret:
            form["client_secret"] = self._secret
        endpoint = (await self._discovered()).token_endpoint
        try:
            token = msgspec.json.decode(await self._asked(endpoint, form), type=_Tokens).id_token
        except msgspec.MsgspecError as error:
            raise LoginError("The provider answered without an ID token.") from error
        await self._check(token, pending.nonce)
        return token

    async def close(self) -> None:
        """End what is going on."""
        await self._keys.close()

    async def _check(self, token: str, nonce: str) -> None:
        """Check what only this client can know of a token (OpenID Connect Core 3.1.3.7); the API checks it again."""
        claim = unverified(token)
        if claim is None or claim.algorithm not in self._provider.algorithms:
            raise LoginError("The provider's token is not signed in a way that is accepted.")
        wanted = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._provider.issuer},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            wanted.validate(await self._claims(token, claim))
        except JoseError as error:
            raise LoginError("The provider's token is not meant for this login. Log in again.") from error

    async def _claims(self, token: str, claim: Unverified) -> dict[str, Any]:
        try:
            keys = await self._keys.of(claim)
        except ProviderUnavailableError as error:
            raise LoginError("The provider's keys cannot be fetched. Try again in a moment.") from error
        for key in keys:
            try:
                return verified(token, key, (claim.algorithm,))
            except WrongTokenError:
                continue
        raise LoginError("The provider's token is signed with none of its keys.")

    async def _discovered(self) -> _Discovered:
        try:
            found = msgspec.json.decode(await self._asked(self._provider.discovery_url), type=_Discovered)
            check_place(self._provider, "authorization_endpoint", found.authorization_endpoint)
            check_place(self._provider, "token_endpoint", found.token_endpoint)
        except (msgspec.MsgspecError, ProviderUnavailableError) as error:
            raise LoginError("The provider does not describe itself as it should.") from error
        if found.issuer != self._provider.issuer:
            raise LoginError("The provider describes itself as another one.")
        return found

    async def _asked(self, url: str, form: dict[str, str] | None = None) -> bytes:
        try:
            async with asyncio.timeout(FETCH_SECONDS), connection(self._provider) as client:
                return await fetched(client, url, form)
        except ProviderUnavailableError as error:
            raise LoginError("The provider refused this login. Log in again.") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise LoginError("The provider cannot be reached. Try again in a moment.") from error
