"""TokenReview: a server asks whose token it was sent."""

from collections.abc import Sequence

import msgspec

from app.api.access.access import Access
from app.api.access.identity import RefusedCredentialError
from app.api.access.user_info import user_info
from app.api.bodies import Bodies
from app.api.exchange import Exchange
from app.api.parameters import strictness, write_options
from app.api.rendering import Renderer
from app.domain.declarations.reviews import TOKEN_REVIEW
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import BadRequest
from app.domain.kinds.token_review import TokenReviewStatus
from app.registry.target import Target

_REFUSED = "invalid bearer token"
"""The same for every reason, lest anybody learns more from it."""


class TokenReviews:
    """Answers TokenReviews.

    Args:
        access: Knows who has which token.
        bodies: Reads bodies.
        renderer: Writes answers.
    """

    def __init__(self, access: Access, bodies: Bodies, renderer: Renderer) -> None:
        self._authentication = access.authentication
        self._accounts = access.accounts
        self._bodies = bodies
        self._renderer = renderer

    async def answer(self, exchange: Exchange, target: Target) -> None:
        """POST of a TokenReview.

        Raises:
            ServiceUnavailable: The database cannot be reached.
            ApiError: The body cannot be read, or has no token.
        """
        del target
        write_options(exchange)
        review, exchange.warnings = await self._bodies.read_object(exchange, TOKEN_REVIEW, strictness(exchange.query))
        if not review.spec.token:
            raise BadRequest("token is required for TokenReview in authentication: set spec.token")
        review.metadata = ObjectMeta()
        if self._accounts is not None:
            await self._accounts.catch_up()  # the answer holds as of now, as that to a read does
        review.status = await self._status(review.spec.token, review.spec.audiences or ())
        await self._renderer.document(exchange, msgspec.json.encode(review), 201)

    async def _status(self, token: str, audiences: Sequence[str]) -> TokenReviewStatus:
        try:
            identity = await self._authentication.identify(token.encode(errors="replace"), audiences)
        except RefusedCredentialError:
            return TokenReviewStatus(error=_REFUSED)
        return TokenReviewStatus(True, user_info(identity.user), list(identity.audiences) or None)
