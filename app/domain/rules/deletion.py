"""What a deletion does to an object before the object is removed (rest.BeforeDelete)."""

from typing import Any, Literal, Protocol

from app.domain.documents.objects import KubeObject
from app.domain.rules.cluster import Cluster
from app.domain.rules.strategy import Strategy


class Ruled(Protocol):
    """A declared kind, as far as deletion needs it."""

    @property
    def strategy(self) -> Strategy[Any]:
        """The kind's rules."""


Propagation = Literal["Background", "Foreground", "Orphan", ""]

ORPHAN_FINALIZER = "orphan"
FOREGROUND_FINALIZER = "foregroundDeletion"
_BY_PROPAGATION = {"Orphan": ORPHAN_FINALIZER, "Foreground": FOREGROUND_FINALIZER}


def goes_at_once(kind: Ruled, obj: KubeObject, propagation: Propagation = "") -> bool:
    """Whether a deletion removes an object without marking it: it waits for nothing."""
    return propagation not in _BY_PROPAGATION and kind.strategy.releasable(obj)


def mark_deleted(kind: Ruled, obj: KubeObject, cluster: Cluster, propagation: Propagation = "") -> None:
    """Set the deletion timestamp and the finalizer that the propagation policy asks for, in place.

    A later request may change the policy of an object that is being deleted, but not its timestamp.
    """
    meta = obj.metadata
    if propagation:
        finalizers = [name for name in meta.finalizers or [] if name not in _BY_PROPAGATION.values()]
        if propagation in _BY_PROPAGATION:
            finalizers.append(_BY_PROPAGATION[propagation])
        meta.finalizers = finalizers or None
    if meta.deletion_timestamp is None:
        meta.deletion_timestamp = cluster.now
        meta.deletion_grace_period_seconds = 0
        kind.strategy.prepare_delete(obj, cluster)


def is_released(kind: Ruled, obj: KubeObject) -> bool:
    """Whether an object is being deleted and no finalizer is left."""
    return obj.metadata.deletion_timestamp is not None and kind.strategy.releasable(obj)
