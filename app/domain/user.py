"""Who sends a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

ALL_AUTHENTICATED = "system:authenticated"
"""The group of every user who proved who they are."""
ALL_UNAUTHENTICATED = "system:unauthenticated"
"""The group of `ANONYMOUS`."""
MASTERS = "system:masters"
"""The group whose members may do everything, whatever the bindings say."""

_ACCOUNT, _ACCOUNTS = "system:serviceaccount:", "system:serviceaccounts"


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

ON_LOOPBACK = User(ANONYMOUS.name, groups=(MASTERS, ALL_UNAUTHENTICATED))
"""Everybody, where the server asks nobody who they are and listens on loopback only."""
ITSELF = User("system:apiserver", groups=(MASTERS,))
"""This server, when it writes an object itself."""


def account_user(namespace: str, name: str) -> User:
    """The user that a ServiceAccount is, in the groups of all accounts and of those in its namespace."""
    return User(f"{_ACCOUNT}{namespace}:{name}", groups=(_ACCOUNTS, f"{_ACCOUNTS}:{namespace}"))


def account_of(user: str) -> tuple[str, str] | None:
    """The namespace and the name of the ServiceAccount that a user is, None if it is none."""
    namespace, colon, name = user.removeprefix(_ACCOUNT).partition(":")
    if not user.startswith(_ACCOUNT) or not (colon and namespace and name) or ":" in name:
        return None
    return namespace, name
