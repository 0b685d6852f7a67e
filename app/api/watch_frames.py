"""The events of a watch as lines of JSON, in the form that the client asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.api.negotiation import PLAIN, Form
from app.api.statuses import failure
from app.api.table import Table, partial_metadata
from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import watch_frame
from app.domain.errors import ApiError
from app.mirror.entry import Entry
from app.registry.options import WatchEvent


class Frames:
    """Encodes the events of one watch."""

    def __init__(self, kind: Kind[Any], form: Form, table: Table) -> None:
        self._kind = kind
        self._form = form
        self._table = table
        self._described = False

    def encode(self, events: Sequence[WatchEvent]) -> bytes:
        """Some events, a line each."""
        return b"".join([self._event(event) for event in events])

    def bookmark(self, revision: int, annotations: Mapping[str, str] | None = None) -> bytes:
        """A BOOKMARK event: the watch has shown everything up to a revision (KEP-956)."""
        metadata: dict[str, Any] = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        api_version, name = self._kind.api_version, self._kind.name
        if self._form.shape == "partial":
            api_version, name = f"meta.k8s.io/{self._form.version}", "PartialObjectMetadata"
        document = {"kind": name, "apiVersion": api_version, "metadata": metadata}
        if self._form.shape == "table":
            return watch_frame("BOOKMARK", self._bookmark_table(revision, document))
        return watch_frame("BOOKMARK", msgspec.json.encode(document))

    def error(self, error: ApiError) -> bytes:
        """An ERROR event with a Status that says why the watch ends."""
        return watch_frame("ERROR", failure(error))

    def _event(self, event: WatchEvent) -> bytes:
        if event.entry is None:
            return self.bookmark(event.revision, event.annotations)
        if self._form is PLAIN:
            return event.frame or watch_frame(event.type, event.entry.wire)
        if self._form.shape == "partial":
            return watch_frame(event.type, partial_metadata(event.entry.wire, self._form.version))
        return watch_frame(event.type, self._row(event.entry))

    def _row(self, entry: Entry) -> bytes:
        first, self._described = not self._described, True
        metadata = {"resourceVersion": str(entry.revision)}
        return b"".join(self._table.pieces([entry], metadata, definitions=first))

    def _bookmark_table(self, revision: int, document: Any) -> bytes:
        """A Table with one row of empty cells, whose object carries the revision: informers look for it there."""
        cells = ["" for _ in self._kind.columns]
        table = {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{self._form.version}",
            "metadata": {"resourceVersion": str(revision)},
            "columnDefinitions": None,
            "rows": [{"cells": cells, "object": document}],
        }
        return msgspec.json.encode(table)
