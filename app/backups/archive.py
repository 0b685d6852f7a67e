"""The file of a backup: what `pg_dump` writes, encrypted if there is a key.

Without a key the file is what `pg_dump --format=custom` writes, and `pg_restore` reads it. With a key it has a header
(a mark, the fingerprint of the key, a salt) and chunks of 64 KiB, each sealed with AES-256-GCM by a key that is derived
for this file (HKDF, RFC 5869). The nonce counts the chunks and says which is the last, so that no chunk can be left
out, moved or cut off (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, 2015).
"""

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.backups.errors import BackupError

CHUNK_BYTES = 64 * 1024
_MARK = b"FAIRLEAD BACKUP 1\n"
_FINGERPRINT, _SALT, _TAG = 8, 32, 16
_HEADER = len(_MARK) + _FINGERPRINT + _SALT


def write_archive(path: Path, chunks: Iterable[bytes], key: bytes | None) -> int:
    """Write a backup. It appears under its name when it is whole and on the disk; only its owner can read it.

    Args:
        path: The file, which must not be there.
        chunks: What `pg_dump` writes, in pieces of any size.
        key: With what it is encrypted, 32 bytes; None for a file that `pg_restore` reads.

    Returns:
        The size of the file in bytes.

    Raises:
        BackupError: The file is there already, or cannot be written.
    """
    if path.exists():
        raise BackupError(f"{path} is there already: choose another name")
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for piece in chunks if key is None else _sealed(chunks, key):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        return path.stat().st_size
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def read_archive(path: Path, keys: Sequence[bytes]) -> Iterator[bytes]:
    """The dump in a backup, in pieces. Whatever was read, the dump is whole only if no error comes.

    Args:
        path: The file.
        keys: Any that it may be encrypted with.

    Raises:
        BackupError: The file cannot be read, is cut off or was changed, or its key is missing.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
            if header.startswith(_MARK):
                yield from _opened(file, header, keys, path)
                return
            if not header.startswith(b"PGDMP"):
                raise BackupError(f"{path} is no backup of Fairlead, nor a dump in Postgres' custom format")
            yield header
            while piece := file.read(CHUNK_BYTES):
                yield piece
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from error


def _sealed(pieces: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    header = _MARK + _fingerprint(key) + secrets.token_bytes(_SALT)
    cipher = _cipher(key, header)
    yield header
    count, chunk = 0, b""
    for following in _chunks(pieces):
        if chunk:
            yield cipher.encrypt(_nonce(count, last=False), chunk, header)
            count += 1
        chunk = following
    yield cipher.encrypt(_nonce(count, last=True), chunk, header)


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks of one size, but for the last."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        while len(gathered) >= CHUNK_BYTES:
            yield bytes(gathered[:CHUNK_BYTES])
            del gathered[:CHUNK_BYTES]
    if gathered:
        yield bytes(gathered)


def _opened(file: IO[bytes], header: bytes, keys: Sequence[bytes], path: Path) -> Iterator[bytes]:
    fingerprint = header[len(_MARK) : len(_MARK) + _FINGERPRINT]
    key = next((key for key in keys if _fingerprint(key) == fingerprint), None)
    if key is None:
        raise BackupError(f"{path} is encrypted with key {fingerprint.hex()}, which --backup-key-file lacks")
    cipher = _cipher(key, header)
    count, chunk = 0, file.read(CHUNK_BYTES + _TAG)
    while True:
        following = file.read(CHUNK_BYTES + _TAG)
        try:
            yield cipher.decrypt(_nonce(count, last=not following), chunk, header)
        except InvalidTag as error:
            raise BackupError(f"{path} is cut off, or was changed after it was written") from error
        if not following:
            return
        count, chunk = count + 1, following


def _cipher(key: bytes, header: bytes) -> AESGCM:
    salt = header[-_SALT:]
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"fairlead backup").derive(key))


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])


def _fingerprint(key: bytes) -> bytes:
    """Tells which key it is, and nothing about it; another one than of the same key in the database."""
    return blake2b(key, digest_size=_FINGERPRINT, person=b"fairlead-backup").digest()
