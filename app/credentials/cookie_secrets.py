"""The secrets with which DNS cookies are made, in a file: one a line, 16 random bytes as hexadecimal digits."""

import secrets
from pathlib import Path

from app.credentials.secret_files import ensure_file, read_lines

SECRET_BYTES = 16
"""RFC 9018, 4.4: the key of SipHash. BIND, Knot and NSD write it in the same way."""

_HOW = "make one with: openssl rand -hex 16"


def read_cookie_secrets(path: Path) -> tuple[bytes, ...]:
    """The secrets of a file, in its order. Empty lines and those that begin with # are passed over.

    Raises:
        ValueError: The file cannot be read, or can be changed by others than its owner; a line is no secret, or there
            is none. The message names the line and never a secret.
    """
    texts = [(number, line.strip()) for number, line in enumerate(read_lines(path), start=1)]
    found = tuple(_secret(f"{path} line {number}", text) for number, text in texts if text and text[0] != "#")
    if not found:
        raise ValueError(f"{path} holds no secret; {_HOW}")
    return found


def ensure_cookie_secrets(path: Path) -> None:
    """Make a file with a new secret where there is none.

    Raises:
        OSError: It cannot be written.
    """
    ensure_file(path, f"{secrets.token_hex(SECRET_BYTES)}\n")


def _secret(where: str, text: str) -> bytes:
    try:
        secret = bytes.fromhex(text)
    except ValueError as error:
        raise ValueError(f"{where} is no row of hexadecimal digits; {_HOW}") from error
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"{where} has {len(secret)} bytes, and a secret has {SECRET_BYTES}; {_HOW}")
    return secret
