"""Who sends a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

ALL_AUTHENTICATED = "system:authenticated"
"""The group of every user who proved who they are."""
ALL_UNAUTHENTICATED = "system:unauthenticated"
"""The group of `ANONYMOUS`."""


@dataclass(frozen=True, slots=True)
class User:
    """A user as Kubernetes' authenticators describe one. It carries no secret, so it may be logged.

    Attributes:
        name: Unique among the users of a server.
        uid: Tells this user from an earlier one of the same name; "" where that is not known.
        groups: The groups that the user belongs to.
        extra: What else the authenticator knows, such as scopes.
    """

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def authenticated(self) -> "User":
        """The same user, also in the group of all users who proved who they are."""
        if ALL_AUTHENTICATED in self.groups:
            return self
        return replace(self, groups=(*self.groups, ALL_AUTHENTICATED))


ANONYMOUS = User("system:anonymous", groups=(ALL_UNAUTHENTICATED,))
"""Somebody who did not say who they are."""
