"""The OpenAPI documents as bytes: written once, when somebody first asks, and kept."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import msgspec

from app.api.openapi.complete import complete_document
from app.api.openapi.content import Document
from app.api.openapi.schemas import Schemas
from app.api.openapi.v2 import swagger_document
from app.api.openapi.v3 import group_document
from app.domain.kinds.catalog import Kinds


@dataclass(frozen=True, slots=True)
class Written:
    """A document on paper.

    Attributes:
        body: JSON.
        compressed: The same, gzipped.
        etag: Changes when the document does (RFC 9110, 8.8.3).
    """

    body: bytes
    compressed: bytes
    etag: str


class Library:
    """Writes and keeps the documents.

    Args:
        kinds: What is served.
        version: Of this project.
        tokens: Whether requests must carry a bearer token.
    """

    def __init__(self, kinds: Kinds, version: str, *, tokens: bool) -> None:
        self._kinds = kinds
        self._version = version
        self._tokens = tokens
        self._writers: dict[str, Callable[[], Document]] = {"openapi.json": self._complete, "openapi/v2": self._swagger}
        for group in kinds.groups():
            for each in group.versions:
                self._writers[f"openapi/v3/{_place(group.name, each)}"] = self._writer(group.name, each)
        self._writers["openapi/v3"] = self._index
        self.written = cache(self._write)

    def has(self, name: str) -> bool:
        """Whether there is such a document."""
        return name in self._writers

    def _write(self, name: str) -> Written:
        body = msgspec.json.encode(self._writers[name]())
        return Written(body, gzip.compress(body, mtime=0), sha256(body).hexdigest()[:32].upper())

    def _complete(self) -> Document:
        schemas = Schemas(self._kinds).collected
        return complete_document(self._kinds, schemas, self._version, tokens=self._tokens)

    def _swagger(self) -> Document:
        return swagger_document(self._kinds, Schemas(self._kinds).collected, self._version)

    def _writer(self, group: str, version: str) -> Callable[[], Document]:
        kinds = self._kinds.of(group, version)
        return lambda: group_document(kinds, Schemas(kinds).collected, self._version)

    def _index(self) -> Document:
        """Where each group's document is, with a hash by which clients know that they have it already."""
        places = [_place(group.name, each) for group in self._kinds.groups() for each in group.versions]
        return {
            "paths": {
                place: {"serverRelativeURL": f"/openapi/v3/{place}?hash={self.written(f'openapi/v3/{place}').etag}"}
                for place in places
            }
        }


def _place(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"
