"""Makes the write that stores an object. All rules have been applied to the object before."""

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
    bounded: bool = False,
) -> Write:
    """The write for one object.

    Args:
        kind: The declaration of its kind. The strategy says what it claims and whether something is left to allocate.
        action: What to do.
        obj: The state to store; for a delete, the last state.
        body: The encoded state.
        cluster: What the rules may know of the cluster.
        expected: The revision that the object must have.
        published: For a create: whether the object is visible at once.
        lease: The tenure under which the object is written.
        bounded: For a create: whether the ceiling of objects in a namespace applies.
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
        charges=tuple(kind.strategy.charges(obj, cluster).items()) if stays else (),
        limits=kind.strategy.limits(obj) if stays else (),
        bounded=bounded,
    )
