"""The EndpointSlices that mirror a client's Endpoints of a Service without a selector (KEP-0752, mirroring)."""

import ipaddress
from collections.abc import Iterable, Iterator

from app.domain.documents.objects import OwnerReference
from app.domain.kinds.endpoint_slice import (
    SERVICE_NAME_LABEL,
    Endpoint,
    EndpointConditions,
    EndpointPort,
    EndpointSlice,
)
from app.domain.kinds.endpoints import EndpointAddress, Endpoints, EndpointSubset
from app.domain.kinds.service import Service
from app.domain.rules.endpoint_subsets import repack
from app.domain.wanted.slice_packing import (
    MANAGED_BY_LABEL,
    TRIGGER_TIME_ANNOTATION,
    Frame,
    Group,
    SlicePlan,
    plan_slices,
)

CONTROLLER = "endpointslicemirroring-controller.k8s.io"
"""The value of the managed-by label of mirrored slices."""

SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror"
"""Endpoints with this label set to `true` are not mirrored."""

LIMIT = 1000
"""The maximum of endpoints of a subset that are mirrored, and so of a slice."""

_LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader"
_UNMIRRORED_ANNOTATIONS = (TRIGGER_TIME_ANNOTATION, "kubectl.kubernetes.io/last-applied-configuration")


def is_mirrored(endpoints: Endpoints, service: Service | None) -> bool:
    """Whether to mirror: a client wrote the Endpoints, and the Service has no selector."""
    meta = endpoints.metadata
    if (meta.labels or {}).get(SKIP_LABEL) == "true" or _LEADER_ANNOTATION in (meta.annotations or {}):
        return False
    return service is not None and not service.spec.selector and meta.deletion_timestamp is None


def plan_mirrored_slices(endpoints: Endpoints, service: Service | None, existing: Iterable[EndpointSlice]) -> SlicePlan:
    """Plan the writes to the slices that mirror an Endpoints object. If it is not to be mirrored, they are deleted.

    Args:
        endpoints: The Endpoints object.
        service: The Service of the same name, or None.
        existing: The slices of that name that carry the mirroring controller's managed-by label.
    """
    groups: list[Group] = []
    if is_mirrored(endpoints, service):
        groups = [group for subset in repack(endpoints.subsets or []) for group in _groups(subset)]
    return plan_slices(_frame(endpoints), groups, existing)


def _frame(endpoints: Endpoints) -> Frame:
    meta = endpoints.metadata
    labels = {**(meta.labels or {}), SERVICE_NAME_LABEL: meta.name, MANAGED_BY_LABEL: CONTROLLER}
    annotations = {key: value for key, value in (meta.annotations or {}).items() if key not in _UNMIRRORED_ANNOTATIONS}
    owner = OwnerReference("v1", "Endpoints", meta.name, meta.uid or "", controller=True, block_owner_deletion=True)
    return Frame(meta.namespace or "", owner, labels, LIMIT, annotations)


def _groups(subset: EndpointSubset) -> Iterator[Group]:
    """One group for each address family of a subset. Ready addresses come first if there are too many."""
    listed = [(each, True) for each in subset.addresses or []] + [
        (each, False) for each in subset.not_ready_addresses or []
    ]
    ports = [
        EndpointPort(port.name, port.protocol or "TCP", port.port, port.app_protocol) for port in subset.ports or []
    ]
    shown = [(_family(address), _endpoint(address, ready=ready)) for address, ready in listed[:LIMIT]]
    for family in ("IPv4", "IPv6"):
        of_family = [endpoint for each, endpoint in shown if each == family]
        if of_family:
            yield Group(family, ports, of_family)


def _family(address: EndpointAddress) -> str:
    return f"IPv{ipaddress.ip_address(address.ip).version}"


def _endpoint(address: EndpointAddress, *, ready: bool) -> Endpoint:
    return Endpoint(
        addresses=[address.ip],
        conditions=EndpointConditions(ready=ready),
        hostname=address.hostname or None,
        target_ref=address.target_ref,
        node_name=address.node_name,
    )
