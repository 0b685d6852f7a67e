"""The declaration of ServiceCIDR."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.service_cidr import ServiceCIDR
from app.domain.rules.service_cidr import ServiceCIDRStrategy

SERVICE_CIDR = Kind(
    group="networking.k8s.io",
    version="v1",
    name="ServiceCIDR",
    plural="servicecidrs",
    singular="servicecidr",
    namespaced=False,
    model=ServiceCIDR,
    schema="io.k8s.api.networking.v1.ServiceCIDR",
    columns=(
        NAME,
        Column("CIDRs", lambda obj, _now: ",".join(obj.spec.cidrs or []), description="Ranges of ClusterIPs."),
        AGE,
    ),
    strategy=ServiceCIDRStrategy(),
    has_status=True,
)
