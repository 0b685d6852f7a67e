"""The pods that a Service selects, and the addresses and ports at which they take traffic."""

import ipaddress
from collections.abc import Iterable, Mapping

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.container import Container, ContainerPort
from app.domain.kinds.node import ZONE_LABEL, Node
from app.domain.kinds.pod import READY, Pod, PodCondition, PodSpec, PodStatus
from app.domain.kinds.service import Service, ServicePort
from app.domain.rules.pod import ENDED

HEADLESS_LABEL = "service.kubernetes.io/headless"
"""Marks endpoints of a Service without a ClusterIP; kube-proxy leaves them alone."""


def has_selected_backends(service: Service) -> bool:
    """Whether our controllers write the endpoints: the Service has a selector and is no ExternalName."""
    return bool(service.spec.selector) and service.spec.type != "ExternalName"


def selects(service: Service, labels: Mapping[str, str] | None) -> bool:
    """Whether the Service's selector matches the labels. A Service without a selector selects nothing."""
    return matches(service.spec.selector or {}, labels)


def matches(selector: Mapping[str, str], labels: Mapping[str, str] | None) -> bool:
    """Whether a selector matches the labels. An empty selector matches nothing."""
    return bool(selector) and selector.items() <= (labels or {}).items()


def trimmed_pod(pod: Pod) -> Pod:
    """Only the parts of a pod that endpoints show. Pods that are equal when trimmed have the same endpoints."""
    meta, spec, status = pod.metadata, pod.spec, pod.status
    return Pod(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            uid=meta.uid,
            labels=meta.labels,
            deletion_timestamp=meta.deletion_timestamp,
        ),
        spec=PodSpec(
            init_containers=_trimmed_containers(spec.init_containers),
            containers=_trimmed_containers(spec.containers),
            node_name=spec.node_name,
            hostname=spec.hostname,
            subdomain=spec.subdomain,
        ),
        status=PodStatus(
            phase=status.phase if status.phase in ENDED else "",
            conditions=[
                PodCondition(READY, status=each.status, last_transition_time=each.last_transition_time)
                for each in status.conditions or []
                if each.type == READY
            ]
            or None,
            pod_ip=status.pod_ip,
            pod_ips=status.pod_ips,
        ),
    )


def trimmed_node(node: Node) -> Node:
    """Only the part of a node that endpoints show: its zone."""
    zone = (node.metadata.labels or {}).get(ZONE_LABEL)
    return Node(metadata=ObjectMeta(name=node.metadata.name, labels={ZONE_LABEL: zone} if zone else None))


def _trimmed_containers(containers: list[Container] | None) -> list[Container] | None:
    """Only the named ports, since a Service finds the others by number."""
    trimmed = []
    for each in containers or []:
        ports = [
            ContainerPort(name=port.name, container_port=port.container_port, protocol=port.protocol)
            for port in each.ports or []
            if port.name
        ]
        if ports:
            trimmed.append(Container(ports=ports, restart_policy=each.restart_policy))
    return trimmed or None


def has_cluster_ip(service: Service) -> bool:
    """Whether the Service has, or will have, a ClusterIP. A headless Service has none."""
    return service.spec.cluster_ip not in ("", "None")


def is_ready(pod: Pod) -> bool:
    """Whether the pod's condition Ready is True."""
    return any(each.type == READY and each.status == "True" for each in pod.status.conditions or [])


def turned_at(pod: Pod) -> str | None:
    """When the pod became ready or not ready, RFC 3339; None if its condition has no time."""
    return next((each.last_transition_time for each in pod.status.conditions or [] if each.type == READY), None)


def change_time(
    service: Service, pods: Iterable[Pod], before: Mapping[str, bool], after: Mapping[str, bool], *, first: bool
) -> str | None:
    """The time of the earliest change that endpoints are written for, RFC 3339.

    For changes before the creation of the Service, and for the first endpoints of a Service without pods, it is the
    time of the creation. It is None if no pod became ready or not ready: other changes, such as those of labels, have
    no time.

    Args:
        service: The Service of the endpoints.
        pods: The pods that the Service selects.
        before: Whether each pod is shown as ready, by name. Pods that are not shown are left out.
        after: The same after the write.
        first: Whether these are the first endpoints of the Service.
    """
    changed = (pod for pod in pods if before.get(pod.metadata.name) != after.get(pod.metadata.name))
    turns = [time for pod in changed if (time := turned_at(pod))]
    created = service.metadata.creation_timestamp
    if turns:
        return max(min(turns), created or "")
    return created if first else None


def is_terminating(pod: Pod) -> bool:
    """Whether the pod's deletion was asked for."""
    return pod.metadata.deletion_timestamp is not None


def can_be_endpoint(pod: Pod, *, terminating: bool) -> bool:
    """Whether the pod has an address and has not ended. A terminating pod counts only if the caller asks for it."""
    if pod.status.phase in ENDED or not (pod.status.pod_ip or pod.status.pod_ips):
        return False
    return terminating or not is_terminating(pod)


def addresses(pod: Pod, family: str) -> list[str]:
    """The pod's addresses of a family (`IPv4` or `IPv6`), canonical."""
    given = [each.ip for each in pod.status.pod_ips or []] or [pod.status.pod_ip]
    found = [ipaddress.ip_address(text) for text in given if text]
    return [address.compressed for address in found if f"IPv{address.version}" == family]


def target_port(pod: Pod, port: ServicePort) -> int | None:
    """The number of the pod's port for a port of the Service; None if the pod has no port of that name.

    A name is looked up in the pod's containers, then in its sidecars (init containers that always restart, KEP-753).
    """
    target = port.target_port or port.port
    if isinstance(target, int):
        return target
    sidecars = [each for each in pod.spec.init_containers or [] if each.restart_policy == "Always"]
    for container in [*(pod.spec.containers or []), *sidecars]:
        for offered in container.ports or []:
            if offered.name == target and (offered.protocol or "TCP") == (port.protocol or "TCP"):
                return offered.container_port
    return None


def hostname(pod: Pod, service: Service) -> str | None:
    """The hostname of the pod below the name of the Service, if its subdomain is the Service."""
    belongs = pod.spec.subdomain == service.metadata.name and pod.metadata.namespace == service.metadata.namespace
    return pod.spec.hostname if pod.spec.hostname and belongs else None


def families(service: Service) -> tuple[str, ...]:
    """The address families in which the Service has endpoints, primary first."""
    if service.spec.ip_families:
        return tuple(service.spec.ip_families)
    if has_cluster_ip(service):
        return ("IPv6" if ":" in service.spec.cluster_ip else "IPv4",)
    return ("IPv4", "IPv6")
