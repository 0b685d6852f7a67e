"""From the form in which a kind is served to the form in which it is stored, and back; mostly they are the same."""

from typing import Any

from app.domain.declarations.catalog import Kinds
from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import decode_object, encode_body, wire_bytes
from app.domain.documents.objects import KubeObject
from app.domain.rules.cluster import Cluster
from app.mirror.entry import Entry
from app.store.object_writes import write_of
from app.store.writes import Action, Write


class Forms:
    """Knows which kinds are views of another kind's stored objects."""

    def __init__(self, kinds: Kinds) -> None:
        self._stored = {kind.key: kinds.by_key[kind.view.stored] for kind in kinds if kind.view is not None}

    def stored(self, kind: Kind[Any]) -> Kind[Any]:
        """The kind under which the objects are stored."""
        return self._stored.get(kind.key, kind)

    def decoded(self, kind: Kind[Any], entry: Entry) -> Any:
        """The object of a stored entry in the form of `kind`; the caller owns it."""
        stored = decode_object(self.stored(kind), entry.wire)
        return stored if kind.view is None else kind.view.read(stored)

    def shown(self, kind: Kind[Any], entry: Entry) -> Entry:
        """A stored entry as `kind` shows it."""
        if kind.view is None:
            return entry
        wire = wire_bytes(encode_body(self.decoded(kind, entry)), entry.revision)
        return Entry(kind.key, entry.namespace, entry.name, entry.uid, entry.revision, wire)

    def write(
        self,
        kind: Kind[Any],
        action: Action,
        obj: KubeObject,
        body: bytes,
        cluster: Cluster,
        *,
        expected: int | None = None,
        published: bool = True,
    ) -> Write:
        """The write that stores an object given in the form of `kind`; `body` is its encoding in that form."""
        if kind.view is not None:
            obj = kind.view.write(obj)
            body = encode_body(obj)
        return write_of(
            self.stored(kind), action, obj, body, cluster, expected=expected, published=published, bounded=True
        )
