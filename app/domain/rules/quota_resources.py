"""The resources that a ResourceQuota can name, and how they are counted.

What is counted is a measure. Each stored object counts one of the measure of its kind, and as much of other measures as
its strategy says (`Strategy.charges`). Several resources may stand for one measure: `services` and `count/services`.
"""

from collections.abc import Collection, Mapping

import msgspec

from app.domain.documents.quantities import canonical_quantity, read_quantity
from app.domain.rules.names import qualified_name_problems

NODE_PORTS, LOAD_BALANCERS, PODS = "services.nodeports", "services.loadbalancers", "pods"
EXTERNAL_ADDRESSES, INTERNAL_ADDRESSES = "fairlead.io/external-addresses", "fairlead.io/internal-addresses"

CHARGED = (NODE_PORTS, LOAD_BALANCERS, PODS, EXTERNAL_ADDRESSES, INTERNAL_ADDRESSES)
"""The measures of which an object can count more or less than one."""

OBJECTS = "objects"
"""The measure of all objects of a namespace. No ResourceQuota can name it; a setting limits it."""

UNCOUNTED = ("events", "events.events.k8s.io")
"""Keys of kinds that no quota counts, as in Kubernetes: who is at a limit still has to learn of it."""

_COUNT = "count/"
_BY_KIND = ("configmaps", "resourcequotas", "secrets", "services")
_REQUESTS, _LIMITS, _HUGE_PAGES = "requests.", "limits.", "hugepages-"
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_WITHOUT_KIND = ("persistentvolumeclaims", "replicationcontrollers")
_INTEGERS = (*_BY_KIND, *_WITHOUT_KIND, PODS, NODE_PORTS, LOAD_BALANCERS)
_STANDARD = (
    *_INTEGERS,
    *_COMPUTE,
    *(_REQUESTS + name for name in (*_COMPUTE, "storage")),
    *(_LIMITS + name for name in _COMPUTE),
)
_OF_STORAGE_CLASSES = (
    ".storageclass.storage.k8s.io/requests.storage",
    ".storageclass.storage.k8s.io/persistentvolumeclaims",
)


class Limit(msgspec.Struct, frozen=True, array_like=True):
    """One resource of a quota whose use is counted.

    Attributes:
        resource: As the quota names it.
        measure: What is counted.
        most: The most that there may be.
        shown: The same as a quantity.
    """

    resource: str
    measure: str
    most: int
    shown: str


def count_of(key: str) -> str:
    """The measure of the objects of a kind, by the key under which they are stored."""
    return _COUNT + key


def measure_of(resource: str) -> str:
    """What is counted for a resource; "" if nothing is."""
    if resource in CHARGED:
        return resource
    key = resource if resource in _BY_KIND else resource.removeprefix(_COUNT) if resource.startswith(_COUNT) else ""
    return "" if not key or key in UNCOUNTED else count_of(key)


def limits_of(hard: Mapping[str, str]) -> tuple[Limit, ...]:
    """The limits of a quota, in the order of the resources. Scopes are not looked at."""
    return tuple(
        Limit(resource, measure, int(read_quantity(hard[resource])), hard[resource])
        for resource in sorted(hard)
        if (measure := measure_of(resource))
    )


def used_of(hard: Collection[str], kinds: Collection[str], used: Mapping[str, int]) -> dict[str, str]:
    """What is used of each resource, as far as the resource means something here.

    Resources of pods and volume claims are always unused: nothing is run here, and there are no volumes.

    Args:
        hard: The resources of a quota.
        kinds: Keys of the kinds whose objects can be counted.
        used: By measure.
    """
    found = {}
    for resource in sorted(hard):
        measure = measure_of(resource)
        if measure in CHARGED or measure.removeprefix(_COUNT) in kinds:
            found[resource] = canonical_quantity(str(used.get(measure, 0)))
        elif not measure and _is_unused(resource):
            found[resource] = "0"
    return found


def _is_unused(resource: str) -> bool:
    """Whether Kubernetes counts the resource, and there is nothing here that it counts."""
    return is_standard(resource) or resource.startswith(_REQUESTS) or resource.endswith(_OF_STORAGE_CLASSES)


def is_standard(resource: str) -> bool:
    """Whether a resource is one of those that have no prefix (IsStandardQuotaResourceName)."""
    return resource in _STANDARD or resource.startswith((_HUGE_PAGES, _REQUESTS + _HUGE_PAGES))


def is_integer(resource: str) -> bool:
    """Whether there are only whole ones of a resource (IsIntegerResourceName)."""
    if resource in _INTEGERS:
        return True
    native = "/" not in resource or "kubernetes.io/" in resource
    return not native and not resource.startswith(_REQUESTS) and not qualified_name_problems(_REQUESTS + resource)
