"""The declaration of Lease."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import CONFIDENTIAL, Column, Kind
from app.domain.kinds.lease import Lease
from app.domain.rules.lease import LeaseStrategy

LEASE = Kind(
    group="coordination.k8s.io",
    version="v1",
    name="Lease",
    plural="leases",
    singular="lease",
    namespaced=True,
    model=Lease,
    schema="io.k8s.api.coordination.v1.Lease",
    columns=(
        NAME,
        Column("Holder", lambda lease, _now: lease.spec.holder_identity or "", description="Who holds the lease."),
        AGE,
    ),
    strategy=LeaseStrategy(),
    create_on_update=True,
    unconditional_update=False,
    grants=CONFIDENTIAL,
)
