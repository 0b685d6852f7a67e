"""SelfSubjectReview (authentication.k8s.io/v1, KEP-3325): a client asks who it is."""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Wire


class UserInfo(Wire):
    """A user.

    Attributes:
        username: The name of the user.
        uid: Tells the user from an earlier one of the same name.
        groups: The groups that the user belongs to.
        extra: What else the server knows about the user.
    """

    username: str = ""
    uid: str = ""
    groups: list[str] | None = None
    extra: dict[str, list[str]] | None = None


class SelfSubjectReviewStatus(Wire):
    """Who the client is.

    Attributes:
        user_info: The client as the server knows it.
    """

    user_info: UserInfo = field(default_factory=UserInfo)


class SelfSubjectReview(KubeObject):
    """Who am I? (authentication.k8s.io/v1, KEP-3325)."""

    status: SelfSubjectReviewStatus = field(default_factory=SelfSubjectReviewStatus)
