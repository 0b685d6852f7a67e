"""The rules of a Pod, as a registration (ValidatePodCreate, -Update and -StatusUpdate of the API server).

An image is not required, since nothing is started here. Fields that only kubelets and schedulers read are not checked.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address

from msgspec import structs

from app.domain.errors import Cause, duplicate, forbidden, invalid, invalid_for, not_supported, required
from app.domain.kinds.container import Container, ContainerPort
from app.domain.kinds.pod import HostIP, Pod, PodCondition, PodIP, PodSpec, PodStatus
from app.domain.rules.addresses import address_causes
from app.domain.rules.cluster import Cluster
from app.domain.rules.names import (
    dns_label_problems,
    dns_subdomain_problems,
    port_name_problems,
    qualified_name_problems,
)
from app.domain.rules.port_fields import port_number_causes, protocol_causes
from app.domain.rules.quota_resources import PODS
from app.domain.rules.registration import RENEW_TIME_ANNOTATION, lease_causes
from app.domain.rules.strategy import Strategy

ENDED = ("Failed", "Succeeded")
"""The phases of a Pod that has ended."""

RESTART_POLICIES = ("Always", "Never", "OnFailure")

NOTHING_RUNS = (
    "nothing is run here: a Pod registers a program that runs elsewhere, and gets traffic once its status has a podIP "
    "and the condition Ready; `fairlead register NAME --port N -- PROGRAM` runs a program, and keeps its Pod and Lease"
)

_SYSTEM_CONDITIONS = frozenset({
    "AllContainersRestarting", "ContainersReady", "DisruptionTarget", "Initialized", "PodReadyToStartContainers",
    "PodResizeInProgress", "PodResizePending", "PodScheduled", "Ready",
})  # fmt: skip


class PodStrategy(Strategy[Pod]):
    """A pod starts Pending. Nearly all of its spec cannot change. Its status is written through `/status`."""

    def default(self, new: Pod) -> None:
        """Fill in what the client left out."""
        _default(new.spec)

    def prepare_create(self, new: Pod, cluster: Cluster) -> None:
        """Set the phase Pending."""
        del cluster
        new.metadata.generation = 1
        new.status = PodStatus(phase="Pending")

    def prepare_update(self, new: Pod, old: Pod, cluster: Cluster) -> None:
        """Keep the status. Increase the generation if the spec changed."""
        del cluster
        new.status = old.status
        new.metadata.generation = (old.metadata.generation or 0) + (0 if new.spec == old.spec else 1)

    def prepare_status(self, new: Pod, old: Pod, cluster: Cluster) -> None:
        """Keep the spec and the owners. Derive the single and the plural form of addresses from each other."""
        del cluster
        new.spec = old.spec
        new.metadata.owner_references = old.metadata.owner_references
        _agree(new.status, old.status)

    def validate_create(self, new: Pod, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        return lease_causes(new.metadata) + _validate_spec(new.spec)

    def validate_update(self, new: Pod, old: Pod, cluster: Cluster) -> list[Cause]:
        """As on create, and only few fields may change."""
        causes = self.validate_create(new, cluster)
        for name, now, was in (
            ("containers", new.spec.containers, old.spec.containers),
            ("initContainers", new.spec.init_containers, old.spec.init_containers),
        ):
            if len(now or []) != len(was or []):
                return [*causes, forbidden(f"spec.{name}", "pod updates may not add or remove containers")]
        if _fixed(new.spec, old.spec) != old.spec:
            message = (
                "pod updates may not change fields other than `spec.containers[*].image`, "
                "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` and "
                "`spec.terminationGracePeriodSeconds`; to change others, register the pod anew"
            )
            causes.append(forbidden("spec", message))
        return causes

    def charges(self, obj: Pod, cluster: Cluster) -> Mapping[str, int]:
        """The Pod, unless it has ended: `pods` counts those that have not, and `count/pods` all."""
        del cluster
        return {} if obj.status.phase in ENDED else {PODS: 1}

    def warnings(self, new: Pod, old: Pod | None, cluster: Cluster) -> list[str]:
        """A new Pod has no address yet. Who renews it by its annotations knows; others may expect a program to run."""
        del cluster
        if old is not None or RENEW_TIME_ANNOTATION in (new.metadata.annotations or {}):
            return []
        return [NOTHING_RUNS]

    def validate_status(self, new: Pod, old: Pod, cluster: Cluster) -> list[Cause]:
        """Name every field of the status that is wrong."""
        del cluster
        status = new.status
        causes = [
            *lease_causes(new.metadata),
            *_validate_ips("status.podIPs", [each.ip for each in status.pod_ips or []]),
            *_validate_ips("status.hostIPs", [each.ip for each in status.host_ips or []]),
            *_validate_conditions(status.conditions or []),
        ]
        nominated = status.nominated_node_name
        if nominated and nominated != old.status.nominated_node_name:
            causes += invalid_for("status.nominatedNodeName", nominated, dns_subdomain_problems(nominated))
        return causes


def _default(spec: PodSpec) -> None:
    """Set the protocol TCP and the restart policy Always."""
    spec.restart_policy = spec.restart_policy or "Always"
    for container in _containers(spec):
        for port in container.ports or []:
            port.protocol = port.protocol or "TCP"


def _containers(spec: PodSpec) -> list[Container]:
    return [*(spec.containers or []), *(spec.init_containers or [])]


def _agree(status: PodStatus, old: PodStatus) -> None:
    """`podIP` is the first of `podIPs`, `hostIP` of `hostIPs` (KEP-563). If they differ, the changed one counts."""
    pod_ips = _agreed(status.pod_ip, [each.ip for each in status.pod_ips or []], old.pod_ip)
    host_ips = _agreed(status.host_ip, [each.ip for each in status.host_ips or []], old.host_ip)
    status.pod_ip, status.pod_ips = next(iter(pod_ips), ""), [PodIP(each) for each in pod_ips] or None
    status.host_ip, status.host_ips = next(iter(host_ips), ""), [HostIP(each) for each in host_ips] or None


def _agreed(single: str, several: Sequence[str], single_before: str) -> Sequence[str]:
    if several and (single in ("", several[0]) or single == single_before):
        return several
    return [single] if single else []


def _fixed(new: PodSpec, old: PodSpec) -> PodSpec:
    """The new spec, with the stored values of the fields that may change."""
    return structs.replace(
        new,
        containers=_with_images_of(new.containers, old.containers),
        init_containers=_with_images_of(new.init_containers, old.init_containers),
        active_deadline_seconds=old.active_deadline_seconds,
        tolerations=old.tolerations,
        termination_grace_period_seconds=old.termination_grace_period_seconds,
    )


def _with_images_of(new: list[Container] | None, old: list[Container] | None) -> list[Container] | None:
    if not new or not old:
        return new
    return [structs.replace(each, image=was.image) for each, was in zip(new, old, strict=True)]


def _validate_spec(spec: PodSpec) -> list[Cause]:
    causes = [] if spec.containers else [required("spec.containers", "a pod needs at least one container")]
    seen: set[str] = set()
    for field, containers in (("containers", spec.containers), ("initContainers", spec.init_containers)):
        for i, container in enumerate(containers or []):
            causes += _validate_container(container, f"spec.{field}[{i}]", seen)
    for field, name, problems_of in (
        ("nodeName", spec.node_name, dns_subdomain_problems),
        ("hostname", spec.hostname, dns_label_problems),
        ("subdomain", spec.subdomain, dns_label_problems),
    ):
        causes += invalid_for(f"spec.{field}", name, problems_of(name) if name else [])
    if spec.restart_policy not in RESTART_POLICIES:
        causes.append(not_supported("spec.restartPolicy", spec.restart_policy, RESTART_POLICIES))
    for i, gate in enumerate(spec.readiness_gates or []):
        problems = qualified_name_problems(gate.condition_type)
        causes += invalid_for(f"spec.readinessGates[{i}].conditionType", gate.condition_type, problems)
    return causes


def _validate_container(container: Container, path: str, seen: set[str]) -> list[Cause]:
    name = container.name
    causes: list[Cause] = []
    if not name:
        causes.append(required(f"{path}.name", "each container needs a name"))
    else:
        causes += invalid_for(f"{path}.name", name, dns_label_problems(name))
    if name in seen:
        causes.append(duplicate(f"{path}.name", name))
    seen.add(name)
    names: set[str] = set()
    for i, port in enumerate(container.ports or []):
        causes += _validate_port(port, f"{path}.ports[{i}]", names)
    return causes


def _validate_port(port: ContainerPort, path: str, names: set[str]) -> list[Cause]:
    causes: list[Cause] = []
    if port.name:
        problems = port_name_problems(port.name)
        causes += invalid_for(f"{path}.name", port.name, problems)
        if not problems and port.name in names:
            causes.append(duplicate(f"{path}.name", port.name))
        names.add(port.name)
    if not port.container_port:
        causes.append(required(f"{path}.containerPort", "give a port number from 1 to 65535"))
    else:
        causes += port_number_causes(f"{path}.containerPort", port.container_port)
    if port.host_port:
        causes += port_number_causes(f"{path}.hostPort", port.host_port)
    return causes + protocol_causes(f"{path}.protocol", port.protocol)


def _validate_ips(path: str, ips: Sequence[str]) -> list[Cause]:
    """Addresses are strict, at most one of each family."""
    causes = [cause for i, ip in enumerate(ips) for cause in address_causes(f"{path}[{i}]", ip)]
    if not causes and len({ip_address(ip).version for ip in ips}) != len(ips):
        causes.append(invalid(path, list(ips), "must have at most one address of each IP family"))
        causes += [duplicate(f"{path}[{i}]", ip) for i, ip in enumerate(ips) if ip in ips[:i]]
    return causes


def _validate_conditions(conditions: Sequence[PodCondition]) -> list[Cause]:
    """Types that Kubernetes does not define are qualified names."""
    return [
        cause
        for i, each in enumerate(conditions)
        if each.type not in _SYSTEM_CONDITIONS
        for cause in invalid_for(f"status.conditions[{i}].Type", each.type, qualified_name_problems(each.type))
    ]
