"""What a controller does to objects on its own account, as writes."""

import secrets
import uuid
from typing import Any

from msgspec import structs

from app.domain.encoding import encode_body
from app.domain.kinds.kind import Kind
from app.domain.kinds.meta import KubeObject
from app.domain.rules.names import generated_name
from app.store.object_writes import write_of
from app.store.writes import LeaseGuard, Write


def creation(kind: Kind[Any], obj: KubeObject, now: str, lease: LeaseGuard) -> Write:
    """The write that creates an object which a planner made: named, with identity and age."""
    meta = structs.replace(
        obj.metadata,
        name=obj.metadata.name or generated_name(obj.metadata.generate_name or "", secrets.choice),
        uid=str(uuid.uuid4()),
        creation_timestamp=now,
        resource_version=None,
    )
    made = structs.replace(obj, api_version=kind.api_version, kind=kind.name, metadata=meta)
    return write_of(kind, "create", made, encode_body(made), lease=lease)


def update(kind: Kind[Any], obj: KubeObject, revision: int, lease: LeaseGuard) -> Write:
    """The write that replaces an object as it was at a revision."""
    return write_of(kind, "update", obj, encode_body(obj), expected=revision, lease=lease)


def removal(kind: Kind[Any], obj: KubeObject, revision: int, lease: LeaseGuard) -> Write:
    """The write that deletes an object as it was at a revision."""
    return write_of(kind, "delete", obj, encode_body(obj), expected=revision, lease=lease)
