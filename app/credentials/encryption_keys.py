"""Files of keys: of those that encrypt Secrets in the database, and of those that seal sessions of the console.

Each line is a key: 32 random bytes in base64.
"""

import binascii
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from app.credentials.secret_files import ensure_file, read_lines

KEY_BYTES = 32
_HOW = "make one with: openssl rand -base64 32"
_HEADER = """\
# Secrets in the database are encrypted with the first key and can be read with any of them. Without their key they are
# lost: keep a copy of this file, apart from those of the database.
"""


_SESSIONS_HEADER = """\
# Sessions of the console are sealed with the first key and can be opened with any of them. Without their key users log
# in again.
"""


class KeyFileError(ValueError):
    """The file of keys cannot be used. The message names the line and never a key."""


def read_keys(path: Path) -> tuple[bytes, ...]:
    """Read the keys of a file, in its order. Empty lines and those that begin with # are skipped.

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
    """Make a file with a new key if it is missing.

    Raises:
        OSError: It cannot be written.
    """
    ensure_file(path, f"{_HEADER}{_new_key()}\n")


def ensure_session_keys(path: Path) -> None:
    """Make a file with a new key for sessions of the console if it is missing.

    Raises:
        OSError: It cannot be written.
    """
    ensure_file(path, f"{_SESSIONS_HEADER}{_new_key()}\n")


def _new_key() -> str:
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _key(where: str, text: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyFileError(f"{where} is no base64; {_HOW}") from error
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{where} has {len(key)} bytes, and a key has {KEY_BYTES}; {_HOW}")
    return key
