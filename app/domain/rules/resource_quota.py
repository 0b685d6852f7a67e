"""The rules of a ResourceQuota (ValidateResourceQuota of the API server)."""

from collections.abc import Iterator

from app.domain.documents.quantities import canonical_quantity, read_quantity
from app.domain.errors import Cause, invalid, required
from app.domain.kinds.resource_quota import ResourceQuota, ResourceQuotaSpec, ResourceQuotaStatus
from app.domain.rules.cluster import Cluster
from app.domain.rules.names import qualified_name_problems
from app.domain.rules.quota_resources import Limit, is_integer, is_standard, limits_of
from app.domain.rules.strategy import Strategy

BEST_EFFORT, NOT_BEST_EFFORT = "BestEffort", "NotBestEffort"
TERMINATING, NOT_TERMINATING = "Terminating", "NotTerminating"
PRIORITY_CLASS, CROSS_NAMESPACE_POD_AFFINITY = "PriorityClass", "CrossNamespacePodAffinity"
VOLUME_ATTRIBUTES_CLASS = "VolumeAttributesClass"

_PODS = ("pods",)
_PODS_AND_COMPUTE = (
    *_PODS, "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory",
)  # fmt: skip
_RESOURCES_OF_SCOPES = {
    BEST_EFFORT: _PODS,
    NOT_BEST_EFFORT: _PODS_AND_COMPUTE,
    TERMINATING: _PODS_AND_COMPUTE,
    NOT_TERMINATING: _PODS_AND_COMPUTE,
    PRIORITY_CLASS: _PODS_AND_COMPUTE,
    CROSS_NAMESPACE_POD_AFFINITY: _PODS_AND_COMPUTE,
    VOLUME_ATTRIBUTES_CLASS: ("persistentvolumeclaims", "requests.storage"),
}
_EXIST_ONLY = (BEST_EFFORT, NOT_BEST_EFFORT, TERMINATING, NOT_TERMINATING, CROSS_NAMESPACE_POD_AFFINITY)
_OPPOSITES = ((BEST_EFFORT, NOT_BEST_EFFORT), (TERMINATING, NOT_TERMINATING))
_COMPARED = (("cpu", True), ("memory", True), ("storage", False), ("ephemeral-storage", False))
"""Resources that have requests and limits, and whether the plain name stands for requests."""


class ResourceQuotaStrategy(Strategy[ResourceQuota]):
    """Only the server writes the status, or who may write `/status`."""

    def default(self, new: ResourceQuota) -> None:
        """Write quantities as Kubernetes does."""
        for quantities in (new.spec.hard, new.status.hard, new.status.used):
            if quantities:
                quantities.update({name: canonical_quantity(quantity) for name, quantity in quantities.items()})

    def prepare_create(self, new: ResourceQuota, cluster: Cluster) -> None:
        """Drop the status."""
        del cluster
        new.status = ResourceQuotaStatus()

    def prepare_update(self, new: ResourceQuota, old: ResourceQuota, cluster: Cluster) -> None:
        """Keep the status."""
        del cluster
        new.status = old.status

    def prepare_status(self, new: ResourceQuota, old: ResourceQuota, cluster: Cluster) -> None:
        """Keep the spec."""
        del cluster
        new.spec = old.spec

    def validate_create(self, new: ResourceQuota, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        spec = new.spec
        return [*_quantity_causes("spec.hard", spec.hard or {}), *_scope_causes(spec), *_selector_causes(spec)]

    def validate_update(self, new: ResourceQuota, old: ResourceQuota, cluster: Cluster) -> list[Cause]:
        """As on create, and the scopes cannot change."""
        causes = self.validate_create(new, cluster)
        if set(new.spec.scopes or []) != set(old.spec.scopes or []):
            causes.append(invalid("spec.scopes", new.spec.scopes or [], "field is immutable"))
        return causes

    def validate_status(self, new: ResourceQuota, old: ResourceQuota, cluster: Cluster) -> list[Cause]:
        """Name every quantity that is wrong."""
        del old, cluster
        hard, used = new.status.hard or {}, new.status.used or {}
        return [*_quantity_causes("status.hard", hard), *_quantity_causes("status.used", used)]

    def warnings(self, new: ResourceQuota, old: ResourceQuota | None, cluster: Cluster) -> list[str]:
        """Requests that are greater than the limits."""
        del cluster
        return [] if old is not None else list(_comparisons(new.spec.hard or {}))

    def limits(self, obj: ResourceQuota) -> tuple[Limit, ...]:
        """What it limits. Scopes are about what pods use, and nothing is run here: with a scope nothing is used."""
        return () if obj.spec.scopes or obj.spec.scope_selector else limits_of(obj.spec.hard or {})


def _quantity_causes(field: str, quantities: dict[str, str]) -> Iterator[Cause]:
    for resource, quantity in quantities.items():
        where = f"{field}[{resource}]"
        problems = qualified_name_problems(resource)
        if not problems and "/" not in resource and not is_standard(resource):
            problems = ["must be a standard resource for quota"]
        yield from (invalid(where, resource, problem) for problem in problems)
        number = read_quantity(quantity)
        if number < 0:
            yield invalid(where, quantity, "must be greater than or equal to 0")
        if is_integer(resource) and number != number.to_integral_value():
            yield invalid(where, quantity, "must be an integer")


def _scope_causes(spec: ResourceQuotaSpec) -> Iterator[Cause]:
    field, scopes = "spec.scopes", spec.scopes or []
    for scope in scopes:
        if scope not in _RESOURCES_OF_SCOPES:
            yield invalid(field, scopes, "unsupported scope")
        for _ in _resources_beyond(scope, spec):
            yield invalid(field, scopes, "unsupported scope applied to resource")
    yield from _conflicts(field, scopes, scopes)


def _selector_causes(spec: ResourceQuotaSpec) -> Iterator[Cause]:
    field = "spec.scopeSelector.matchExpressions"
    requirements = (spec.scope_selector.match_expressions or []) if spec.scope_selector else []
    for each in requirements:
        if each.scope_name not in _RESOURCES_OF_SCOPES:
            yield invalid(f"{field}.scopeName", each.scope_name, "unsupported scope")
        for resource in _resources_beyond(each.scope_name, spec):
            yield invalid(field, each.scope_name, f"unsupported scope applied to resource {resource}")
        if each.scope_name in _EXIST_ONLY and each.operator != "Exists":
            yield invalid(f"{field}.operator", each.operator, f"must be Exists for the scope {each.scope_name}")
        yield from _operator_causes(field, each.operator, each.values or [])
    yield from _conflicts(field, [each.scope_name for each in requirements], spec.scopes or [])


def _operator_causes(field: str, operator: str, values: list[str]) -> Iterator[Cause]:
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{field}.values", "the operators In and NotIn need at least one value")
    elif operator not in ("Exists", "DoesNotExist"):
        yield invalid(f"{field}.operator", operator, "not a valid selector operator")
    elif values:
        yield invalid(f"{field}.values", values, "the operators Exists and DoesNotExist take no values")


def _resources_beyond(scope: str, spec: ResourceQuotaSpec) -> list[str]:
    """The resources of a quota that have nothing to do with a scope."""
    allowed = _RESOURCES_OF_SCOPES.get(scope)
    return [each for each in sorted(spec.hard or {}) if allowed and is_standard(each) and each not in allowed]


def _conflicts(field: str, scopes: list[str], shown: list[str]) -> Iterator[Cause]:
    for pair in _OPPOSITES:
        if set(pair) <= set(scopes):
            yield invalid(field, shown, "conflicting scopes")


def _comparisons(hard: dict[str, str]) -> Iterator[str]:
    for resource, plain in _COMPARED:
        requests, limits = f"requests.{resource}", f"limits.{resource}"
        if requests not in hard and plain:
            requests = resource
        if requests in hard and limits in hard and read_quantity(hard[requests]) > read_quantity(hard[limits]):
            yield (f"ResourceQuota {requests} ({hard[requests]}) should be less than {limits} ({hard[limits]})")
