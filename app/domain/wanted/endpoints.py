"""The Endpoints object of a Service with a selector: the older form of its endpoints, in one object."""

import math
from collections.abc import Iterable

from msgspec import structs

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.endpoints import EndpointAddress, EndpointPort, Endpoints, EndpointSubset
from app.domain.kinds.meta import ObjectReference
from app.domain.kinds.pod import Pod
from app.domain.kinds.service import Service
from app.domain.rules.endpoint_subsets import repack
from app.domain.wanted import backends
from app.domain.wanted.slice_packing import with_trigger_time

CAPACITY = 1000
"""The maximum of addresses in an Endpoints object. Ready ones come first."""

OVER_CAPACITY_ANNOTATION = "endpoints.kubernetes.io/over-capacity"
"""The annotation with the value `truncated` on an object that does not show all addresses."""

MANAGED_BY_LABEL, CONTROLLER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
"""The label of objects that our controller makes from pods."""


def plan_endpoints(service: Service, pods: Iterable[Pod], existing: Endpoints | None) -> Endpoints | None:
    """The object to write, or None if there is nothing to write.

    Args:
        service: The Service. Without a selector, or of type ExternalName, its Endpoints are not changed.
        pods: Pods of its namespace, selected or not.
        existing: The present object.
    """
    if not backends.has_selected_backends(service):
        return None
    pods = [pod for pod in pods if backends.selects(service, pod.metadata.labels)]
    subsets = repack(
        subset
        for pod in pods
        if backends.can_be_endpoint(pod, terminating=service.spec.publish_not_ready_addresses)
        for subset in _subsets(service, pod)
    )
    truncated = sum(_size(subset) for subset in subsets) > CAPACITY
    before = existing or _empty(service)
    meta = structs.replace(
        before.metadata, labels=_labels(service), annotations=_annotations(before, truncated=truncated)
    )
    wanted = structs.replace(before, metadata=meta, subsets=(_truncate(subsets) if truncated else subsets) or None)
    if existing is not None and wanted == existing:
        return None
    time = backends.change_time(service, pods, _ready(before), _ready(wanted), first=existing is None)
    meta.annotations = with_trigger_time(meta.annotations, time)
    return wanted


def is_made_from_pods(endpoints: Endpoints) -> bool:
    """Whether our controller made the object, rather than a client."""
    return (endpoints.metadata.labels or {}).get(MANAGED_BY_LABEL) == CONTROLLER


def _empty(service: Service) -> Endpoints:
    meta = ObjectMeta(name=service.metadata.name, namespace=service.metadata.namespace)
    return Endpoints(api_version="v1", kind="Endpoints", metadata=meta)


def _labels(service: Service) -> dict[str, str]:
    labels = {**(service.metadata.labels or {}), MANAGED_BY_LABEL: CONTROLLER}
    labels.pop(backends.HEADLESS_LABEL, None)
    if not backends.has_cluster_ip(service):
        labels[backends.HEADLESS_LABEL] = ""
    return labels


def _annotations(before: Endpoints, *, truncated: bool) -> dict[str, str] | None:
    annotations = dict(before.metadata.annotations or {})
    annotations.pop(OVER_CAPACITY_ANNOTATION, None)
    if truncated:
        annotations[OVER_CAPACITY_ANNOTATION] = "truncated"
    return annotations or None


def _subsets(service: Service, pod: Pod) -> list[EndpointSubset]:
    """The subsets of one pod: one for each port. For a headless Service without ports, only the address."""
    found = backends.addresses(pod, backends.families(service)[0])
    if not found:
        return []
    address = EndpointAddress(
        ip=found[0],
        hostname=backends.hostname(pod, service) or "",
        node_name=pod.spec.node_name or None,
        target_ref=ObjectReference(
            kind="Pod", namespace=pod.metadata.namespace or "", name=pod.metadata.name, uid=pod.metadata.uid or ""
        ),
    )
    if not service.spec.ports:
        return [_subset(service, pod, address, None)]
    numbers = ((port, backends.target_port(pod, port)) for port in service.spec.ports)
    return [
        _subset(service, pod, address, [EndpointPort(port.name, number, port.protocol or "TCP", port.app_protocol)])
        for port, number in numbers
        if number is not None
    ]


def _subset(service: Service, pod: Pod, address: EndpointAddress, ports: list[EndpointPort] | None) -> EndpointSubset:
    if service.spec.publish_not_ready_addresses or backends.is_ready(pod):
        return EndpointSubset(addresses=[address], ports=ports)
    return EndpointSubset(not_ready_addresses=[address], ports=ports)


def _ready(endpoints: Endpoints) -> dict[str, bool]:
    """Whether each pod that is shown is ready, by name."""
    shown = {}
    for subset in endpoints.subsets or []:
        for listed, ready in ((subset.addresses, True), (subset.not_ready_addresses, False)):
            shown.update({each.target_ref.name: ready for each in listed or [] if each.target_ref})
    return shown


def _size(subset: EndpointSubset) -> int:
    return len(subset.addresses or []) + len(subset.not_ready_addresses or [])


def _truncate(subsets: list[EndpointSubset]) -> list[EndpointSubset]:
    """Cut to the capacity. Ready addresses come first, and each subset keeps its share."""
    ready = [len(subset.addresses or []) for subset in subsets]
    not_ready = [len(subset.not_ready_addresses or []) for subset in subsets]
    keep_ready = _shares(ready, CAPACITY)
    keep_not_ready = _shares(not_ready, CAPACITY - sum(keep_ready))
    cut = [
        structs.replace(
            subset,
            addresses=(subset.addresses or [])[:first] or None,
            not_ready_addresses=(subset.not_ready_addresses or [])[:second] or None,
        )
        for subset, first, second in zip(subsets, keep_ready, keep_not_ready, strict=True)
    ]
    return [subset for subset in cut if _size(subset)]


def _shares(sizes: list[int], room: int) -> list[int]:
    """Divide the capacity in proportion to the sizes, rounding up while there is some left."""
    total = sum(sizes)
    if total <= room:
        return sizes
    shares, left = [], room
    for size in sizes:
        share = min(math.ceil(size * room / total), left)
        shares.append(share)
        left -= share
    return shares
