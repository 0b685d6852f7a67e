"""The declaration of ServiceAccount."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Grants, Kind, Subresource
from app.domain.declarations.reviews import TOKEN_REQUEST
from app.domain.kinds.service_account import ServiceAccount
from app.domain.rules.service_account import ServiceAccountStrategy

SERVICE_ACCOUNT = Kind(
    group="",
    version="v1",
    name="ServiceAccount",
    plural="serviceaccounts",
    singular="serviceaccount",
    namespaced=True,
    model=ServiceAccount,
    schema="io.k8s.api.core.v1.ServiceAccount",
    columns=(NAME, AGE),
    strategy=ServiceAccountStrategy(),
    short_names=("sa",),
    delete_returns_object=True,
    subresources=(Subresource("token", ("create",), carries=TOKEN_REQUEST, writers="edit"),),
    grants=Grants("view", "edit", ("impersonate",)),
)
