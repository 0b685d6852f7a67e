"""The rules of a Namespace."""

from app.domain.errors import Cause, invalid, invalid_for
from app.domain.kinds.namespace import Namespace, NamespaceStatus
from app.domain.rules.cluster import Cluster
from app.domain.rules.metadata import KUBERNETES, finalizer_domain_problems
from app.domain.rules.names import qualified_name_problems
from app.domain.rules.strategy import Strategy

NAME_LABEL = "kubernetes.io/metadata.name"
"""Label that always carries the namespace's own name (KEP-2161)."""


ACTIVE, TERMINATING = "Active", "Terminating"


class NamespaceStrategy(Strategy[Namespace]):
    """A namespace starts Active. Only `/finalize` changes `spec.finalizers`. Without finalizers it is removed."""

    def prepare_create(self, new: Namespace, cluster: Cluster) -> None:
        """Set the phase Active, the label with the name, and the `kubernetes` finalizer, which delays its removal."""
        del cluster
        finalizers = new.spec.finalizers or []
        if KUBERNETES not in finalizers:
            new.spec.finalizers = [*finalizers, KUBERNETES]
        new.status = NamespaceStatus(phase=ACTIVE)
        _label(new)

    def validate_create(self, new: Namespace, cluster: Cluster) -> list[Cause]:
        """Finalizers are qualified names with a domain, except for the standard ones."""
        del cluster
        finalizers = new.spec.finalizers or []
        return [cause for name in finalizers for cause in _finalizer_causes("spec.finalizers", name)]

    def prepare_update(self, new: Namespace, old: Namespace, cluster: Cluster) -> None:
        """Keep spec and status: the main resource changes metadata only."""
        del cluster
        new.spec, new.status = old.spec, old.status
        _label(new)

    def prepare_status(self, new: Namespace, old: Namespace, cluster: Cluster) -> None:
        """Keep the spec."""
        del cluster
        new.spec = old.spec
        _label(new)

    def validate_status(self, new: Namespace, old: Namespace, cluster: Cluster) -> list[Cause]:
        """The phase follows the deletion timestamp."""
        del old, cluster
        phase = TERMINATING if new.metadata.deletion_timestamp else ACTIVE
        if new.status.phase == phase:
            return []
        when = "while the namespace is being deleted" if phase == TERMINATING else "until the namespace is deleted"
        return [invalid("status.phase", new.status.phase, f"must be {phase} {when}")]

    def prepare_delete(self, obj: Namespace, cluster: Cluster) -> None:
        """Set the phase Terminating, in which no object can be created in the namespace."""
        del cluster
        obj.status.phase = TERMINATING

    def releasable(self, obj: Namespace) -> bool:
        """Whether `metadata.finalizers` and `spec.finalizers` are empty."""
        return not obj.metadata.finalizers and not obj.spec.finalizers


def _label(namespace: Namespace) -> None:
    if namespace.metadata.name:
        namespace.metadata.labels = {**(namespace.metadata.labels or {}), NAME_LABEL: namespace.metadata.name}


def _prepare_finalize(new: Namespace, old: Namespace, cluster: Cluster) -> None:
    del cluster
    new.status = old.status
    _label(new)


def _validate_finalize(new: Namespace, old: Namespace, cluster: Cluster) -> list[Cause]:
    del old, cluster
    finalizers = enumerate(new.spec.finalizers or [])
    return [cause for index, name in finalizers for cause in _finalizer_causes(f"spec.finalizers[{index}]", name)]


def _finalizer_causes(field: str, name: str) -> list[Cause]:
    return invalid_for(field, name, [*qualified_name_problems(name), *finalizer_domain_problems(name)])
