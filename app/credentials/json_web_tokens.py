"""JSON Web Tokens (RFC 7519), read with bounds and without trust."""

from base64 import urlsafe_b64decode
from collections.abc import Sequence
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

LONGEST_TOKEN = 32 * 1024
"""Characters; a longer one is nobody's."""

AsymmetricKey = RSAKey | ECKey | OKPKey

_PARTS = 3
_DEEPEST = 512
"""Brackets that a part may open; so no token makes a reader recurse too deep."""


class WrongTokenError(ValueError):
    """A token is malformed, or its signature is wrong. The message holds nothing of the token."""


class Unverified(msgspec.Struct, frozen=True):
    """What a token claims to be: good for finding the key that it should be signed with, and for nothing else.

    Attributes:
        key_id: Name of the key, "" if it has none.
        algorithm: How it is signed.
        issuer: Who signed it.
    """

    key_id: str
    algorithm: str
    issuer: str


class _Header(msgspec.Struct):
    alg: str
    kid: str = ""


class _Issued(msgspec.Struct):
    iss: str


def unverified(token: str) -> Unverified | None:
    """What a token claims to be, None if it is no signed token with an issuer."""
    parts = token.split(".")
    if len(token) > LONGEST_TOKEN or len(parts) != _PARTS:
        return None
    try:
        header = msgspec.json.decode(_decoded(parts[0]), type=_Header)
        issued = msgspec.json.decode(_decoded(parts[1]), type=_Issued)
    except (ValueError, RecursionError):
        return None
    return Unverified(header.kid, header.alg, issued.iss)


def verified(token: str, key: AsymmetricKey, algorithms: Sequence[str]) -> dict[str, Any]:
    """What a token says whose signature is this key's. Nothing else about it is checked.

    Raises:
        WrongTokenError: Its signature is wrong, its algorithm is none of these, or it is malformed.
    """
    try:
        return jwt.decode(token, key, algorithms=list(algorithms)).claims
    except (JoseError, ValueError, RecursionError) as error:
        raise WrongTokenError(f"the token cannot be verified: {type(error).__name__}") from error


def _decoded(part: str) -> bytes:
    decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if decoded.count(b"[") + decoded.count(b"{") > _DEEPEST:
        raise ValueError("nested too deep")
    return decoded
