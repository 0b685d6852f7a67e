"""Encryption at rest: a body with secrets is sealed before Postgres gets it, and opened after it is read.

A sealed body is a byte with which no JSON begins, the fingerprint of its key, a nonce, and the ciphertext and tag of
AES-256-GCM (NIST SP 800-38D). The identity of the object is authenticated, too: a body that is moved to another object
cannot be read.
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
    """A body was sealed with a key that this process does not have, or was changed after it was sealed."""


class Keyring:
    """Seals with its first key, and opens with any of its keys. Without keys, nothing is sealed.

    Nonces are random, so one key may seal four billion bodies (SP 800-38D, 8.3).

    Attributes:
        mark: The first bytes of bodies that are sealed with the first key, empty without keys.
        fingerprints: One for each key, in hexadecimal. They tell nothing about a key.
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
        """The body of an object before it was sealed. A body that is not sealed is returned as it is.

        Raises:
            UnreadableError: The key is missing, or the body is not the one that was sealed for this object.
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
    """Whether two processes with these keyrings, as texts, can work together: each has the first key of the other.

    So keys can be changed while processes run: add a new key behind the others in all processes, then put it first.
    """
    ours, theirs = one.split(","), other.split(",")
    return ours[0] in theirs and theirs[0] in ours


NO_KEYS = Keyring()
"""Of a database that holds nothing sealed."""


def _fingerprint(key: bytes) -> bytes:
    return blake2b(key, digest_size=_FINGERPRINT, person=b"fairlead-key-id").digest()


def _object(kind: str, uid: str) -> bytes:
    return f"{kind}/{uid}".encode()
