"""The keys with which Secrets are encrypted in the database, in a file: one a line, 32 random bytes in base64."""

import binascii
import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from app.secret_files import read_lines

KEY_BYTES = 32
_HOW = "make one with: openssl rand -base64 32"
_HEADER = """\
# Secrets in the database are encrypted with the first key and can be read with any of them. Without their key they are
# lost: keep a copy of this file, apart from those of the database.
"""


class KeyFileError(ValueError):
    """A file of keys that cannot be used; the message names the line and never a key."""


def read_keys(path: Path) -> tuple[bytes, ...]:
    """The keys of a file, in its order. Empty lines and those that begin with # are passed over.

    Raises:
        KeyFileError: The file cannot be read, or can be changed by others than its owner; a line is no key, a key
            occurs twice, or there is none.
    """
    try:
        lines = read_lines(path)
    except ValueError as error:
        raise KeyFileError(str(error)) from error
    texts = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    keys = [_key(f"{path} line {number}", text) for number, text in texts if text and not text.startswith("#")]
    if not keys:
        raise KeyFileError(f"{path} holds no key; {_HOW}")
    if len(set(keys)) < len(keys):
        raise KeyFileError(f"{path} holds the same key twice")
    return tuple(keys)


def ensure_keys(path: Path) -> None:
    """Make a file with a new key where there is none; only its owner can read it. The file appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    if path.exists():
        return
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{_HEADER}{b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _key(where: str, text: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyFileError(f"{where} is no base64; {_HOW}") from error
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{where} has {len(key)} bytes, and a key has {KEY_BYTES}; {_HOW}")
    return key
