"""ResourceQuota (core/v1): how much of everything a namespace may have."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Quantity, Wire


class ScopedResourceSelectorRequirement(Wire):
    """A condition on the pods that a quota is about.

    Attributes:
        scope_name: The scope that the condition is about, such as PriorityClass.
        operator: In, NotIn, Exists or DoesNotExist.
        values: The values that In and NotIn compare with.
    """

    required = ("scope_name", "operator")

    scope_name: str = field(default_factory=str)
    operator: str = field(default_factory=str)
    values: Annotated[list[str], ATOMIC] | None = None


class ScopeSelector(Wire):
    """Conditions that a pod has to meet, all of them.

    Attributes:
        match_expressions: The conditions.
    """

    atomic = True

    match_expressions: Annotated[list[ScopedResourceSelectorRequirement], ATOMIC] | None = None


class ResourceQuotaSpec(Wire):
    """What may not be exceeded.

    Attributes:
        hard: The most that the namespace may have, by resource: `services`, `services.loadbalancers`,
            `services.nodeports`, `count/<resource>.<group>` for the objects of any kind, and
            `fairlead.io/external-addresses` and `fairlead.io/internal-addresses` for load balancer addresses.
        scopes: Which pods the quota is about. It is about all of them if there are no scopes. They cannot be changed.
        scope_selector: The same, as conditions with values.
    """

    hard: dict[str, Quantity] | None = None
    scopes: Annotated[list[str], ATOMIC] | None = None
    scope_selector: ScopeSelector | None = None


class ResourceQuotaStatus(Wire):
    """What is enforced, and what is used of it.

    Attributes:
        hard: The limits to which `used` belongs.
        used: What the namespace has, by resource.
    """

    hard: dict[str, Quantity] | None = None
    used: dict[str, Quantity] | None = None


class ResourceQuota(KubeObject):
    """The most that a namespace may have of some resources. What would exceed it is refused.

    Attributes:
        spec: What may not be exceeded.
        status: What is enforced, and what is used of it.
    """

    spec: ResourceQuotaSpec = field(default_factory=ResourceQuotaSpec)
    status: ResourceQuotaStatus = field(default_factory=ResourceQuotaStatus)
