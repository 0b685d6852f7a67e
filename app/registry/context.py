"""What every verb works with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.encoding import decode_object, encode_body, wire_bytes
from app.domain.kinds.kind import Kind
from app.domain.kinds.meta import Cluster, KubeObject
from app.mirror.entry import Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import Write

NAMESPACES = "namespaces"


@dataclass(frozen=True, slots=True)
class Context:
    """The collaborators of the verbs.

    Attributes:
        writer: The one write path.
        mirror: The objects in memory.
        cluster: What the rules may know of their surroundings, as of now.
        allocation_wait: Seconds a write waits for its allocation before it is answered pending.
        preview: For dry runs: fills in a tentative allocation and claims nothing; by kind key.
    """

    writer: Writer
    mirror: Mirror
    cluster: Callable[[], Cluster]
    allocation_wait: float
    preview: Mapping[str, Callable[[Any, Cluster], Any]]

    async def current(self, kind: Kind[Any], namespace: str, name: str) -> Entry | None:
        """The object as of now, whichever process wrote it last."""
        await self.mirror.fresh()
        return self.mirror.get(kind.key, namespace, name)


def entry_of(kind: Kind[Any], obj: KubeObject, revision: int, body: bytes | None = None) -> Entry:
    """An entry for an object that was just written, or would have been."""
    meta = obj.metadata
    wire = wire_bytes(encode_body(obj) if body is None else body, revision)
    return Entry(kind.key, meta.namespace or "", meta.name, meta.uid or "", revision, wire)


def decoded(kind: Kind[Any], entry: Entry) -> Any:
    """The object of an entry; the caller owns it."""
    return decode_object(kind, entry.wire)


def write_of(
    kind: Kind[Any], action: str, obj: KubeObject, body: bytes, *, expected: int | None = None, published: bool = True
) -> Write:
    """The store's order for an object whose rules have all been applied."""
    meta = obj.metadata
    return Write(
        action=action,  # type: ignore[arg-type]  # one of the literals, at each of the three callers
        kind=kind.key,
        namespace=meta.namespace or "",
        name=meta.name,
        uid=meta.uid or "",
        body=body,
        claims=() if action == "delete" else kind.strategy.claims(obj),
        expected_revision=expected,
        published=published,
        pending=action != "delete" and kind.strategy.pending(obj),
        deletion_timestamp=_instant(meta.deletion_timestamp),
    )


def _instant(timestamp: str | None) -> datetime | None:
    return datetime.fromisoformat(timestamp).astimezone(UTC) if timestamp else None
