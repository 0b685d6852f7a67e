"""Encryption at rest: a body that holds secrets is sealed on its way into Postgres, and opened on its way out.

A sealed body is a byte that no JSON begins with, the fingerprint of its key, a nonce, and AES-256-GCM's ciphertext and
tag (NIST SP 800-38D). Which object it is the body of is authenticated, too: moved to another object it cannot be read.
"""

import secrets
from collections.abc import Sequence
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.errors import ServiceUnavailable

PLAIN = ord("{")
"""What a body begins with that is stored as it is."""

_SEALED = b"\x01"
_FINGERPRINT, _NONCE = 8, 12
_HEAD = len(_SEALED) + _FINGERPRINT
"""Bytes that tell with which key a body is sealed."""


class UnreadableError(ServiceUnavailable):
    """A body was sealed with a key that this process does not have, or is not the one that was sealed."""


class Keyring:
    """Seals with its first key, and opens what was sealed with any of them. Without keys, nothing is sealed.

    A nonce is random: one key is good for four billion bodies (SP 800-38D, 8.3).

    Attributes:
        mark: What bodies begin with that are sealed with the first key, nothing without keys.
        fingerprints: One a key, in hexadecimal; they tell keys apart and nothing else about them.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._ciphers = {_fingerprint(key): AESGCM(key) for key in keys}
        self._first = next(iter(self._ciphers), b"")
        self.mark = _SEALED + self._first if self._first else b""
        self.fingerprints = tuple(fingerprint.hex() for fingerprint in self._ciphers)

    def seal(self, body: bytes, kind: str, uid: str) -> bytes:
        """Encrypt the body of an object with the first key."""
        if not self._first:
            return body
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._ciphers[self._first].encrypt(nonce, body, _object(kind, uid))
        return b"%b%b%b" % (self.mark, nonce, sealed)

    def open(self, body: bytes, kind: str, uid: str) -> bytes:
        """The body of an object as it was before it was sealed, if it was.

        Raises:
            UnreadableError: Its key is not there, or it is no longer what was sealed for this object.
        """
        if body[:1] != _SEALED:
            return body
        cipher = self._ciphers.get(body[1:_HEAD])
        if cipher is None:
            key = body[1:_HEAD].hex()
            raise UnreadableError(f"{kind} {uid} is encrypted with key {key}, which --encryption-key-file lacks")
        nonce, sealed = body[_HEAD : _HEAD + _NONCE], body[_HEAD + _NONCE :]
        try:
            return cipher.decrypt(nonce, sealed, _object(kind, uid))
        except InvalidTag as error:
            raise UnreadableError(f"{kind} {uid} was changed in the database, or is another object's body") from error

    def __str__(self) -> str:
        return ",".join(self.fingerprints) or "none"


def read_each_other(one: str, other: str) -> bool:
    """Whether processes can work together whose keyrings are, as texts, these: each has the other's first key.

    So keys can be changed while processes work: a new key is added behind the others in all of them, then put first.
    """
    ours, theirs = one.split(","), other.split(",")
    return ours[0] in theirs and theirs[0] in ours


NO_KEYS = Keyring()
"""Of a database that holds nothing sealed."""


def _fingerprint(key: bytes) -> bytes:
    return blake2b(key, digest_size=_FINGERPRINT, person=b"fairlead-key-id").digest()


def _object(kind: str, uid: str) -> bytes:
    return f"{kind}/{uid}".encode()
