"""The declaration of CustomResourceDefinition, of which there are none.

kubectl looks for a kind that a served group does not have among them. Where the list cannot be read it gives
the whole file up; where it is empty it applies the rest, and Helm says what is missing. So the list can be read, and
discovery does not show it.
"""

from app.domain.declarations.columns import NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.documents.objects import KubeObject


class CustomResourceDefinition(KubeObject):
    """A kind that somebody added to the API. Nobody can."""


CUSTOM_RESOURCE_DEFINITION = Kind(
    group="apiextensions.k8s.io",
    version="v1",
    name="CustomResourceDefinition",
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    model=CustomResourceDefinition,
    schema="io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    columns=(
        NAME,
        Column(
            "Created At",
            lambda definition, _now: definition.metadata.creation_timestamp or "",
            type="date",
            description="When it was created.",
        ),
    ),
    verbs=("get", "list", "watch"),
)
