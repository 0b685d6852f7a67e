"""What authenticators answer."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from app.credentials.json_web_tokens import Unverified
from app.domain.user import User


class RefusedCredentialError(Exception):
    """A credential is nobody's, or is not valid now.

    Attributes:
        reason: Why, in few words: for metrics and the log. The client is never told, lest it can probe.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """Who has a credential.

    Attributes:
        user: The user.
        audiences: Those of the audiences that were asked for that the credential is meant for.
    """

    user: User
    audiences: tuple[str, ...] = ()


class TokenAuthenticator(Protocol):
    """Knows the bearers of the tokens of one kind of issuers."""

    async def identify(self, token: str, claim: Unverified, audiences: Collection[str]) -> Identity | None:
        """Who has a token, None if it is no token of these issuers.

        Args:
            token: The token.
            claim: What the token claims to be.
            audiences: The token has to be meant for one of these.

        Raises:
            RefusedCredentialError: It claims to be one of theirs, and is not, or is not valid now.
            ServiceUnavailable: That cannot be told at the moment.
        """
        ...
