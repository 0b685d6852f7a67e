"""Request bodies: the media types a verb accepts, and the object in them."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from app.api.exchange import Exchange
from app.api.headers import JSON, OBJECTS, YAML
from app.api.protobuf.documents import ProtobufDocuments
from app.domain.declarations.kind import Kind
from app.domain.documents.decoding import LARGE_BODY, Strictness, decode, decode_json, decode_yaml
from app.domain.documents.wire import Wire
from app.domain.errors import BadRequest, UnsupportedMediaType

T = TypeVar("T")
WireT = TypeVar("WireT", bound=Wire)

_SENT_BY_BROWSERS = (b"origin", b"sec-fetch-site", b"referer")


def media_type(exchange: Exchange, accepted: tuple[str, ...]) -> str:
    """The body's media type, in lower case and without parameters.

    A body without one is taken to be JSON where that is accepted, as Kubernetes does and the Python client needs. Not
    so from a page in a browser: it can send that to another origin without asking (a Blob without a type), just as
    it can send a form's three types.

    Raises:
        UnsupportedMediaType: It is none of the accepted ones.
    """
    given = exchange.header(b"content-type").split(";", 1)[0].strip().lower()
    if not given and JSON in accepted and not _is_from_a_page(exchange):
        return JSON
    if given not in accepted:
        shown = f"Content-Type is {given!r}" if given else "there is no Content-Type"
        raise UnsupportedMediaType(
            f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}; "
            f"{shown}"
        )
    return given


async def read_apart(body: bytes, read: Callable[[bytes], T]) -> T:
    """Read a body, in another thread if it is large: some megabytes take seconds."""
    return read(body) if len(body) < LARGE_BODY else await asyncio.to_thread(read, body)


def _is_from_a_page(exchange: Exchange) -> bool:
    """Whether a browser sends it for a page: it says so with whatever changes something (Fetch, 3.1 and 4.6)."""
    return any(name in exchange.headers for name in _SENT_BY_BROWSERS)


class Bodies:
    """Reads objects and options out of bodies.

    Args:
        kinds: Everything that may be sent.
    """

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        self._protobuf = ProtobufDocuments(kinds)

    async def read_object(self, exchange: Exchange, kind: Kind[Any], strictness: Strictness) -> tuple[Any, list[str]]:
        """The object in the body, with warnings about fields that were dropped.

        Raises:
            ApiError: The body is of a wrong type, too large, malformed, or holds something else than the path's kind.
        """
        content_type = media_type(exchange, OBJECTS)
        obj, warnings = await read_apart(
            await exchange.read_body(), lambda body: self.decode(kind.model, content_type, body, strictness)
        )
        _require_kind(kind, obj.api_version, obj.kind)
        obj.api_version, obj.kind = kind.api_version, kind.name
        if exchange.record is not None and exchange.record.keeps_sent:
            exchange.record.sent = msgspec.json.encode(obj)
        return obj, warnings

    def decode(
        self, model: type[WireT], content_type: str, body: bytes, strictness: Strictness
    ) -> tuple[WireT, list[str]]:
        """Decode a body of one of `OBJECTS`.

        Raises:
            BadRequest: It is malformed, or has unknown or duplicate fields under `Strict`.
            UnsupportedMediaType: It is protobuf, and Kubernetes has no message for the model.
        """
        if content_type == JSON:
            return decode_json(model, body, strictness=strictness)
        if content_type == YAML:
            return decode_yaml(model, body, strictness=strictness)
        document, dropped = self._protobuf.read(model, body)
        obj, warnings = decode(model, document, strictness=strictness)
        return obj, [*dropped, *warnings]


def _require_kind(kind: Kind[Any], api_version: str, name: str) -> None:
    """Check that a body is of the path's kind; one that does not say what it is, is taken to be.

    Raises:
        BadRequest: It is of another kind or version.
    """
    if api_version not in ("", kind.api_version):
        raise BadRequest(
            f"the API version in the data ({api_version}) does not match the expected API version ({kind.api_version})"
        )
    if name not in ("", kind.name):
        raise BadRequest(f"a {name} cannot be sent to {kind.plural}: the kind must be {kind.name}")
