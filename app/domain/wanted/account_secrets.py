"""Secrets of type kubernetes.io/service-account-token: what they hold (the tokens controller of Kubernetes)."""

from collections.abc import Mapping

from app.domain.kinds.secret import Secret
from app.domain.rules.secret import SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN
from app.domain.rules.service_account_tokens import Reference

SERVICE_ACCOUNT_UID = "kubernetes.io/service-account.uid"
"""Annotation with the uid of the ServiceAccount; the controller sets it."""
TOKEN_KEY = "token"  # noqa: S105 - the name of a key
_CERTIFICATES_KEY, _NAMESPACE_KEY = "ca.crt", "namespace"


def account_of(secret: Secret) -> str | None:
    """The name of the ServiceAccount whose token a Secret holds, None if it holds none."""
    if secret.type != SERVICE_ACCOUNT_TOKEN:
        return None
    return (secret.metadata.annotations or {}).get(SERVICE_ACCOUNT_NAME)


def belongs_to(secret: Secret, account: Reference) -> bool:
    """Whether a Secret is that of an account, and not of an earlier one of its name."""
    uid = (secret.metadata.annotations or {}).get(SERVICE_ACCOUNT_UID, "")
    return account_of(secret) == account.name and uid in ("", account.uid)


def filled(secret: Secret, account: Reference, token: str, certificates: str) -> bool:
    """Fill a Secret, in place; tells whether that changed it. What else it holds stays.

    Args:
        secret: The Secret.
        account: Whose token it is.
        token: The token.
        certificates: By which clients know the API, in PEM; "" where they are not known.
    """
    data: Mapping[str, bytes] = {
        TOKEN_KEY: token.encode(),
        _NAMESPACE_KEY: (secret.metadata.namespace or "").encode(),
        **({_CERTIFICATES_KEY: certificates.encode()} if certificates else {}),
    }
    annotations = {**(secret.metadata.annotations or {}), SERVICE_ACCOUNT_UID: account.uid}
    before = secret.data, secret.metadata.annotations
    secret.data = {**(secret.data or {}), **data}
    secret.metadata.annotations = annotations
    return before != (secret.data, secret.metadata.annotations)
