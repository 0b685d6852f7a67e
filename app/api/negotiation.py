"""What the Accept header asks for (RFC 9110, 12.5.1): the media type, and whether as Table or PartialObjectMetadata."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from app.domain.errors import NotAcceptable

Shape = Literal["object", "table", "partial"]

_LONGEST_ACCEPT = 4096
"""Answers to shorter headers are remembered."""
_META_GROUP = "meta.k8s.io"
_META_VERSIONS = ("v1", "v1beta1")
_SHAPES: dict[str, Shape] = {
    "": "object",
    "Table": "table",
    "PartialObjectMetadata": "partial",
    "PartialObjectMetadataList": "partial",
}
_MEDIA: dict[str, Literal["json", "yaml"]] = {
    "application/json": "json",
    "application/yaml": "yaml",
    "application/*": "json",
    "*/*": "json",
}


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is written.

    Attributes:
        media: The encoding.
        shape: The object itself, a row of a Table, or its metadata alone.
        version: The version of `meta.k8s.io` that the last two have.
    """

    media: Literal["json", "yaml"] = "json"
    shape: Shape = "object"
    version: str = "v1"


PLAIN = Form()
"""The object itself as JSON: what is stored, byte for byte."""


@lru_cache(maxsize=512)
def negotiate(accept: bytes) -> Form:
    """The form with the highest quality among those that can be served.

    Answers are not encoded as protobuf; Go clients that prefer it also accept JSON.

    Raises:
        NotAcceptable: The header names nothing that can be served.
    """
    if not accept:
        return PLAIN
    if len(accept) > _LONGEST_ACCEPT:
        raise NotAcceptable(f"the Accept header is longer than {_LONGEST_ACCEPT} bytes")
    clauses = [_Clause(text) for text in accept.decode("latin-1").split(",") if text.strip()]
    for clause in sorted(clauses, key=lambda clause: -clause.quality):
        form = clause.form()
        if form is not None:
            return form
    raise NotAcceptable(
        "none of the media types in Accept can be served; application/json and application/yaml can, also with "
        "as=Table or as=PartialObjectMetadata of g=meta.k8s.io;v=v1"
    )


class _Clause:
    """One alternative of an Accept header."""

    def __init__(self, text: str) -> None:
        media, *parameters = (part.strip() for part in text.split(";"))
        self.media = media.lower()
        pairs = (parameter.partition("=") for parameter in parameters)
        self.parameters = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
        self.quality = self._quality()

    def _quality(self) -> float:
        try:
            return float(self.parameters.get("q", "1"))
        except ValueError:
            return 0.0

    def form(self) -> Form | None:
        """The form that it asks for, None if that cannot be served."""
        media = _MEDIA.get(self.media)
        shape = _SHAPES.get(self.parameters.get("as", ""))
        if media is None or shape is None or self.quality <= 0:
            return None
        if shape == "object":
            return PLAIN if media == "json" else Form(media)
        version = self.parameters.get("v", "v1")
        if self.parameters.get("g", _META_GROUP) != _META_GROUP or version not in _META_VERSIONS:
            return None
        return Form(media, shape, version)
