"""DNS cookies (RFC 7873), in the form that all servers of an anycast set can check (RFC 9018)."""

import struct
import time

CLIENT_BYTES = 8

_VERSION = b"\x01\x00\x00\x00"
_SERVER_BYTES = 16
_VALID_SECONDS = 3600
_FRESH_SECONDS = 1800
"""A cookie older than that is answered with a new one; until then its client keeps what it has."""

_FUTURE_SECONDS = 300
"""So far ahead may be the clock of another server that made a cookie."""

_MASK = 2**64 - 1
_SERIALS = 2**32


class Cookies:
    """Makes and checks the server's part of cookies.

    Args:
        secrets: 16 bytes each. The first makes new cookies, all check them; so a secret can be replaced while clients
            keep cookies that were made with the old one.
    """

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        self._secrets = secrets

    def replace(self, secrets: tuple[bytes, ...]) -> None:
        """Use other secrets from now on."""
        self._secrets = secrets

    def answer(self, cookie: bytes, client: bytes) -> tuple[bytes, bool]:
        """The cookie of the answer, and whether the query's own was right, so that its address is not forged.

        Args:
            cookie: Of the query: the client's part, and perhaps the server's.
            client: The client's address, 4 or 16 bytes.
        """
        now = int(time.time())
        own, given = cookie[:CLIENT_BYTES], cookie[CLIENT_BYTES:]
        age = self._age(given, now)
        valid = age is not None and any(given == self._make(secret, own, given[:8], client) for secret in self._secrets)
        if valid and age is not None and age <= _FRESH_SECONDS:
            return cookie, True
        return own + self._make(self._secrets[0], own, _VERSION + struct.pack("!I", now % _SERIALS), client), valid

    @staticmethod
    def _age(given: bytes, now: int) -> int | None:
        """Seconds since a server's part was made, None if it cannot be right (RFC 9018, 4.3)."""
        if len(given) != _SERVER_BYTES or given[:1] != _VERSION[:1]:
            return None
        age = (now - int.from_bytes(given[4:8], "big")) % _SERIALS
        if age >= _SERIALS // 2:
            age -= _SERIALS
        return age if -_FUTURE_SECONDS <= age <= _VALID_SECONDS else None

    @staticmethod
    def _make(secret: bytes, own: bytes, head: bytes, client: bytes) -> bytes:
        return head + siphash(secret, own + head + client)


def siphash(key: bytes, data: bytes) -> bytes:
    """SipHash-2-4 (Aumasson and Bernstein) of some bytes, 8 bytes in the order of its reference implementation."""
    first, second = struct.unpack("<QQ", key)
    state = (
        first ^ 0x736F6D6570736575,
        second ^ 0x646F72616E646F6D,
        first ^ 0x6C7967656E657261,
        second ^ 0x7465646279746573,
    )
    padded = data + bytes(7 - len(data) % 8) + bytes((len(data) & 0xFF,))
    for (word,) in struct.iter_unpack("<Q", padded):
        a, b, c, d = state
        a, b, c, d = _rounds((a, b, c, d ^ word), 2)
        state = (a ^ word, b, c, d)
    a, b, c, d = state
    a, b, c, d = _rounds((a, b, c ^ 0xFF, d), 4)
    return struct.pack("<Q", a ^ b ^ c ^ d)


def _rounds(state: tuple[int, int, int, int], count: int) -> tuple[int, int, int, int]:
    a, b, c, d = state
    for _ in range(count):
        a = a + b & _MASK
        b = (b << 13 | b >> 51) & _MASK ^ a
        a = (a << 32 | a >> 32) & _MASK
        c = c + d & _MASK
        d = (d << 16 | d >> 48) & _MASK ^ c
        a = a + d & _MASK
        d = (d << 21 | d >> 43) & _MASK ^ a
        c = c + b & _MASK
        b = (b << 17 | b >> 47) & _MASK ^ c
        c = (c << 32 | c >> 32) & _MASK
    return a, b, c, d
