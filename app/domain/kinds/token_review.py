"""TokenReview (authentication.k8s.io/v1): a server asks whose token it was sent."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Confidential, Wire
from app.domain.kinds.self_review import UserInfo


class TokenReviewSpec(Wire):
    """The token.

    Attributes:
        token: The token that the server was sent.
        audiences: Names of the server that asks. The token has to be meant for one of them; by default for the API.
    """

    token: Confidential = ""
    audiences: Annotated[list[str], ATOMIC] | None = None


class TokenReviewStatus(Wire):
    """Whose token it is.

    Attributes:
        authenticated: Whether the token is somebody's and is valid.
        user: Whose it is.
        audiences: Those of the audiences asked for that the token is meant for.
        error: Why it could not be checked.
    """

    authenticated: bool = False
    user: UserInfo = field(default_factory=UserInfo)
    audiences: Annotated[list[str], ATOMIC] | None = None
    error: str = ""


class TokenReview(KubeObject):
    """Asks whose token it is, and whether it is valid (authentication.k8s.io/v1)."""

    required = ("spec",)

    spec: TokenReviewSpec = field(default_factory=TokenReviewSpec)
    status: TokenReviewStatus = field(default_factory=TokenReviewStatus)
