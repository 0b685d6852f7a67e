"""What a token of a ServiceAccount says, and who its bearer is (KEP-1205, KEP-4193)."""

from typing import Any

import msgspec
from msgspec import field

from app.domain.user import ALL_AUTHENTICATED, User

ALL_SERVICE_ACCOUNTS = "system:serviceaccounts"
"""The group of every ServiceAccount."""
LEGACY_ISSUER = "kubernetes/serviceaccount"
"""Issuer of tokens in Secrets, which do not expire."""
ID_PREFIX = "JTI="
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
LEEWAY_SECONDS = 60
"""By how much clocks may differ; a token also ends so long after its object began to be deleted."""

_USERNAME_PREFIX = "system:serviceaccount:"
_LEGACY = "kubernetes.io/serviceaccount"


class Reference(msgspec.Struct, frozen=True):
    """One object, told from others of its name."""

    name: str = ""
    uid: str = ""


class Binding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The claim `kubernetes.io`: what a token ends with.

    Attributes:
        namespace: Namespace of the ServiceAccount.
        serviceaccount: The ServiceAccount.
        pod: The Pod that the token is for.
        secret: The Secret that the token is for.
        node: The Node that the token is for, or that its Pod is on.
        warnafter: When the token should have been renewed, in seconds since 1970.
    """

    namespace: str = ""
    node: Reference | None = None
    pod: Reference | None = None
    secret: Reference | None = None
    serviceaccount: Reference = Reference()
    warnafter: int | None = None


class TokenClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says (RFC 7519). Times are in seconds since 1970."""

    iss: str
    sub: str = ""
    aud: list[str] = field(default_factory=list)
    exp: float | None = None
    nbf: float | None = None
    iat: float | None = None
    jti: str = ""
    binding: Binding = field(name="kubernetes.io", default=Binding())


class _LegacyClaims(msgspec.Struct, frozen=True):
    """What a token in a Secret says."""

    namespace: str = field(name=f"{_LEGACY}/namespace")
    secret: str = field(name=f"{_LEGACY}/secret.name")
    account: str = field(name=f"{_LEGACY}/service-account.name")
    uid: str = field(name=f"{_LEGACY}/service-account.uid")
    sub: str = ""


def username(namespace: str, name: str) -> str:
    """The user name of a ServiceAccount."""
    return f"{_USERNAME_PREFIX}{namespace}:{name}"


def groups(namespace: str) -> tuple[str, ...]:
    """The groups of the ServiceAccounts of a namespace."""
    return ALL_SERVICE_ACCOUNTS, f"{ALL_SERVICE_ACCOUNTS}:{namespace}", ALL_AUTHENTICATED


def legacy_claims(namespace: str, account: Reference, secret: str) -> dict[str, str]:
    """What the token in a Secret says."""
    return {
        "iss": LEGACY_ISSUER,
        f"{_LEGACY}/namespace": namespace,
        f"{_LEGACY}/secret.name": secret,
        f"{_LEGACY}/service-account.name": account.name,
        f"{_LEGACY}/service-account.uid": account.uid,
        "sub": username(namespace, account.name),
    }


def read_claims(payload: dict[str, Any]) -> TokenClaims:
    """The claims of a token whose signature is right.

    Raises:
        ValueError: They are not those of a ServiceAccount.
    """
    if payload.get("iss") == LEGACY_ISSUER:
        found = msgspec.convert(payload, _LegacyClaims)
        secret = Reference(found.secret)
        binding = Binding(found.namespace, secret=secret, serviceaccount=Reference(found.account, found.uid))
        claims = TokenClaims(iss=LEGACY_ISSUER, sub=found.sub, binding=binding)
    else:
        claims = msgspec.convert(payload, TokenClaims)
    bound = claims.binding
    if not bound.serviceaccount.uid or claims.sub != username(bound.namespace, bound.serviceaccount.name):
        raise ValueError("the token is not that of a ServiceAccount")
    return claims


def untimely(claims: TokenClaims, now: float) -> str:
    """Why a token is not valid at a time (seconds since 1970), "" if it is."""
    if claims.exp is None and claims.iss != LEGACY_ISSUER:
        return "without end"
    if claims.exp is not None and now > claims.exp + LEEWAY_SECONDS:
        return "expired"
    if any(start is not None and now < start - LEEWAY_SECONDS for start in (claims.nbf, claims.iat)):
        return "not valid yet"
    return ""


def bearer_of(claims: TokenClaims) -> User:
    """The user who has a token."""
    bound = claims.binding
    extra: dict[str, tuple[str, ...]] = {}
    if bound.pod is not None:
        extra["authentication.kubernetes.io/pod-name"] = (bound.pod.name,)
        extra["authentication.kubernetes.io/pod-uid"] = (bound.pod.uid,)
    if claims.jti:
        extra[CREDENTIAL_ID] = (f"{ID_PREFIX}{claims.jti}",)
    if bound.node is not None:
        extra["authentication.kubernetes.io/node-name"] = (bound.node.name,)
        if bound.node.uid:
            extra["authentication.kubernetes.io/node-uid"] = (bound.node.uid,)
    account = bound.serviceaccount
    return User(username(bound.namespace, account.name), account.uid, groups(bound.namespace), extra)
