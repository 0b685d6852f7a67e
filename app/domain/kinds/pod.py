"""Pod (core/v1), as a registration: something that runs somewhere and takes traffic; nothing is started here.

What Fairlead and the clients of a Service read is modelled; the rest of a real pod is kept as it was given.
"""

from typing import Annotated

from msgspec import Meta, field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, ATOMIC_MAP, Int32, Int64, Time, Wire, null, patch_key
from app.domain.kinds.container import Container, ContainerStatus
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
"""Replaced whole by server-side apply, merged by strategic merge patch."""


class PodReadinessGate(Wire):
    """A condition that must be True, too, before the pod is ready.

    Attributes:
        condition_type: Of the condition.
    """

    required = ("condition_type",)

    condition_type: str = field(default_factory=str)


class PodSpec(Wire):
    """What runs, and where.

    Attributes:
        volumes: What containers may mount.
        init_containers: What runs before the containers, one after the other; sidecars stay.
        containers: What runs; at least one.
        ephemeral_containers: What was added to look into it.
        restart_policy: Always, OnFailure or Never.
        termination_grace_period_seconds: How long it may take to end in order.
        active_deadline_seconds: How long it may run at all.
        dns_policy: Where its names are looked up first.
        node_selector: Labels of the nodes it may run on.
        service_account_name: As whom it speaks to the API.
        service_account: The older name of `serviceAccountName`.
        automount_service_account_token: Whether it gets its account's token.
        node_name: The node it is on. A registration names one at once; nothing is scheduled here.
        host_network: Whether it uses its node's addresses as its own.
        host_pid: Whether it sees its node's processes.
        host_ipc: Whether it uses its node's shared memory.
        share_process_namespace: Whether its containers see each other's processes.
        security_context: What its containers may do.
        image_pull_secrets: What opens the registries of its images.
        hostname: Its own name. With `subdomain` it has a DNS name below that headless Service's.
        subdomain: Name of the headless Service below which it has a DNS name.
        affinity: Near what it would run.
        scheduler_name: Who would schedule it.
        tolerations: Which taints do not keep it off a node.
        host_aliases: More lines of its /etc/hosts.
        priority_class_name: How important it is, by name.
        priority: How important it is, as a number.
        dns_config: How its names are looked up.
        readiness_gates: Conditions that must be True, too, before it is ready.
        runtime_class_name: What runs its containers.
        enable_service_links: Whether Services appear in its environment.
        preemption_policy: Whether less important ones may be ended for it.
        overhead: What it needs beside its containers.
        topology_spread_constraints: How it and its like are spread.
        set_hostname_as_fqdn: Whether its hostname is its full DNS name.
        os: The operating system it needs.
        host_users: Whether it uses its node's users.
        scheduling_gates: What must be lifted before it is scheduled.
        resource_claims: Devices it needs.
        resources: What its containers need together.
        hostname_override: Its own name, whatever its DNS name is.
        scheduling_group: With what it is scheduled together.
    """

    required = ("containers",)

    volumes: Annotated[list[Opaque], patch_key("name")] | None = None
    init_containers: Annotated[list[Container], patch_key("name")] | None = None
    containers: Annotated[list[Container], patch_key("name")] | None = field(default_factory=null)
    ephemeral_containers: Annotated[list[Opaque], patch_key("name")] | None = None
    restart_policy: str = ""
    termination_grace_period_seconds: Int64 | None = None
    active_deadline_seconds: Int64 | None = None
    dns_policy: str = ""
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
        type: Which one; Ready says whether it takes traffic.
        observed_generation: Of the pod when it was written.
        status: True, False or Unknown.
        last_probe_time: When it was last looked at.
        last_transition_time: When `status` last changed.
        reason: Why, as one word in CamelCase.
        message: Why, for people.
    """

    required = ("type", "status")

    type: str = field(default_factory=str)
    observed_generation: Int64 = 0
    status: str = field(default_factory=str)
    last_probe_time: Time | None = field(default_factory=null)
    last_transition_time: Time | None = field(default_factory=null)
    reason: str = ""
    message: str = ""


class PodIP(Wire):
    """An address of a pod.

    Attributes:
        ip: IPv4 or IPv6.
    """

    required = ("ip",)

    ip: str = field(default_factory=str)


class HostIP(Wire):
    """An address of the node a pod is on.

    Attributes:
        ip: IPv4 or IPv6.
    """

    required = ("ip",)

    ip: str = field(default_factory=str)


class PodStatus(Wire):
    """What was observed of a pod.

    Attributes:
        observed_generation: Of the pod when this was written.
        phase: Pending, Running, Succeeded, Failed or Unknown. One that has ended is behind no Service.
        conditions: In what state it is; Ready decides whether Services lead to it.
        message: Why it is in its phase, for people.
        reason: The same as one word in CamelCase.
        nominated_node_name: The node that is being cleared for it.
        host_ip: Address of its node, the first of `hostIPs`.
        host_ips: Addresses of its node.
        pod_ip: Its address, the first of `podIPs`. Without one it is behind no Service.
        pod_ips: Its addresses, at most one of each IP family.
        start_time: When its node took it up.
        init_container_statuses: What was observed of the init containers.
        container_statuses: What was observed of the containers.
        qos_class: Guaranteed, Burstable or BestEffort.
        ephemeral_container_statuses: What was observed of the containers added later.
        resize: Not used any more.
        resource_claim_statuses: What became of its claims for devices.
        extended_resource_claim_status: What became of its claim for extended resources.
        node_allocatable_resource_claim_statuses: What of its node's resources its claims use.
        allocated_resources: What its node keeps for it.
        resources: What its containers have together.
    """

    observed_generation: Int64 = 0
    phase: str = ""
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
    """Something that runs and may take traffic.

    Attributes:
        spec: What runs, and where.
        status: What was observed of it.
    """

    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)
