"""Namespace (core/v1): the scope of names, and what happens when one is emptied."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import field

from app.domain.errors import Cause, invalid
from app.domain.kinds.columns import AGE, NAME
from app.domain.kinds.kind import Column, Kind, Strategy, Subresource
from app.domain.kinds.meta import ATOMIC, Cluster, Condition, KubeObject, Wire, patch_key
from app.domain.rules.metadata import KUBERNETES, STANDARD_FINALIZERS
from app.domain.rules.names import qualified_name_problem

NAME_LABEL = "kubernetes.io/metadata.name"
"""Label that always carries the namespace's own name (KEP-2161)."""

ACTIVE, TERMINATING = "Active", "Terminating"


class NamespaceSpec(Wire):
    """What must be done before a namespace being deleted may go.

    Attributes:
        finalizers: Who has something to do before it may go; changed through /finalize.
    """

    finalizers: Annotated[list[str], ATOMIC] | None = None


class NamespaceStatus(Wire):
    """Whether the namespace is in use or being emptied.

    Attributes:
        phase: Active, or Terminating while it is being emptied.
        conditions: What keeps it from being emptied.
    """

    phase: str = ""
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class Namespace(KubeObject):
    """A scope for names."""

    spec: NamespaceSpec = field(default_factory=NamespaceSpec)
    status: NamespaceStatus = field(default_factory=NamespaceStatus)


class NamespaceStrategy(Strategy[Namespace]):
    """A namespace starts Active, keeps its finalizers but through `/finalize`, and goes when both kinds are empty."""

    def prepare_create(self, new: Namespace, cluster: Cluster) -> None:
        """Start Active, labelled with its name, held by the `kubernetes` finalizer until it is emptied."""
        del cluster
        finalizers = new.spec.finalizers or []
        if KUBERNETES not in finalizers:
            new.spec.finalizers = [*finalizers, KUBERNETES]
        new.status = NamespaceStatus(phase=ACTIVE)
        _label(new)

    def validate_create(self, new: Namespace, cluster: Cluster) -> list[Cause]:
        """Finalizers are qualified names with a domain, but for the system's own."""
        del cluster
        return _finalizer_causes(new.spec.finalizers or [])

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
        when = "once deletion was asked for" if phase == TERMINATING else "as long as deletion was not asked for"
        return [invalid("status.phase", new.status.phase, f"must be {phase} {when}")]

    def prepare_delete(self, obj: Namespace, cluster: Cluster) -> None:
        """Become Terminating: nothing new may be created in it."""
        del cluster
        obj.status.phase = TERMINATING

    def releasable(self, obj: Namespace) -> bool:
        """Neither `metadata.finalizers` nor `spec.finalizers` holds it."""
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
    return _finalizer_causes(new.spec.finalizers or [])


def _finalizer_causes(finalizers: Sequence[str]) -> list[Cause]:
    causes = []
    for name in finalizers:
        problem = qualified_name_problem(name)
        if not problem and "/" not in name and name not in STANDARD_FINALIZERS:
            problem = (
                f"must begin with a domain, such as example.com/hold, or be one of {', '.join(STANDARD_FINALIZERS)}"
            )
        if problem:
            causes.append(invalid("spec.finalizers", name, problem))
    return causes


NAMESPACE = Kind(
    group="",
    version="v1",
    name="Namespace",
    plural="namespaces",
    singular="namespace",
    namespaced=False,
    model=Namespace,
    schema="io.k8s.api.core.v1.Namespace",
    columns=(
        NAME,
        Column("Status", lambda obj, _now: obj.status.phase, description="Active, or Terminating while it is emptied."),
        AGE,
    ),
    strategy=NamespaceStrategy(),
    short_names=("ns",),
    selectable={"status.phase": lambda obj: obj.status.phase, "name": lambda obj: obj.metadata.name},
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    has_status=True,
    delete_returns_object=True,
    subresources=(Subresource("finalize", ("update",), _prepare_finalize, _validate_finalize),),
    name_rule="dns_label",
)
