"""Headers of requests and answers: media types, and warnings.

A Warning header says that a request was accepted, but is probably not what the client wants.
"""

from collections.abc import Iterable

Header = tuple[bytes, bytes]

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
OBJECTS = (JSON, YAML, PROTOBUF)
"""The media types in which objects and options may be sent."""

SWAGGER_AS_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
SWAGGER_AS_PROTOBUF_ASKED = ("application/com.github.proto-openapi.spec.v2@v1.0+protobuf", SWAGGER_AS_PROTOBUF)
"""Clients ask with an `@`, which a media type cannot have. They cannot read an answer with it."""

PREVIEW = b"fairlead-preview"
"""What would become of the objects that are computed from the one of a dry run. It is no Warning: nothing is wrong, and
programs that count warnings shall find those of Kubernetes."""
_WARNINGS_BYTES = 4096
"""Size of all warnings of an answer; clients and proxies of Kubernetes accept that much."""


def warning_headers(texts: Iterable[str]) -> tuple[Header, ...]:
    """One header for each different text, in the form of RFC 7234 (5.5): code 299, unknown agent, quoted text."""
    return _headers(b"warning", (f'299 - "{_quotable(text)}"' for text in dict.fromkeys(texts)))


def preview_headers(texts: Iterable[str]) -> tuple[Header, ...]:
    """One header for each text."""
    return _headers(PREVIEW, map(_printable, texts))


def _headers(name: bytes, values: Iterable[str]) -> tuple[Header, ...]:
    """As many as there is room for."""
    headers: list[Header] = []
    left = _WARNINGS_BYTES
    for value in values:
        encoded = value.encode()
        left -= len(encoded)
        if left < 0:
            break
        headers.append((name, encoded))
    return tuple(headers)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _quotable(text: str) -> str:
    """A text as it stands in a quoted-string (RFC 9110, 5.6.4): without control characters, quotes escaped."""
    return _printable(text).replace("\\", "\\\\").replace('"', '\\"')
