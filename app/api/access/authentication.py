"""Who has a credential: the chain of everything that knows users."""

from collections.abc import Collection, Sequence

from app.api.access.identity import Identity, RefusedCredentialError, TokenAuthenticator
from app.credentials.json_web_tokens import unverified
from app.credentials.tokens import TokenUsers


class Authentication:
    """Finds the user who has a token.

    Args:
        users: The users of the token file; None where there is none.
        authenticators: Know the bearers of signed tokens, each those of its issuers.
        audiences: Names of the API. Tokens of the token file are meant for it.
    """

    def __init__(
        self,
        users: TokenUsers | None = None,
        authenticators: Sequence[TokenAuthenticator] = (),
        audiences: Collection[str] = (),
    ) -> None:
        self._users = users
        self._authenticators = authenticators
        self.audiences = tuple(audiences)

    async def identify(self, token: bytes, audiences: Sequence[str] = ()) -> Identity:
        """Who has a token.

        Args:
            token: The token.
            audiences: The token has to be meant for one of these; by default for the API.

        Raises:
            RefusedCredentialError: It is nobody's, is not valid now, or is meant for others.
        """
        wanted = tuple(audiences) or self.audiences
        user = self._users.find(token) if self._users is not None else None
        if user is not None:
            found = tuple(each for each in self.audiences if each in wanted)
            if self.audiences and not found:
                raise RefusedCredentialError("audience")
            return Identity(user, found)
        text = token.decode("latin-1")
        claim = unverified(text)
        if claim is None:
            raise RefusedCredentialError("unknown")
        for authenticator in self._authenticators:
            identity = await authenticator.identify(text, claim, wanted)
            if identity is not None:
                return identity
        raise RefusedCredentialError("issuer")
