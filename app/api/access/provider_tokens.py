"""Tokens of providers of OpenID Connect."""

from collections.abc import Collection

from app.api.access.identity import Identity, RefusedCredentialError
from app.credentials.json_web_tokens import Unverified, WrongTokenError
from app.oidc.documents import ProviderUnavailableError
from app.oidc.expressions import ClaimError
from app.oidc.providers import Providers


class ProviderTokens:
    """Knows the bearers of tokens of providers.

    Args:
        providers: Check the tokens.
        audiences: Names of the API. A token of a provider is meant for it, if for one of the provider's audiences.
    """

    def __init__(self, providers: Providers, audiences: Collection[str]) -> None:
        self._providers = providers
        self._audiences = tuple(audiences)

    async def identify(self, token: str, claim: Unverified, audiences: Collection[str]) -> Identity | None:
        """Who has a token, None if it is no provider's.

        Raises:
            RefusedCredentialError: Its signature is wrong, it is not valid now or is meant for others, or the keys of
                the provider are not known.
        """
        if not self._providers.knows(claim.issuer):
            return None
        try:
            user = await self._providers.user_of(token, claim)
        except WrongTokenError as error:
            raise RefusedCredentialError("signature") from error
        except ClaimError as error:
            raise RefusedCredentialError(str(error)) from error
        except ProviderUnavailableError as error:
            raise RefusedCredentialError("provider does not answer") from error
        found = tuple(each for each in self._audiences if each in audiences)
        if not found:
            raise RefusedCredentialError("audience")
        return Identity(user, found)
