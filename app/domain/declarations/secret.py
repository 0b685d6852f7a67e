"""The declaration of Secret."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import CONFIDENTIAL, Column, Kind
from app.domain.kinds.secret import Secret
from app.domain.rules.secret import SecretStrategy

SECRET = Kind(
    group="",
    version="v1",
    name="Secret",
    plural="secrets",
    singular="secret",
    namespaced=True,
    model=Secret,
    schema="io.k8s.api.core.v1.Secret",
    columns=(
        NAME,
        Column("Type", lambda secret, _now: secret.type, description="What the data is for."),
        Column("Data", lambda secret, _now: len(secret.data or ()), description="How many keys it has."),
        AGE,
    ),
    strategy=SecretStrategy(),
    selectable={"type": lambda secret: secret.type},
    confidential=True,
    grants=CONFIDENTIAL,
)
