"""A user as the wire has it."""

from app.domain.kinds.self_review import UserInfo
from app.domain.user import User


def user_info(user: User) -> UserInfo:
    """A user as the wire has it."""
    extra = {key: list(values) for key, values in user.extra.items()}
    return UserInfo(username=user.name, uid=user.uid, groups=list(user.groups) or None, extra=extra or None)
