"""Tokens of ServiceAccounts: issuing them, and finding their bearers (KEP-1205)."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from app.api.access.identity import Identity, RefusedCredentialError
from app.cluster.signing_keys import SigningKeys
from app.credentials.json_web_tokens import Unverified, WrongTokenError
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.declarations.secret import SECRET
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.domain.documents.peeking import mentions, metadata_of
from app.domain.rules.service_account_tokens import (
    LEEWAY_SECONDS,
    LEGACY_ISSUER,
    Reference,
    TokenClaims,
    bearer_of,
    read_claims,
    untimely,
)
from app.domain.timestamps import parse_time
from app.mirror.entry import Entry
from app.mirror.mirror import Mirror


class ServiceAccountTokens:
    """Knows the bearers of tokens of ServiceAccounts.

    Args:
        keys: Sign and verify.
        mirror: Knows which accounts and objects there are.
        issuers: Names of the API as an issuer. The first one issues, tokens of all are accepted.
        audiences: Names of the API as an audience.
        longest_seconds: For how long a token is valid at most; 0 for no limit.
        clock: Seconds since 1970.

    Attributes:
        keys, issuers, audiences, longest_seconds: As above.
    """

    def __init__(
        self,
        keys: SigningKeys,
        mirror: Mirror,
        issuers: Sequence[str],
        audiences: Sequence[str],
        longest_seconds: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.keys = keys
        self.issuers = tuple(issuers)
        self.audiences = tuple(audiences)
        self.longest_seconds = longest_seconds
        self._accepted = frozenset((*issuers, LEGACY_ISSUER))
        self._mirror = mirror
        self._clock = clock

    async def identify(self, token: str, claim: Unverified, audiences: Collection[str]) -> Identity | None:
        """Who has a token, None if it is no token of a ServiceAccount.

        Raises:
            RefusedCredentialError: Its signature is wrong, it is not valid now, it is meant for others, or what it is
                bound to is gone.
            ServiceUnavailable: The database cannot be reached, and so it is not known whether it is gone.
        """
        if claim.issuer not in self._accepted:
            return None
        claims = await self._verified(token, claim)
        if (why := untimely(claims, self._clock())) != "":
            raise RefusedCredentialError(why)
        # A token without audiences, which is one in a Secret, is meant for the API.
        meant_for = claims.aud or self.audiences
        found = tuple(each for each in meant_for if each in audiences)
        if not found:
            raise RefusedCredentialError("audience")
        if not self._is_there(claims):
            await self.catch_up()
            if not self._is_there(claims):
                raise RefusedCredentialError("gone")
        return Identity(bearer_of(claims), found)

    async def _verified(self, token: str, claim: Unverified) -> TokenClaims:
        try:
            return read_claims(await self.keys.verified(token, claim.key_id))
        except WrongTokenError as error:
            raise RefusedCredentialError("signature") from error
        except ValueError as error:
            raise RefusedCredentialError("claims") from error

    async def catch_up(self) -> None:
        """Learn of what was created or deleted a moment ago, maybe through another process.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        await self._mirror.fresh()

    def _is_there(self, claims: TokenClaims) -> bool:
        """Whether the account is there, and what the token ends with; a token of a Pod does not end with its Node."""
        bound = claims.binding
        needed: list[tuple[str, str, Reference | None]] = [
            (SERVICE_ACCOUNT.key, bound.namespace, bound.serviceaccount),
            (POD.key, bound.namespace, bound.pod),
            (SECRET.key, bound.namespace, bound.secret),
            (NODE.key, "", None if bound.pod is not None else bound.node),
        ]
        return all(
            self._is_same(self._mirror.get(kind, namespace, reference.name), reference)
            for kind, namespace, reference in needed
            if reference is not None
        )

    def _is_same(self, entry: Entry | None, reference: Reference) -> bool:
        if entry is None or reference.uid not in ("", entry.uid):
            return False
        if not mentions(entry.wire, "deletionTimestamp"):
            return True
        deleted = metadata_of(entry.wire).deletion_timestamp
        return deleted is None or parse_time(deleted).timestamp() + LEEWAY_SECONDS > self._clock()

    def now(self) -> datetime:
        """The present, in whole seconds."""
        return datetime.fromtimestamp(int(self._clock()), UTC)
