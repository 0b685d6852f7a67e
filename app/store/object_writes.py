"""From an object, whose rules have all been applied, to the write that stores it."""

from datetime import datetime
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.documents.objects import KubeObject
from app.domain.rules.cluster import Cluster
from app.store.writes import Action, LeaseGuard, Write


def write_of(
    kind: Kind[Any],
    action: Action,
    obj: KubeObject,
    body: bytes,
    cluster: Cluster,
    *,
    expected: int | None = None,
    published: bool = True,
    lease: LeaseGuard | None = None,
) -> Write:
    """The write for one object.

    Args:
        kind: Its declaration; the strategy says what it claims and whether something is left to allocate.
        action: What is to be done.
        obj: The state to store, or for a delete the last state.
        body: Its encoding.
        cluster: For the claims, and for what is left to allocate.
        expected: The revision the object must be at.
        published: For a create: whether it is visible at once.
        lease: Tenure under which it is written.
    """
    meta = obj.metadata
    stays = action != "delete"
    return Write(
        action=action,
        kind=kind.key,
        namespace=meta.namespace or "",
        name=meta.name,
        uid=meta.uid or "",
        body=body,
        claims=kind.strategy.claims(obj, cluster) if stays else (),
        expected_revision=expected,
        published=published,
        pending=stays and kind.strategy.pending(obj, cluster),
        deletion_timestamp=datetime.fromisoformat(meta.deletion_timestamp) if meta.deletion_timestamp else None,
        lease=lease,
        confidential=kind.confidential,
    )
