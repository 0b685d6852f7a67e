"""Users who prove who they are with a certificate (x509 client certificates of Kubernetes)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography import x509
from cryptography.x509.oid import NameOID

from app.api.access.identity import RefusedCredentialError
from app.domain.rules.service_account_tokens import CREDENTIAL_ID
from app.domain.user import User

_UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
"""Kubernetes' own attribute of a subject."""
_MOST_GROUPS = 1000


@dataclass(frozen=True, slots=True)
class _Certified:
    user: User
    not_before: float
    not_after: float


class ClientCertificates:
    """Knows the users of certificates that the connection has checked.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def user_of(self, certificate: bytes) -> User:
        """Who has a certificate, in DER; the name is the CN of its subject, the groups are the O's.

        The connection has checked who issued it. A connection may outlive it, so its time is checked for each request.

        Raises:
            RefusedCredentialError: It names nobody, or its time is over.
        """
        found = _certified(certificate)
        if found is None:
            raise RefusedCredentialError("certificate names nobody")
        if not found.not_before <= self._clock() <= found.not_after:
            raise RefusedCredentialError("certificate expired")
        return found.user


@lru_cache(maxsize=1024)
def _certified(der: bytes) -> _Certified | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = _values(certificate, NameOID.COMMON_NAME)
        groups = _values(certificate, NameOID.ORGANIZATION_NAME)
        uids = _values(certificate, _UID)
    except ValueError:
        return None
    if not names or not names[-1] or len(groups) > _MOST_GROUPS or len(uids) > 1:
        return None
    extra = {CREDENTIAL_ID: (f"X509SHA256={sha256(der).hexdigest()}",)}
    user = User(names[-1], uids[0] if uids else "", tuple(dict.fromkeys(groups)), extra).authenticated()
    return _Certified(user, certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp())


def _values(certificate: x509.Certificate, attribute: x509.ObjectIdentifier) -> list[str]:
    return [
        each.value if isinstance(each.value, str) else each.value.decode()
        for each in certificate.subject.get_attributes_for_oid(attribute)
    ]
