"""Kubernetes' names of the models: `io.k8s.api.core.v1.ServiceSpec`."""

from collections.abc import Iterable
from typing import Any

from app.api.meta_models import DeleteOptionsBody, ListMeta, Preconditions, Status, StatusCause, StatusDetails
from app.domain.declarations.kind import Kind
from app.domain.documents.objects import ObjectMeta
from app.domain.documents.wire import Wire
from app.domain.kinds.meta import (
    Condition,
    FieldSelectorRequirement,
    LabelSelector,
    LabelSelectorRequirement,
    ObjectReference,
)

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
STATUS = f"{META}.Status"
DELETE_OPTIONS = f"{META}.DeleteOptions"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"

_NAMES: dict[type[Wire], str] = {
    Condition: f"{META}.Condition",
    DeleteOptionsBody: DELETE_OPTIONS,
    FieldSelectorRequirement: f"{META}.FieldSelectorRequirement",
    LabelSelector: f"{META}.LabelSelector",
    LabelSelectorRequirement: f"{META}.LabelSelectorRequirement",
    ListMeta: f"{META}.ListMeta",
    ObjectReference: "io.k8s.api.core.v1.ObjectReference",
    Preconditions: f"{META}.Preconditions",
    Status: STATUS,
    StatusCause: f"{META}.StatusCause",
    StatusDetails: f"{META}.StatusDetails",
}


class ModelNames:
    """Names models by their modules: all models in the module of a kind belong to the package of that kind."""

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        packages: dict[str, set[str]] = {}
        for kind in kinds:
            packages.setdefault(kind.model.__module__, set()).add(package_of(kind))
        unique = {module: found.pop() for module, found in packages.items() if len(found) == 1}
        self._packages = unique | {ObjectMeta.__module__: META}

    def name(self, model: type[Wire], package: str) -> str:
        """The name of a model; `package` is used if its module belongs to no kind, or to several."""
        return _NAMES.get(model) or f"{self._packages.get(model.__module__, package)}.{model.__name__}"


def package_of(kind: Kind[Any]) -> str:
    """`io.k8s.api.core.v1`."""
    return kind.schema.rpartition(".")[0]
