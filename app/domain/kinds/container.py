"""Containers (core/v1): what a pod is made of, and what was observed of each."""

from typing import Annotated

from msgspec import field

from app.domain.documents.wire import ATOMIC, Int32, Time, Wire, api_default, patch_key
from app.domain.kinds.opaque import Opaque, Quantities


class ContainerPort(Wire):
    """A port that a container offers; Services may name it.

    Attributes:
        name: By which Services may name it as their `targetPort`; unique in the pod.
        host_port: At which the node takes traffic for it.
        container_port: Its number.
        protocol: TCP, UDP or SCTP; TCP when left out.
        host_ip: The node's address at which `hostPort` is taken.
    """

    required = ("container_port",)

    name: str = ""
    host_port: Int32 = 0
    container_port: Int32 = field(default_factory=int)
    protocol: Annotated[str, api_default("TCP")] = ""
    host_ip: str = ""


class Container(Wire):
    """One program of a pod.

    Attributes:
        name: A DNS label, unique in the pod.
        image: What it runs.
        command: What it starts, instead of the image's entrypoint.
        args: What it starts that with.
        working_dir: Where it starts.
        ports: What it offers. Services find named ports here; others need not be listed.
        env_from: Where more of its environment comes from.
        env: Its environment.
        resources: What it needs and what it may use.
        resize_policy: Whether it is restarted when its resources change.
        restart_policy: Always makes an init container a sidecar, whose ports Services find, too.
        restart_policy_rules: When it is restarted, by how it ended.
        volume_mounts: Where volumes appear in its file system.
        volume_devices: Where block devices appear.
        liveness_probe: When to restart it.
        readiness_probe: When it takes traffic.
        startup_probe: When it has started, before which the other probes wait.
        lifecycle: What is run when it has started and before it ends.
        termination_message_path: File in which it says why it ended.
        termination_message_policy: File, or FallbackToLogsOnError.
        image_pull_policy: Always, IfNotPresent or Never.
        security_context: What it may do.
        stdin: Whether it has an input.
        stdin_once: Whether its input ends with the first who attaches.
        tty: Whether its input is a terminal.
    """

    required = ("name",)

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


class ContainerStateWaiting(Wire):
    """Why a container does not run yet.

    Attributes:
        reason: One word in CamelCase.
        message: For people.
    """

    reason: str = ""
    message: str = ""


class ContainerStateRunning(Wire):
    """Since when a container runs.

    Attributes:
        started_at: When it started.
    """

    started_at: Time | None = None


class ContainerStateTerminated(Wire):
    """How a container ended.

    Attributes:
        exit_code: With which it ended.
        signal: That ended it, if one did.
        reason: One word in CamelCase.
        message: For people.
        started_at: When it had started.
        finished_at: When it ended.
        container_id: Of the container that ended, as type://id.
    """

    required = ("exit_code",)

    exit_code: Int32 = field(default_factory=int)
    signal: Int32 = 0
    reason: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None
    container_id: str = field(default="", name="containerID")


class ContainerState(Wire):
    """One of: waiting, running, terminated.

    Attributes:
        waiting: It does not run yet.
        running: It runs.
        terminated: It has ended.
    """

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Wire):
    """What was observed of one container.

    Attributes:
        name: Of the container.
        state: In which it is.
        last_state: In which it was before its last restart.
        ready: Whether it takes traffic.
        restart_count: How often it was started again.
        image: What it runs.
        image_id: What it runs, exactly.
        container_id: What the runtime calls it, as type://id.
        started: Whether it has started, as its startup probe says.
        allocated_resources: What the node keeps for it.
        resources: What it has now.
        volume_mounts: Where volumes appear in its file system.
        user: As whom it runs.
        allocated_resources_status: In what state its devices are.
        stop_signal: What it is ended with.
    """

    required = ("name", "ready", "restart_count", "image", "image_id")

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
