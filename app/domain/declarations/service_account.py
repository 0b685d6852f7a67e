"""The declaration of ServiceAccount."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Kind
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
)
