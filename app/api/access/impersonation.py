"""The headers by which a user acts as another one (`kubectl --as`): Impersonate-User, -Group, -Uid and -Extra-."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from app.api.headers import Header
from app.domain.errors import BadRequest
from app.domain.rules.access.requests import ResourceRequest
from app.domain.user import ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, ANONYMOUS, User, account_of, account_user

_PREFIX, _EXTRA = b"impersonate-", "extra-"
_IDENTITIES = "authentication.k8s.io"
_VERB = "impersonate"


@dataclass(frozen=True, slots=True)
class Impersonation:
    """The user that a request is to be judged as.

    Attributes:
        user: With exactly the groups that are asked for, and those that every user has.
        requests: What whoever sends the request has to have a right to, in the order of Kubernetes.
    """

    user: User
    requests: tuple[ResourceRequest, ...]


def impersonated(headers: Iterable[Header]) -> Impersonation | None:
    """The user that a request wants to act as, None if it wants to act as whoever sends it.

    A header that may have several values comes once for each. An empty Impersonate-User alone means nothing.

    Raises:
        BadRequest: A group, uid or extra is asked for, and no user.
    """
    asked = [(name, value) for name, value in headers if name.startswith(_PREFIX)]
    if not asked:
        return None
    values = [(name[len(_PREFIX) :].decode("latin-1"), _text(value)) for name, value in asked]
    name = next((value for header, value in values if header == "user"), "")
    groups = [value for header, value in values if header == "group"]
    uid = next((value for header, value in values if header == "uid"), "")
    extra = _extra(values)
    if not name:
        if groups or uid or extra:
            raise BadRequest("requested a group, uid or extra without impersonating a user: send Impersonate-User, too")
        return None
    user = User(name, uid, _with_common_groups(name, groups), extra)
    return Impersonation(user, tuple(_rights(user, groups)))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _extra(values: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    extra: dict[str, tuple[str, ...]] = {}
    for header, value in values:
        if header.startswith(_EXTRA):
            key = unquote(header.removeprefix(_EXTRA)).lower()
            extra[key] = (*extra.get(key, ()), value)
    return extra


def _with_common_groups(name: str, asked: list[str]) -> tuple[str, ...]:
    """The groups of the impersonated user: those asked for, or those of the account; and what all such users are in."""
    account = account_of(name)
    groups = tuple(asked) or (() if account is None else account_user(*account).groups)
    common = {ALL_AUTHENTICATED, ALL_UNAUTHENTICATED}
    if name == ANONYMOUS.name:
        return groups if ALL_UNAUTHENTICATED in groups else (*groups, ALL_UNAUTHENTICATED)
    return groups if common & set(groups) else (*groups, ALL_AUTHENTICATED)


def _rights(user: User, groups: list[str]) -> Iterable[ResourceRequest]:
    account = account_of(user.name)
    if account is None:
        yield ResourceRequest(_VERB, "", "users", name=user.name)
    else:
        yield ResourceRequest(_VERB, "", "serviceaccounts", namespace=account[0], name=account[1])
    for group in groups:
        yield ResourceRequest(_VERB, "", "groups", name=group)
    for key, values in user.extra.items():
        for value in values:
            yield ResourceRequest(_VERB, _IDENTITIES, "userextras", key, name=value)
    if user.uid:
        yield ResourceRequest(_VERB, _IDENTITIES, "uids", name=user.uid)
