"""Objects as bytes: the stored body, the wire form with its resourceVersion, and the frames of a watch.

A body is stored without `metadata.resourceVersion`, because its revision is known only when the write commits. Every
body starts with `{"apiVersion":..,"kind":..,"metadata":{`, so the revision can be inserted without encoding it again.
"""

from functools import lru_cache
from typing import Any, Protocol, TypeVar

import msgspec

from app.domain.documents.decoding import Strictness, decode
from app.domain.documents.objects import KubeObject, ObjectT
from app.domain.errors import BadRequest

ObjectT_co = TypeVar("ObjectT_co", bound=KubeObject, covariant=True)


class Modelled(Protocol[ObjectT_co]):
    """Something with a model, such as a declared kind."""

    @property
    def model(self) -> type[ObjectT_co]:
        """The Struct of one object."""


_METADATA = b'"metadata":{'

_SHARED_OBJECTS = 1024
"""So many objects are kept decoded: about two batches of changes."""


def encode_body(obj: KubeObject) -> bytes:
    """Encode an object as it is stored: the whole document except `metadata.resourceVersion`.

    Args:
        obj: An object with apiVersion and kind; it is not changed.

    Raises:
        ValueError: The object has no apiVersion or no kind, so its body would not start as all bodies do.
    """
    if not (obj.api_version and obj.kind):
        raise ValueError(f"{type(obj).__name__} {obj.metadata.name!r} has no apiVersion or no kind")
    if obj.metadata.resource_version is not None:
        obj = msgspec.structs.replace(obj, metadata=msgspec.structs.replace(obj.metadata, resource_version=None))
    return msgspec.json.encode(obj)


def wire_bytes(body: bytes, revision: int) -> bytes:
    """Insert `revision` into a stored body as its `metadata.resourceVersion`.

    Raises:
        ValueError: `body` is not a stored body.
    """
    at = body.index(_METADATA) + len(_METADATA)
    # Empty metadata needs no comma.
    comma = b"" if body[at : at + 1] == b"}" else b","
    return b'%b"resourceVersion":"%d"%b%b' % (body[:at], revision, comma, body[at:])


def with_revision(wire: bytes, revision: int) -> bytes:
    """Give wire bytes another `metadata.resourceVersion`.

    When an object stops matching the selector of a watch, the watch shows its last matching state with the revision of
    the change.

    Raises:
        ValueError: `wire` was not made by `wire_bytes`.
    """
    start = wire.index(b'"resourceVersion":"') + len(b'"resourceVersion":"')
    return b"%b%d%b" % (wire[:start], revision, wire[wire.index(b'"', start) :])


def decode_object(kind: Modelled[ObjectT], data: bytes) -> ObjectT:
    """Decode a stored body or wire bytes that Fairlead encoded. Bodies of clients are decoded elsewhere.

    A newer version that works on the same database may have stored fields that this one does not know. They are left
    out.

    Raises:
        msgspec.DecodeError: `data` is no JSON object of this kind.
    """
    return _decode(kind.model, data)


def shared_object(kind: Modelled[ObjectT], data: bytes) -> ObjectT:
    """Decode a stored body or wire bytes for looking at it. Nobody may change the object: others have the same one.

    A change of an object is looked at by many, one soon after the other. It is decoded for the first of them.

    Raises:
        msgspec.DecodeError: `data` is no JSON object of this kind.
    """
    shared: ObjectT = _decoded(kind.model, data)
    return shared


def watch_frame(event_type: str, wire: bytes) -> bytes:
    """Encode one event of a watch as the wire has it, newline included.

    Args:
        event_type: `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
        wire: The object, already encoded.
    """
    return b'{"type":"%b","object":%b}\n' % (event_type.encode(), wire)


def _decode(model: type[ObjectT], data: bytes) -> ObjectT:
    try:
        return msgspec.json.decode(data, type=model)
    except msgspec.ValidationError as error:
        try:
            return decode(model, msgspec.json.decode(data), strictness=Strictness.IGNORE)[0]
        except BadRequest:
            raise error from None


@lru_cache(maxsize=_SHARED_OBJECTS)
def _decoded(model: type[Any], data: bytes) -> Any:
    return _decode(model, data)
