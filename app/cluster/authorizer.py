"""The one function that decides who may do what."""

from contextlib import suppress

from app.cluster.role_bindings import RoleBindings
from app.domain.errors import ServiceUnavailable
from app.domain.kinds.role import PolicyRule
from app.domain.rules.access.requests import Request, refused
from app.domain.user import ALL_UNAUTHENTICATED, MASTERS, User
from app.mirror.mirror import Mirror


class Authorizer:
    """Decides by roles and bindings (RBAC).

    Args:
        mirror: Is brought up to date before a refusal, so that a right holds in every process as soon as it is given.
        bindings: Follow the mirror.
    """

    def __init__(self, mirror: Mirror, bindings: RoleBindings) -> None:
        self._mirror = mirror
        self.bindings = bindings

    def allows(self, user: User, request: Request) -> bool:
        """Whether a user may do something, as far as this process knows."""
        return self.bindings.rights_of(user).allows(request)

    async def decides(self, user: User, request: Request) -> bool:
        """Whether a user may do something. A "no" is as of now, whichever process the right was given in.

        Where the database is away, and for strangers, it is what this process knows.
        """
        if self.allows(user, request):
            return True
        if ALL_UNAUTHENTICATED in user.groups:
            return False
        with suppress(ServiceUnavailable):
            await self._mirror.fresh()
        return self.allows(user, request)

    async def authorize(self, user: User, request: Request) -> None:
        """Return if the user may do it.

        Raises:
            Forbidden: The user may not.
        """
        if not await self.decides(user, request):
            raise refused(user.name, request)

    def check(self, user: User, request: Request) -> None:
        """The same, as far as this process knows.

        Raises:
            Forbidden: The user may not.
        """
        if not self.allows(user, request):
            raise refused(user.name, request)

    async def rules(self, user: User, namespace: str) -> list[PolicyRule]:
        """The rules that apply to a user in a namespace, and those on paths. They are as of now."""
        if ALL_UNAUTHENTICATED not in user.groups:
            with suppress(ServiceUnavailable):
                await self._mirror.fresh()
        return self.bindings.rights_of(user).rules(namespace)

    def reason(self, user: User, request: Request) -> str:
        """By what a user may do something, in the words of Kubernetes; "" if nothing allows it."""
        if MASTERS in user.groups:
            return f"allowed to the group {MASTERS}"
        binding = self.bindings.allowing(user, request)
        return f"RBAC: allowed by {binding}" if binding else ""
