"""The declaration of Namespace."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import SEEN, Column, Kind, Subresource
from app.domain.kinds.namespace import Namespace
from app.domain.rules.namespace import NamespaceStrategy, _prepare_finalize, _validate_finalize

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
    grants=SEEN,
)
