"""The keys with which DNS servers sign messages (TSIG, RFC 8945), in a file: algorithm:name:secret on each line."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import dns.exception
import dns.name
import dns.tsig

from app.credentials.secret_files import others_can_read, read_lines

ALGORITHMS: Mapping[str, dns.name.Name] = {
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
    "hmac-sha224": dns.tsig.HMAC_SHA224,
    "hmac-sha1": dns.tsig.HMAC_SHA1,
}
"""By name, as other servers spell them. HMAC-MD5 is left out: nobody should use it any more (RFC 8945, section 6)."""

_LEAST_SECRET_BYTES = 16
_MOST_KEYS = 1_000
_PARTS = 3
_FORM = "a line is algorithm:name:secret, such as hmac-sha256:transfer.example.org: and 32 random bytes in base64"


class TsigKeyFileError(ValueError):
    """A file of keys that cannot be used; the message names the line and never a secret."""


class TsigKey(dns.tsig.Key):
    """A key that does not show its secret."""

    def __repr__(self) -> str:
        return f"<key {self.name}>"


class TsigKeys:
    """The keys of a file, which can be read again; none without a file.

    Attributes:
        path: The file.

    Raises:
        TsigKeyFileError: It cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._keys: Mapping[dns.name.Name, TsigKey] = {}
        self.reload()

    def reload(self) -> None:
        """Read the file again.

        Raises:
            TsigKeyFileError: It cannot be used; the keys of before stay in use.
        """
        if self.path is not None:
            self._keys = {key.name: key for key in read_tsig_keys(self.path)}

    def get(self, name: str | dns.name.Name) -> TsigKey | None:
        """The key with a name, in any spelling; None if there is none."""
        return self._keys.get(dns.name.from_text(name) if isinstance(name, str) else name)


def read_tsig_keys(path: Path) -> tuple[TsigKey, ...]:
    """The keys of a file, in its order. Empty lines and those that begin with # are passed over.

    The form is that of `dig -y` and `kdig -y`.

    Raises:
        TsigKeyFileError: The file cannot be read, or can be read or changed by others than its owner; a line is no key,
            a name occurs twice, or there is no key.
    """
    try:
        lines = read_lines(path)
    except ValueError as error:
        raise TsigKeyFileError(str(error)) from error
    if others_can_read(path):
        raise TsigKeyFileError(f"{path} can be read by others than its owner: run chmod go-rw {path}")
    texts = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    keys = tuple(_key(f"{path} line {number}", text) for number, text in texts if text and not text.startswith("#"))
    if not 0 < len(keys) <= _MOST_KEYS:
        raise TsigKeyFileError(f"{path} holds {len(keys)} keys, and needs 1 to {_MOST_KEYS}; {_FORM}")
    if len({key.name for key in keys}) < len(keys):
        raise TsigKeyFileError(f"{path} holds two keys of one name")
    return keys


def _key(where: str, text: str) -> TsigKey:
    parts = text.split(":")
    if len(parts) != _PARTS:
        raise TsigKeyFileError(f"{where} is no key; {_FORM}")
    algorithm, name, secret = parts
    if algorithm.lower() not in ALGORITHMS:
        raise TsigKeyFileError(f"{where}: the algorithm must be one of {', '.join(ALGORITHMS)}")
    try:
        owner = dns.name.from_text(name.lower())
        decoded = b64decode(secret, validate=True)
    except (dns.exception.DNSException, binascii.Error, ValueError, UnicodeError) as error:
        raise TsigKeyFileError(f"{where}: the name is no domain name, or the secret is no base64; {_FORM}") from error
    if owner == dns.name.root or len(decoded) < _LEAST_SECRET_BYTES:
        raise TsigKeyFileError(f"{where}: the name is empty, or the secret has less than {_LEAST_SECRET_BYTES} bytes")
    return TsigKey(owner, decoded, ALGORITHMS[algorithm.lower()])
