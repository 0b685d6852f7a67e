"""Pod (core/v1), as a registration: clients register what runs elsewhere, and nothing is started here.

The fields that Fairlead and the clients of Services read are modelled. The others are kept as the client sent them.
"""

from typing import Annotated

from msgspec import Meta, field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import (
    ATOMIC,
    ATOMIC_MAP,
    CONDITION_STATUS,
    Int32,
    Int64,
    Time,
    Wire,
    null,
    one_of,
    patch_key,
)
from app.domain.kinds.container import RESTART_POLICY, Container, ContainerStatus
from app.domain.kinds.opaque import Opaque, Quantities

READY = "Ready"
"""Condition that says whether a pod takes traffic."""

HOST_IPS = Meta(
    extra_json_schema={
        "x-kubernetes-list-type": "atomic",
        "x-kubernetes-patch-merge-key": "ip",
        "x-kubernetes-patch-strategy": "merge",
    }
)
"""Server-side apply replaces the list, a strategic merge patch merges it."""


class PodReadinessGate(Wire):
    """A condition that must be True before the pod is ready.

    Attributes:
        condition_type: The type of the condition.
    """

    required = ("condition_type",)

    condition_type: str = field(default_factory=str)


class PodSpec(Wire):
    """The programs of a pod, and where they run.

    Attributes:
        volumes: Volumes that containers can mount.
        init_containers: Containers that run before the others, one after the other. Sidecars among them keep running.
        containers: The containers of the pod, at least one.
        ephemeral_containers: Containers that were added later, to examine the pod.
        restart_policy: Always, OnFailure or Never.
        termination_grace_period_seconds: Seconds that the pod gets to terminate.
        active_deadline_seconds: Seconds that the pod may run.
        dns_policy: Which DNS servers and search domains the pod uses.
        node_selector: Labels that the node of the pod must have.
        service_account_name: The ServiceAccount that the pod uses for the API.
        service_account: The older name of `serviceAccountName`.
        automount_service_account_token: Whether the pod gets a token of its ServiceAccount.
        node_name: The node that the pod is on. A registration names the node at once; nothing is scheduled here.
        host_network: Whether the pod uses the network of its node.
        host_pid: Whether the pod sees the processes of its node.
        host_ipc: Whether the pod uses the shared memory of its node.
        share_process_namespace: Whether the containers see the processes of each other.
        security_context: Privileges of the containers.
        image_pull_secrets: Secrets for pulling images.
        hostname: The hostname of the pod. With `subdomain`, the pod has a DNS name below that of the headless Service.
        subdomain: The name of the headless Service below which the pod has a DNS name.
        affinity: Nodes and pods that the pod should run near to or away from.
        scheduler_name: The scheduler of the pod.
        tolerations: Taints that do not keep the pod off a node.
        host_aliases: Additional lines for /etc/hosts.
        priority_class_name: The name of the priority class.
        priority: The priority of the pod; more is higher.
        dns_config: DNS servers, search domains and options.
        readiness_gates: Conditions that must be True before the pod is ready.
        runtime_class_name: The RuntimeClass that runs the containers.
        enable_service_links: Whether the environment of containers has variables for Services.
        preemption_policy: Whether pods of lower priority may be ended for this pod.
        overhead: Resources that the pod needs in addition to those of its containers.
        topology_spread_constraints: How pods like this one are spread over zones and nodes.
        set_hostname_as_fqdn: Whether the hostname is the full DNS name.
        os: The operating system that the pod needs.
        host_users: Whether the pod uses the user IDs of its node.
        scheduling_gates: Gates that must be removed before the pod is scheduled.
        resource_claims: Claims for devices that the pod needs.
        resources: Resources that the containers share.
        hostname_override: The hostname of the pod, whatever its DNS name is.
        scheduling_group: The group that the pod is scheduled with.
    """

    required = ("containers",)

    volumes: Annotated[list[Opaque], patch_key("name")] | None = None
    init_containers: Annotated[list[Container], patch_key("name")] | None = None
    containers: Annotated[list[Container], patch_key("name")] | None = field(default_factory=null)
    ephemeral_containers: Annotated[list[Opaque], patch_key("name")] | None = None
    restart_policy: Annotated[str, RESTART_POLICY] = ""
    termination_grace_period_seconds: Int64 | None = None
    active_deadline_seconds: Int64 | None = None
    dns_policy: Annotated[str, one_of("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")] = ""
    node_selector: Annotated[dict[str, str], ATOMIC_MAP] | None = None
    service_account_name: str = ""
    service_account: str = ""
    automount_service_account_token: bool | None = None
    node_name: str = ""
    host_network: bool = False
    host_pid: bool = field(default=False, name="hostPID")
    host_ipc: bool = field(default=False, name="hostIPC")
    share_process_namespace: bool | None = None
    security_context: Opaque | None = None
    image_pull_secrets: Annotated[list[Opaque], patch_key("name")] | None = None
    hostname: str = ""
    subdomain: str = ""
    affinity: Opaque | None = None
    scheduler_name: str = ""
    tolerations: Annotated[list[Opaque], ATOMIC] | None = None
    host_aliases: Annotated[list[Opaque], patch_key("ip")] | None = None
    priority_class_name: str = ""
    priority: Int32 | None = None
    dns_config: Opaque | None = None
    readiness_gates: Annotated[list[PodReadinessGate], ATOMIC] | None = None
    runtime_class_name: str | None = None
    enable_service_links: bool | None = None
    preemption_policy: str | None = None
    overhead: Quantities | None = None
    topology_spread_constraints: Annotated[list[Opaque], patch_key("topologyKey", "whenUnsatisfiable")] | None = None
    set_hostname_as_fqdn: bool | None = field(default=None, name="setHostnameAsFQDN")
    os: Opaque | None = None
    host_users: bool | None = None
    scheduling_gates: Annotated[list[Opaque], patch_key("name")] | None = None
    resource_claims: Annotated[list[Opaque], patch_key("name")] | None = None
    resources: Opaque | None = None
    hostname_override: str | None = None
    scheduling_group: Opaque | None = None


class PodCondition(Wire):
    """One aspect of a pod's state.

    Attributes:
        type: The name of the condition. Ready says whether the pod takes traffic.
        observed_generation: The generation of the pod that the condition was written for.
        status: True, False or Unknown.
        last_probe_time: When the condition was last checked.
        last_transition_time: When `status` last changed.
        reason: Why the status is what it is, as one word in CamelCase.
        message: The same in a sentence, for people.
    """

    required = ("type", "status")

    type: str = field(default_factory=str)
    observed_generation: Int64 = 0
    status: Annotated[str, CONDITION_STATUS] = field(default_factory=str)
    last_probe_time: Time | None = field(default_factory=null)
    last_transition_time: Time | None = field(default_factory=null)
    reason: str = ""
    message: str = ""


class PodIP(Wire):
    """An address of a pod.

    Attributes:
        ip: An IPv4 or IPv6 address.
    """

    required = ("ip",)

    ip: str = field(default_factory=str)


class HostIP(Wire):
    """An address of the node that a pod is on.

    Attributes:
        ip: An IPv4 or IPv6 address.
    """

    required = ("ip",)

    ip: str = field(default_factory=str)


class PodStatus(Wire):
    """The observed state of a pod.

    Attributes:
        observed_generation: The generation of the pod that the status was written for.
        phase: Pending, Running, Succeeded, Failed or Unknown. A pod that Succeeded or Failed is no endpoint of a
            Service.
        conditions: Conditions of the pod. Ready decides whether Services send traffic to the pod.
        message: Why the pod is in its phase, in a sentence for people.
        reason: The same as one word in CamelCase.
        nominated_node_name: The node on which other pods are ended to make room for this one.
        host_ip: The address of the pod's node, the first of `hostIPs`.
        host_ips: The addresses of the pod's node.
        pod_ip: The address of the pod, the first of `podIPs`. Without an address the pod is no endpoint of a Service.
        pod_ips: The addresses of the pod, at most one of each IP family.
        start_time: When the node accepted the pod.
        init_container_statuses: The observed states of the init containers.
        container_statuses: The observed states of the containers.
        qos_class: Guaranteed, Burstable or BestEffort.
        ephemeral_container_statuses: The observed states of the ephemeral containers.
        resize: Not used any more.
        resource_claim_statuses: The states of the claims for devices.
        extended_resource_claim_status: The state of the claim for extended resources.
        node_allocatable_resource_claim_statuses: Resources of the node that the claims use.
        allocated_resources: Resources that the node keeps for the pod.
        resources: Resources that the containers share.
    """

    observed_generation: Int64 = 0
    phase: Annotated[str, one_of("Pending", "Running", "Succeeded", "Failed", "Unknown")] = ""
    conditions: Annotated[list[PodCondition], patch_key("type")] | None = None
    message: str = ""
    reason: str = ""
    nominated_node_name: str = ""
    host_ip: str = ""
    host_ips: Annotated[list[HostIP], HOST_IPS] | None = None
    pod_ip: str = ""
    pod_ips: Annotated[list[PodIP], patch_key("ip")] | None = None
    start_time: Time | None = None
    init_container_statuses: Annotated[list[ContainerStatus], ATOMIC] | None = None
    container_statuses: Annotated[list[ContainerStatus], ATOMIC] | None = None
    qos_class: str = ""
    ephemeral_container_statuses: Annotated[list[ContainerStatus], ATOMIC] | None = None
    resize: str = ""
    resource_claim_statuses: Annotated[list[Opaque], patch_key("name")] | None = None
    extended_resource_claim_status: Opaque | None = None
    node_allocatable_resource_claim_statuses: Annotated[list[Opaque], ATOMIC] | None = None
    allocated_resources: Quantities | None = None
    resources: Opaque | None = None


class Pod(KubeObject):
    """A group of containers that run on one node and may take traffic.

    Attributes:
        spec: The programs of the pod, and where they run.
        status: The observed state of the pod.
    """

    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)
