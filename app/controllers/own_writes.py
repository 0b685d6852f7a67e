"""Writes of controllers: to create, change and delete objects of their own accord."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from app.controllers.controller import KeyT
from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.objects import KubeObject
from app.domain.errors import Requeue, RetryError, Temporary
from app.domain.rules.cluster import Cluster
from app.domain.rules.deletion import Propagation, is_released, mark_deleted
from app.domain.rules.names import generated_name
from app.mirror.entry import Entry
from app.store.exceeded_quotas import refusal as quota_refusal
from app.store.object_writes import write_of
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing, Outcome, QuotaExceeded, Write
from app.uids import new_uid

_WRITES_AT_ONCE = 500
"""So many writes are handed to the writer at a time. Writes of others get their turn in between."""

_CONFLICT_SECONDS = 0.05
"""Time until the next attempt after another writer was faster."""


def creation(kind: Kind[Any], obj: KubeObject, cluster: Cluster, lease: LeaseGuard) -> Write:
    """The write that creates a planned object: it gets a name, a uid and a creation time."""
    meta = structs.replace(
        obj.metadata,
        name=obj.metadata.name or generated_name(obj.metadata.generate_name, secrets.choice),
        uid=new_uid(),
        creation_timestamp=cluster.now,
        resource_version=None,
    )
    made = structs.replace(obj, api_version=kind.api_version, kind=kind.name, metadata=meta)
    return write_of(kind, "create", made, encode_body(made), cluster, lease=lease)


def update(kind: Kind[Any], obj: KubeObject, revision: int, cluster: Cluster, lease: LeaseGuard) -> Write:
    """The write that replaces an object as it was at a revision."""
    return write_of(kind, "update", obj, encode_body(obj), cluster, expected=revision, lease=lease)


def removal(kind: Kind[Any], obj: KubeObject, revision: int, cluster: Cluster, lease: LeaseGuard) -> Write:
    """The write that deletes an object as it was at a revision."""
    return write_of(kind, "delete", obj, encode_body(obj), cluster, expected=revision, lease=lease)


def deletion(
    kind: Kind[Any], entry: Entry, cluster: Cluster, lease: LeaseGuard, propagation: Propagation = ""
) -> Write | None:
    """The write that deletes an object as a client would. If finalizers hold the object it only marks it for deletion.

    Answers None when it is marked already.
    """
    obj = decode_object(kind, entry.wire)
    before = encode_body(obj)
    mark_deleted(kind, obj, cluster, propagation)
    if is_released(kind, obj):
        return write_of(kind, "delete", obj, before, cluster, expected=entry.revision, lease=lease)
    after = encode_body(obj)
    if after == before:
        return None
    return write_of(kind, "update", obj, after, cluster, expected=entry.revision, lease=lease)


def conflict(outcome: Outcome) -> RetryError:
    """What a controller answers for a key whose write was refused, mostly because the object had changed meanwhile."""
    if isinstance(outcome, QuotaExceeded):
        return Temporary(quota_refusal(outcome, ""))
    return Requeue(f"{type(outcome).__name__} when it was written", _CONFLICT_SECONDS)


async def write_in_turn(writer: Writer, writes: Sequence[Write]) -> list[Outcome]:
    """Store any number of writes, each with its own outcome.

    Raises:
        ApiError: The store cannot be reached; some may have been stored.
    """
    outcomes: list[Outcome] = []
    for start in range(0, len(writes), _WRITES_AT_ONCE):
        outcomes += await writer.write_all(writes[start : start + _WRITES_AT_ONCE])
    return outcomes


async def write_each(writer: Writer, writes: Mapping[KeyT, Write]) -> dict[KeyT, RetryError]:
    """Store writes of some keys, and answer which are to be tried again. An object that is gone needs no write."""
    outcomes = await write_in_turn(writer, list(writes.values()))
    return {
        key: conflict(outcome)
        for key, outcome in zip(writes, outcomes, strict=True)
        if not isinstance(outcome, Committed | Missing)
    }
