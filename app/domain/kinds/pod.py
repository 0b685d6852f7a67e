"""Pod (core/v1), as a registration: something that runs somewhere and takes traffic; nothing is started here.

What Fairlead and the clients of a Service read is modelled; the rest of a real pod is kept as it was given.
"""

from typing import Annotated

from msgspec import Meta, field

from app.domain.kinds.meta import ATOMIC, ATOMIC_MAP, Int32, Int64, KubeObject, Time, Wire, null, patch_key
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

Protocol = Annotated[str, Meta(extra_json_schema={"default": "TCP"})]


class ContainerPort(Wire):
    """A port that a container offers; Services may name it."""

    name: str = ""
    host_port: Int32 = 0
    container_port: Int32 = field(default_factory=int)
    protocol: Protocol = ""
    host_ip: str = ""


class Container(Wire):
    """One program of a pod."""

    name: str = field(default_factory=str)
    image: str = ""
    command: Annotated[list[str], ATOMIC] | None = None
    args: Annotated[list[str], ATOMIC] | None = None
    working_dir: str = ""
    ports: Annotated[list[ContainerPort], patch_key("containerPort", "protocol")] | None = None
    env_from: Annotated[list[Opaque], ATOMIC] | None = None
    env: Annotated[list[Opaque], patch_key("name")] | None = None
    resources: Opaque = field(default_factory=dict)
    resize_policy: Annotated[list[Opaque], ATOMIC] | None = None
    restart_policy: str | None = None
    restart_policy_rules: Annotated[list[Opaque], ATOMIC] | None = None
    volume_mounts: Annotated[list[Opaque], patch_key("mountPath")] | None = None
    volume_devices: Annotated[list[Opaque], patch_key("devicePath")] | None = None
    liveness_probe: Opaque | None = None
    readiness_probe: Opaque | None = None
    startup_probe: Opaque | None = None
    lifecycle: Opaque | None = None
    termination_message_path: str = ""
    termination_message_policy: str = ""
    image_pull_policy: str = ""
    security_context: Opaque | None = None
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False


class PodReadinessGate(Wire):
    """A condition that must be True, too, before the pod is ready."""

    condition_type: str = field(default_factory=str)


class PodSpec(Wire):
    """What runs, and where."""

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
    """One aspect of a pod's state."""

    type: str = field(default_factory=str)
    observed_generation: Int64 = 0
    status: str = field(default_factory=str)
    last_probe_time: Time | None = field(default_factory=null)
    last_transition_time: Time | None = field(default_factory=null)
    reason: str = ""
    message: str = ""


class PodIP(Wire):
    """An address of a pod."""

    ip: str = field(default_factory=str)


class HostIP(Wire):
    """An address of the node a pod is on."""

    ip: str = field(default_factory=str)


class ContainerStateWaiting(Wire):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class ContainerStateRunning(Wire):
    """Since when a container runs."""

    started_at: Time | None = None


class ContainerStateTerminated(Wire):
    """How a container ended."""

    exit_code: Int32 = field(default_factory=int)
    signal: Int32 = 0
    reason: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None
    container_id: str = field(default="", name="containerID")


class ContainerState(Wire):
    """One of: waiting, running, terminated."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Wire):
    """What was observed of one container."""

    name: str = field(default_factory=str)
    state: ContainerState = field(default_factory=ContainerState)
    last_state: ContainerState = field(default_factory=ContainerState)
    ready: bool = field(default_factory=bool)
    restart_count: Int32 = field(default_factory=int)
    image: str = field(default_factory=str)
    image_id: str = field(default_factory=str, name="imageID")
    container_id: str = field(default="", name="containerID")
    started: bool | None = None
    allocated_resources: Quantities | None = None
    resources: Opaque | None = None
    volume_mounts: Annotated[list[Opaque], patch_key("mountPath")] | None = None
    user: Opaque | None = None
    allocated_resources_status: Annotated[list[Opaque], patch_key("name")] | None = None
    stop_signal: str | None = None


class PodStatus(Wire):
    """What was observed of a pod."""

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
    """Something that runs and may take traffic."""

    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)
