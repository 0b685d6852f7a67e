"""ServiceCIDR (networking.k8s.io/v1): ranges from which Services get their ClusterIPs (KEP-1880)."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Wire, patch_key
from app.domain.kinds.meta import Condition


class ServiceCIDRSpec(Wire):
    """One range of addresses, or one of each IP family.

    Attributes:
        cidrs: In canonical form, one or two of different IP families. Only a second one may be added later.
    """

    cidrs: Annotated[list[str], ATOMIC] | None = None


class ServiceCIDRStatus(Wire):
    """Whether addresses are allocated from the ranges.

    Attributes:
        conditions: Ready is False while no addresses are given from the ranges, as during their deletion.
    """

    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class ServiceCIDR(KubeObject):
    """Ranges from which Services get their ClusterIPs."""

    spec: ServiceCIDRSpec = field(default_factory=ServiceCIDRSpec)
    status: ServiceCIDRStatus = field(default_factory=ServiceCIDRStatus)
