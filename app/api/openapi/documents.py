"""The OpenAPI documents as bytes. Each is encoded when it is first asked for, and kept."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256

import msgspec

from app.api.openapi.complete import complete_document
from app.api.openapi.content import Document
from app.api.openapi.schemas import Schemas
from app.api.openapi.v2 import swagger_document
from app.api.openapi.v2_protobuf import swagger_protobuf
from app.api.openapi.v3 import group_document
from app.domain.declarations.catalog import Kinds


@dataclass(frozen=True, slots=True)
class EncodedDocument:
    """A document as it is sent.

    Attributes:
        body: The document as JSON or protobuf.
        compressed: The same, compressed by gzip.
        etag: Changes when the document does (RFC 9110, 8.8.3).
    """

    body: bytes
    compressed: bytes
    etag: str


SWAGGER = "openapi/v2"
SWAGGER_PROTOBUF = "openapi/v2 as protobuf"


class OpenApiDocuments:
    """Encodes the documents and keeps them.

    Args:
        kinds: The kinds that are served.
        version: The version of this project.
        tokens: Whether requests must carry a bearer token.
    """

    def __init__(self, kinds: Kinds, version: str, *, tokens: bool) -> None:
        self._kinds = kinds
        self._version = version
        self._tokens = tokens
        self._encoders: dict[str, Callable[[], bytes]] = {
            "openapi.json": self._complete,
            SWAGGER: lambda: msgspec.json.encode(self._swagger()),
            SWAGGER_PROTOBUF: lambda: swagger_protobuf(self._swagger()),
            "openapi/v3": self._index,
        }
        for group in kinds.groups():
            for each in group.versions:
                self._encoders[f"openapi/v3/{_group_path(group.name, each)}"] = partial(self._group, group.name, each)
        self.encoded = cache(self._encode)

    def has(self, name: str) -> bool:
        """Whether there is such a document."""
        return name in self._encoders

    def _encode(self, name: str) -> EncodedDocument:
        body = self._encoders[name]()
        return EncodedDocument(body, gzip.compress(body, mtime=0), sha256(body).hexdigest()[:32].upper())

    def _complete(self) -> bytes:
        schemas = Schemas(self._kinds).collected
        return msgspec.json.encode(complete_document(self._kinds, schemas, self._version, tokens=self._tokens))

    def _swagger(self) -> Document:
        return swagger_document(self._kinds, Schemas(self._kinds).collected, self._version)

    def _group(self, group: str, version: str) -> bytes:
        kinds = self._kinds.of(group, version)
        return msgspec.json.encode(group_document(kinds, Schemas(kinds).collected, self._version))

    def _index(self) -> bytes:
        """The URL of each group's document, with a hash by which clients know whether they have it already."""
        paths = [_group_path(group.name, each) for group in self._kinds.groups() for each in group.versions]
        urls = {path: f"/openapi/v3/{path}?hash={self.encoded(f'openapi/v3/{path}').etag}" for path in paths}
        return msgspec.json.encode({"paths": {path: {"serverRelativeURL": url} for path, url in urls.items()}})


def _group_path(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"
