"""Headers of answers; those that warn: accepted, but probably not what the client wants."""

from collections.abc import Iterable

Header = tuple[bytes, bytes]

_BUDGET = 4096
"""Bytes all warnings of an answer may have; Kubernetes' clients and proxies cope with that much."""


def warning_headers(texts: Iterable[str]) -> tuple[Header, ...]:
    """One header a distinct text, as RFC 7234 (5.5) has it: code 299, unknown agent, quoted text."""
    headers: list[Header] = []
    left = _BUDGET
    for text in dict.fromkeys(texts):
        value = f'299 - "{_quotable(text)}"'.encode()
        left -= len(value)
        if left < 0:
            break
        headers.append((b"warning", value))
    return tuple(headers)


def _quotable(text: str) -> str:
    """The inside of a quoted-string (RFC 9110, 5.6.4): no control characters, quotes and backslashes escaped."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return printable.replace("\\", "\\\\").replace('"', '\\"')
