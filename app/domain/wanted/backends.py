"""Which pods are behind a Service, and where each takes its traffic."""

import ipaddress
from collections.abc import Mapping

from app.domain.kinds.pod import READY, Pod
from app.domain.kinds.service import Service, ServicePort

HEADLESS_LABEL = "service.kubernetes.io/headless"
"""Marks endpoints of a Service without a ClusterIP; kube-proxy leaves them alone."""

_TERMINAL = ("Failed", "Succeeded")


def has_selected_backends(service: Service) -> bool:
    """Whether we write the Service's endpoints; else somebody else does, or it is only a name for another host."""
    return bool(service.spec.selector) and service.spec.type != "ExternalName"


def selects(service: Service, labels: Mapping[str, str] | None) -> bool:
    """Whether the Service's selector matches the labels; one without a selector selects nothing."""
    selector = service.spec.selector or {}
    return bool(selector) and selector.items() <= (labels or {}).items()


def has_cluster_ip(service: Service) -> bool:
    """Whether the Service has, or will have, a ClusterIP of its own; a headless one has not."""
    return service.spec.cluster_ip not in ("", "None")


def is_ready(pod: Pod) -> bool:
    """Whether the pod's condition Ready is True."""
    return any(each.type == READY and each.status == "True" for each in pod.status.conditions or [])


def is_terminating(pod: Pod) -> bool:
    """Whether the pod's deletion was asked for."""
    return pod.metadata.deletion_timestamp is not None


def can_be_endpoint(pod: Pod, *, terminating: bool) -> bool:
    """Whether the pod has an address and is not over; a terminating one counts only where asked for."""
    if pod.status.phase in _TERMINAL or not (pod.status.pod_ip or pod.status.pod_ips):
        return False
    return terminating or not is_terminating(pod)


def addresses(pod: Pod, family: str) -> list[str]:
    """The pod's addresses of a family (`IPv4` or `IPv6`), canonical."""
    given = [each.ip for each in pod.status.pod_ips or []] or [pod.status.pod_ip]
    found = [ipaddress.ip_address(text) for text in given if text]
    return [address.compressed for address in found if f"IPv{address.version}" == family]


def target_port(pod: Pod, port: ServicePort) -> int | None:
    """The number at which the pod takes what arrives at the Service's port; None when it names no such port.

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
    """The name the pod goes by below the Service's name: only when its subdomain is the Service."""
    belongs = pod.spec.subdomain == service.metadata.name and pod.metadata.namespace == service.metadata.namespace
    return pod.spec.hostname if pod.spec.hostname and belongs else None


def families(service: Service) -> tuple[str, ...]:
    """The address families in which the Service has endpoints, primary first."""
    if service.spec.ip_families:
        return tuple(service.spec.ip_families)
    if has_cluster_ip(service):
        return ("IPv6" if ":" in service.spec.cluster_ip else "IPv4",)
    return ("IPv4", "IPv6")
