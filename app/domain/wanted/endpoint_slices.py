"""The EndpointSlices of a Service with a selector: its pods, grouped, with conditions, zones and hints."""

from collections.abc import Iterable, Mapping

from app.domain.documents.objects import OwnerReference
from app.domain.kinds.endpoint_slice import (
    SERVICE_NAME_LABEL,
    Endpoint,
    EndpointConditions,
    EndpointHints,
    EndpointPort,
    EndpointSlice,
    ForNode,
    ForZone,
)
from app.domain.kinds.meta import ObjectReference
from app.domain.kinds.node import ZONE_LABEL, Node
from app.domain.kinds.pod import Pod
from app.domain.kinds.service import Service
from app.domain.wanted import backends
from app.domain.wanted.slice_packing import MANAGED_BY_LABEL, Frame, Group, PortsKey, SlicePlan, plan_slices, ports_key

CONTROLLER = "endpointslice-controller.k8s.io"
"""The value of the managed-by label of slices made from pods."""

LIMIT = 100
"""The maximum of endpoints in a slice."""

_CLOSE = ("PreferClose", "PreferSameZone", "PreferSameNode")
_OWN_LABELS = (SERVICE_NAME_LABEL, MANAGED_BY_LABEL, backends.HEADLESS_LABEL)


def plan_endpoint_slices(
    service: Service,
    pods: Iterable[Pod],
    nodes: Mapping[str, Node],
    existing: Iterable[EndpointSlice],
) -> SlicePlan:
    """Plan the writes to the slices of one Service (KEP-752).

    Args:
        service: The Service. Without a selector, or of type ExternalName, its slices are not changed.
        pods: Pods of its namespace, selected or not.
        nodes: All nodes by name.
        existing: The Service's slices that carry our managed-by label.
    """
    if not backends.has_selected_backends(service):
        return SlicePlan()
    existing, pods = list(existing), [pod for pod in pods if backends.selects(service, pod.metadata.labels)]
    families = backends.families(service)
    groups: dict[tuple[str, PortsKey], Group] = {}
    for pod in sorted(pods, key=lambda pod: pod.metadata.name):
        if _is_endpoint(service, pod, nodes):
            ports = _ports(service, pod)
            for family in families:
                endpoint = _endpoint(service, pod, nodes.get(pod.spec.node_name), family)
                if endpoint.addresses:
                    group = groups.setdefault((family, ports_key(ports)), Group(family, ports, []))
                    group.endpoints.append(endpoint)
    before = _serving(endpoint for each in existing for endpoint in each.endpoints or [])
    after = _serving(endpoint for group in groups.values() for endpoint in group.endpoints)
    frame = _frame(service, backends.change_time(service, pods, before, after, first=not existing))
    plan = plan_slices(frame, list(groups.values()), existing, always=families)
    if service.metadata.deletion_timestamp:
        plan.create.clear()
    return plan


def _frame(service: Service, trigger_time: str | None) -> Frame:
    meta = service.metadata
    labels = {key: value for key, value in (meta.labels or {}).items() if key not in _OWN_LABELS}
    labels |= {SERVICE_NAME_LABEL: meta.name, MANAGED_BY_LABEL: CONTROLLER}
    if not backends.has_cluster_ip(service):
        labels[backends.HEADLESS_LABEL] = ""
    owner = OwnerReference("v1", "Service", meta.name, meta.uid or "", controller=True, block_owner_deletion=True)
    return Frame(meta.namespace or "", owner, labels, LIMIT, trigger_time=trigger_time)


def _serving(endpoints: Iterable[Endpoint]) -> dict[str, bool]:
    """Whether each pod that has an endpoint is ready, by name."""
    return {each.target_ref.name: bool(each.conditions.serving) for each in endpoints if each.target_ref}


def _is_endpoint(service: Service, pod: Pod, nodes: Mapping[str, Node]) -> bool:
    """Whether a selected pod gets an endpoint: it has an address, has not ended, and its node is known."""
    known = not pod.spec.node_name or pod.spec.node_name in nodes or service.spec.publish_not_ready_addresses
    return known and backends.can_be_endpoint(pod, terminating=True)


def _ports(service: Service, pod: Pod) -> list[EndpointPort]:
    """The ports of the Service that this pod offers."""
    found = ((port, backends.target_port(pod, port)) for port in service.spec.ports or [])
    return [
        EndpointPort(port.name, port.protocol or "TCP", number, port.app_protocol)
        for port, number in found
        if number is not None
    ]


def _endpoint(service: Service, pod: Pod, node: Node | None, family: str) -> Endpoint:
    """One pod as an endpoint (KEP-1672 for the conditions)."""
    serving, terminating = backends.is_ready(pod), backends.is_terminating(pod)
    ready = service.spec.publish_not_ready_addresses or (serving and not terminating)
    zone = _zone(pod, node)
    return Endpoint(
        addresses=backends.addresses(pod, family),
        conditions=EndpointConditions(ready, serving, terminating),
        hostname=backends.hostname(pod, service),
        target_ref=ObjectReference(
            kind="Pod", namespace=pod.metadata.namespace or "", name=pod.metadata.name, uid=pod.metadata.uid or ""
        ),
        node_name=pod.spec.node_name or None,
        zone=zone,
        hints=_hints(service, zone, pod.spec.node_name) if ready else None,
    )


def _zone(pod: Pod, node: Node | None) -> str | None:
    """The zone of the pod's node. For a pod without a node, the zone in its own labels."""
    labelled = pod.metadata.labels if not pod.spec.node_name else node.metadata.labels if node else None
    return (labelled or {}).get(ZONE_LABEL) or None


def _hints(service: Service, zone: str | None, node_name: str) -> EndpointHints | None:
    """The clients that should prefer a ready endpoint (`spec.trafficDistribution`, KEP-4444 and KEP-3015)."""
    wish = service.spec.traffic_distribution
    if wish not in _CLOSE:
        return None
    for_zones = [ForZone(zone)] if zone else None
    for_nodes = [ForNode(node_name)] if node_name and wish == "PreferSameNode" else None
    return EndpointHints(for_zones, for_nodes) if for_zones or for_nodes else None
