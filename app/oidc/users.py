"""Who the claims of a token say it is: a pure function of the claims and of the provider's configuration."""

from collections.abc import Mapping
from typing import Any

from app.domain.user import User
from app.oidc.configuration import Provider
from app.oidc.expressions import ClaimError, looked_up

LEEWAY_SECONDS = 60
"""By how much the clocks of provider and API may differ."""
_MOST_GROUPS = 1000
_LONGEST_NAME = 1024


def user_of(provider: Provider, claims: Mapping[str, Any], now: float) -> User:
    """The user whom a token describes, whose signature is right.

    Args:
        provider: Who signed it.
        claims: What it says.
        now: Seconds since 1970.

    Raises:
        ClaimError: The token is not valid now, is meant for others, breaks a rule, or names no user.
    """
    _check_time(claims, now)
    meant_for = claims.get("aud")
    audiences = [meant_for] if isinstance(meant_for, str) else meant_for
    if not isinstance(audiences, list) or not any(each in provider.audiences for each in audiences):
        raise ClaimError("audience")
    for rule in provider.claim_rules:
        if not rule.holds(claims):
            raise ClaimError(f"the claim {'.'.join(rule.path)} has not the value that it should have")
    if ("email",) in provider.username.claims and claims.get("email_verified", True) is not True:
        raise ClaimError("the email address is not verified")
    user = _user(provider, claims)
    for user_rule in provider.user_rules:
        if not user_rule.holds(user.name, user.groups):
            raise ClaimError("the name or a group of the user begins as it must not")
    return user.authenticated()


def _check_time(claims: Mapping[str, Any], now: float) -> None:
    expiry, start = _seconds(claims.get("exp")), _seconds(claims.get("nbf", 0))
    if now > expiry + LEEWAY_SECONDS:
        raise ClaimError("expired")
    if now < start - LEEWAY_SECONDS:
        raise ClaimError("not valid yet")


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ClaimError("exp is missing, or a time is no number")
    return value


def _user(provider: Provider, claims: Mapping[str, Any]) -> User:
    name = provider.username.value(claims)
    if not name or any(looked_up(claims, path) == "" for path in provider.username.claims):
        raise ClaimError("the claim of the user name is missing or empty")
    groups = [] if provider.groups is None else provider.groups.values(claims)
    if len(groups) > _MOST_GROUPS or any(len(each) > _LONGEST_NAME for each in (name, *groups)):
        raise ClaimError("too many groups, or a name that is too long")
    extra = {key: tuple(text.values(claims)) for key, text in provider.extra}
    uid = "" if provider.uid is None else provider.uid.value(claims)
    return User(name, uid, tuple(dict.fromkeys(groups)), extra)
