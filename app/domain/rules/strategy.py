"""The rules of one kind, as hooks that the registry calls in order."""

from typing import Generic

from app.domain.documents.objects import ObjectT
from app.domain.errors import Cause
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster


class Strategy(Generic[ObjectT]):
    """The rules of one kind, as hooks the registry calls in order; these defaults suit a kind without rules.

    Hooks named `prepare_*` change `new` in place: the caller owns it. `old` is never changed. Generic metadata is
    checked by the registry for every kind (`rules/metadata.py`); a strategy sees only what is its kind's own.
    """

    def default(self, new: ObjectT) -> None:
        """Fill in what the client left out and what depends on nothing else; before anything else is done with it."""

    def prepare_create(self, new: ObjectT, cluster: Cluster) -> None:
        """Drop what clients may not set on create and settle what depends on the surroundings."""

    def asks_of_cluster(self, new: ObjectT) -> bool:
        """Whether it takes a current view of the cluster to say if the client can have what it asks for on create."""
        del new
        return False

    def unavailable(self, new: ObjectT, old: ObjectT | None, cluster: Cluster) -> list[Cause]:
        """Name what the object asks for that cannot be had; any cause here is the whole answer, whatever else is wrong.

        Called after `prepare_create` (`old` is None) or `prepare_update`, before anything is validated.
        """
        del new, old, cluster
        return []

    def validate_create(self, new: ObjectT, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong in a new object."""
        del new, cluster
        return []

    def prepare_update(self, new: ObjectT, old: ObjectT, cluster: Cluster) -> None:
        """Restore what the main resource may not change (status), carry over server-chosen values."""

    def validate_update(self, new: ObjectT, old: ObjectT, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong in an update of the main resource."""
        del old
        return self.validate_create(new, cluster)

    def prepare_status(self, new: ObjectT, old: ObjectT, cluster: Cluster) -> None:
        """Restore what a write to `/status` may not change."""

    def validate_status(self, new: ObjectT, old: ObjectT, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong in a write to `/status`."""
        del new, old, cluster
        return []

    def prepare_delete(self, obj: ObjectT, cluster: Cluster) -> None:
        """Show in an object whose deletion begins that it is going; finalizers may hold it for a while yet."""

    def releasable(self, obj: ObjectT) -> bool:
        """Whether nothing holds an object any more once its deletion was asked for."""
        return not obj.metadata.finalizers

    def warnings(self, new: ObjectT, old: ObjectT | None, cluster: Cluster) -> list[str]:
        """Texts for Warning headers: accepted, but probably not what the client wants."""
        del new, old, cluster
        return []

    def status_warnings(self, new: ObjectT, old: ObjectT) -> list[str]:
        """The same for a write to `/status`."""
        del new, old
        return []

    def claims(self, obj: ObjectT, cluster: Cluster) -> tuple[Claim, ...]:
        """Everything unique that the object's spec and status show; the store holds exactly these for it."""
        del obj, cluster
        return ()

    def pending(self, obj: ObjectT, cluster: Cluster) -> bool:
        """Whether something is left for the reconciler to allocate."""
        del obj, cluster
        return False

    def untried(self, obj: ObjectT, cluster: Cluster) -> bool:
        """Whether the reconciler has not said anything yet about what is pending, so that a client waits for it."""
        return self.pending(obj, cluster)
