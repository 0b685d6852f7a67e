"""Objects as a Table (meta/v1) with the columns that their kind declares: what `kubectl get` prints."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import decode_object
from app.domain.documents.peeking import raw_metadata_of
from app.domain.errors import BadRequest
from app.mirror.entry import Entry

_ROWS_A_PIECE = 50
"""Rows that are computed at once; each decodes an object."""


def partial_metadata(wire: bytes, version: str) -> bytes:
    """The PartialObjectMetadata of an object, in a version of `meta.k8s.io`."""
    return b'{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/%b","metadata":%b}' % (
        version.encode(),
        raw_metadata_of(wire),
    )


class Table:
    """Makes the Tables of one request.

    Args:
        kind: The kind of the objects.
        version: The version of `meta.k8s.io`.
        include: The parameter `includeObject`: None, Metadata (the default) or Object.
        now: Tells the present time as RFC 3339; ages are computed from it.

    Raises:
        BadRequest: `include` is none of the three.
    """

    def __init__(self, kind: Kind[Any], version: str, include: str, now: Callable[[], str]) -> None:
        self._kind = kind
        self._version = version
        self._object = _included(include, version)
        self._now = now

    def pieces(
        self, entries: Sequence[Entry], metadata: Mapping[str, Any], *, definitions: bool = True
    ) -> Iterator[bytes]:
        """A Table as JSON, in pieces.

        Args:
            entries: The objects, a row each.
            metadata: The ListMeta of the Table.
            definitions: Whether the columns are described; in a watch only the first Table does so.
        """
        head = {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{self._version}",
            "metadata": metadata,
            "columnDefinitions": column_definitions(self._kind) if definitions else None,
        }
        yield msgspec.json.encode(head)[:-1] + b',"rows":['
        now = self._now()
        for start in range(0, len(entries), _ROWS_A_PIECE):
            rows = [self._row(entry, now) for entry in entries[start : start + _ROWS_A_PIECE]]
            yield (b"," if start else b"") + msgspec.json.encode(rows)[1:-1]
        yield b"]}"

    def _row(self, entry: Entry, now: str) -> dict[str, Any]:
        obj = decode_object(self._kind, entry.wire)
        return {"cells": [column.cell(obj, now) for column in self._kind.columns], "object": self._object(entry.wire)}


def column_definitions(kind: Kind[Any]) -> list[dict[str, Any]]:
    """The descriptions of the columns."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description,
            "priority": column.priority,
        }
        for column in kind.columns
    ]


def _included(wanted: str, version: str) -> Callable[[bytes], Any]:
    match wanted:
        case "" | "Metadata":
            return lambda wire: msgspec.Raw(partial_metadata(wire, version))
        case "Object":
            return msgspec.Raw
        case "None":
            return lambda _: None
    raise BadRequest(f"includeObject must be None, Metadata or Object, not {wanted!r}")
