"""Objects as bytes: the stored body, the wire form with its resourceVersion, and the frames of a watch.

A body is stored without `metadata.resourceVersion`, because the revision is only drawn when the write commits. Every
body starts with `{"apiVersion":..,"kind":..,"metadata":{`, so that the revision is spliced in rather than encoded.
"""

from typing import Protocol, TypeVar

import msgspec

from app.domain.documents.objects import KubeObject, ObjectT

ObjectT_co = TypeVar("ObjectT_co", bound=KubeObject, covariant=True)


class Modelled(Protocol[ObjectT_co]):
    """What knows the model of its objects: a declared kind."""

    @property
    def model(self) -> type[ObjectT_co]:
        """The Struct of one object."""


_METADATA = b'"metadata":{'


def encode_body(obj: KubeObject) -> bytes:
    """Encode an object as it is stored: the whole document but for `metadata.resourceVersion`.

    Args:
        obj: With apiVersion and kind set; unchanged.

    Raises:
        ValueError: The object has no apiVersion or no kind, so that its body would not start as every body does.
    """
    if not (obj.api_version and obj.kind):
        raise ValueError(f"{type(obj).__name__} {obj.metadata.name!r} has no apiVersion or no kind")
    if obj.metadata.resource_version is not None:
        obj = msgspec.structs.replace(obj, metadata=msgspec.structs.replace(obj.metadata, resource_version=None))
    return msgspec.json.encode(obj)


def wire_bytes(body: bytes, revision: int) -> bytes:
    """Splice `revision` into a stored body as its `metadata.resourceVersion`.

    Raises:
        ValueError: `body` is not a stored body.
    """
    at = body.index(_METADATA) + len(_METADATA)
    # The comma is wrong only before the brace of empty metadata.
    comma = b"" if body[at : at + 1] == b"}" else b","
    return b'%b"resourceVersion":"%d"%b%b' % (body[:at], revision, comma, body[at:])


def with_revision(wire: bytes, revision: int) -> bytes:
    """Give wire bytes another `metadata.resourceVersion`.

    A watch needs it for an object that leaves a selector: its last matching state at the revision that took it away.

    Raises:
        ValueError: `wire` was not made by `wire_bytes`.
    """
    start = wire.index(b'"resourceVersion":"') + len(b'"resourceVersion":"')
    return b"%b%d%b" % (wire[:start], revision, wire[wire.index(b'"', start) :])


def decode_object(kind: Modelled[ObjectT], data: bytes) -> ObjectT:
    """Decode a stored body or wire bytes that this project encoded.

    Raises:
        msgspec.DecodeError: `data` is no JSON object of this kind. What clients send is decoded elsewhere.
    """
    return msgspec.json.decode(data, type=kind.model)


def watch_frame(event_type: str, wire: bytes) -> bytes:
    """Frame one watch event as the wire has it, newline included.

    Args:
        event_type: `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
        wire: The object, already encoded.
    """
    return b'{"type":"%b","object":%b}\n' % (event_type.encode(), wire)
