"""The keys that sign tokens: RS256, which every reader of OpenID tokens knows (OpenID Connect Core, 15.1)."""

import secrets
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.credentials.json_web_tokens import WrongTokenError, verified

ALGORITHM = "RS256"
_KEY_BITS = 2048
_REMEMBERED = 4096
"""Tokens whose signature was right: checking one again would take a hundred times as long."""


class SigningKey:
    """A key that signs.

    Attributes:
        id: Its thumbprint (RFC 7638), which stands in each token.
        pem: The key, unencrypted: a secret.
    """

    def __init__(self, pem: bytes) -> None:
        self.pem = pem
        self._key = RSAKey.import_key(pem)
        self.id = self._key.thumbprint()

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key. It takes a fifth of a second, so call it in a thread."""
        return cls(RSAKey.generate_key(_KEY_BITS).as_pem(private=True))

    def sign(self, claims: dict[str, Any]) -> str:
        """A token that says this."""
        return jwt.encode({"alg": ALGORITHM, "kid": self.id}, claims, self._key)

    def verified(self, token: str) -> dict[str, Any]:
        """What a token says that this key signed.

        Raises:
            WrongTokenError: It did not.
        """
        return verified(token, self._key, (ALGORITHM,))

    def public(self) -> dict[str, Any]:
        """Its public half as a JWK (RFC 7517)."""
        return {"use": "sig", "kid": self.id, "alg": ALGORITHM, **self._key.as_dict(private=False)}


class Verification:
    """Checks tokens with the keys of the moment.

    A digest is remembered of tokens that were checked, with a random key; never the token.
    """

    def __init__(self) -> None:
        self._keys: dict[str, SigningKey] = {}
        self._checked: dict[bytes, dict[str, Any]] = {}
        self._digest_key = secrets.token_bytes(32)

    def replace(self, keys: Iterable[SigningKey]) -> None:
        """Know these keys from now on, and no others."""
        found = {key.id: key for key in keys}
        if found.keys() != self._keys.keys():
            self._checked.clear()
        self._keys = found

    def knows(self, key_id: str) -> bool:
        """Whether a key is known."""
        return key_id in self._keys

    def verified(self, token: str, key_id: str) -> dict[str, Any]:
        """What a token says that a key signed. Nothing else about it is checked.

        Raises:
            WrongTokenError: The key is not known, or did not sign it.
        """
        digest = blake2b(token.encode(), key=self._digest_key, digest_size=32).digest()
        found = self._checked.get(digest)
        if found is None:
            if key_id not in self._keys:
                raise WrongTokenError("the token is signed with a key that is not known")
            found = self._keys[key_id].verified(token)
            if len(self._checked) >= _REMEMBERED:
                self._checked.clear()
            self._checked[digest] = found
        return found

    def key_set(self) -> bytes:
        """The JWK Set of the public halves (RFC 7517)."""
        return msgspec.json.encode({"keys": [key.public() for key in self._keys.values()]})
