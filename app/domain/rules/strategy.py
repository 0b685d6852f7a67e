"""The rules of one kind, as hooks that the registry calls in order."""

from collections.abc import Mapping
from typing import Generic

from app.domain.documents.objects import ObjectT
from app.domain.errors import Cause
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.quota_resources import Limit


class Strategy(Generic[ObjectT]):
    """The rules of one kind, as hooks the registry calls in order; these defaults suit a kind without rules.

    Hooks named `prepare_*` change `new` in place. No hook changes `old`. The registry checks the metadata of every kind
    (`rules/metadata.py`); a strategy checks only what its kind has in addition.
    """

    def default(self, new: ObjectT) -> None:
        """Set the defaults of fields that the client left out. This is the first hook."""

    def prepare_create(self, new: ObjectT, cluster: Cluster) -> None:
        """Drop what clients may not set on create, and set what depends on the cluster."""

    def asks_of_cluster(self, new: ObjectT) -> bool:
        """Whether the rules need a current view of the cluster for this new object."""
        del new
        return False

    def unavailable(self, new: ObjectT, old: ObjectT | None, cluster: Cluster) -> list[Cause]:
        """Name the values that the server cannot give. If there are any, the answer has no other causes.

        Called after `prepare_create` (`old` is None) or `prepare_update`, before anything is validated.
        """
        del new, old, cluster
        return []

    def validate_create(self, new: ObjectT, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong in a new object."""
        del new, cluster
        return []

    def prepare_update(self, new: ObjectT, old: ObjectT, cluster: Cluster) -> None:
        """Restore what the main resource may not change (status), and values that the server chose."""

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
        """Mark an object as being deleted. Finalizers may delay its removal."""

    def releasable(self, obj: ObjectT) -> bool:
        """Whether an object that is being deleted can be removed."""
        return not obj.metadata.finalizers

    def warnings(self, new: ObjectT, old: ObjectT | None, cluster: Cluster) -> list[str]:
        """Texts for Warning headers: values that are accepted, but are probably not what the client wants."""
        del new, old, cluster
        return []

    def status_warnings(self, new: ObjectT, old: ObjectT) -> list[str]:
        """The same for a write to `/status`."""
        del new, old
        return []

    def claims(self, obj: ObjectT, cluster: Cluster) -> tuple[Claim, ...]:
        """All claims of the object, from its spec and status. The store records exactly these for the object."""
        del obj, cluster
        return ()

    def charges(self, obj: ObjectT, cluster: Cluster) -> Mapping[str, int]:
        """What the object uses of the quotas of its namespace, by measure, beside that it is one object of its kind.

        It follows from the spec, so that what a quota forbids is refused before anything is allocated.
        """
        del obj, cluster
        return {}

    def limits(self, obj: ObjectT) -> tuple[Limit, ...]:
        """What the object allows its namespace at most; only a ResourceQuota limits anything."""
        del obj
        return ()

    def pending(self, obj: ObjectT, cluster: Cluster) -> bool:
        """Whether the reconciler has something left to allocate."""
        del obj, cluster
        return False

    def untried(self, obj: ObjectT, cluster: Cluster) -> bool:
        """Whether the reconciler has not yet tried to allocate, so that the client waits for it."""
        return self.pending(obj, cluster)

    def explain_pending(self, obj: ObjectT, cluster: Cluster) -> None:
        """Say in an object, in place, why it is published although something is left to allocate."""
