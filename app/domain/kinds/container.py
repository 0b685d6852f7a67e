"""Containers (core/v1): the programs of a pod, and their observed states."""

from typing import Annotated

from msgspec import field

from app.domain.documents.wire import ATOMIC, PROTOCOL, Int32, Time, Wire, api_default, one_of, patch_key
from app.domain.kinds.opaque import Opaque, Quantities

RESTART_POLICY = one_of("Always", "OnFailure", "Never")
"""When programs that ended run again."""


class ContainerPort(Wire):
    """A port that a container offers. Services may refer to its name.

    Attributes:
        name: The name of the port, unique in the pod. Services may have it as their `targetPort`.
        host_port: The port of the node that leads to this port.
        container_port: The number of the port.
        protocol: TCP, UDP or SCTP; TCP when left out.
        host_ip: The address of the node that `hostPort` is bound to.
    """

    required = ("container_port",)

    name: str = ""
    host_port: Int32 = 0
    container_port: Int32 = field(default_factory=int)
    protocol: Annotated[str, api_default("TCP"), PROTOCOL] = ""
    host_ip: str = ""


class Container(Wire):
    """One program of a pod.

    Attributes:
        name: The name of the container, a DNS label that is unique in the pod.
        image: The image of the container.
        command: The command, in place of the image's entrypoint.
        args: Arguments of the command.
        working_dir: The working directory.
        ports: Ports that the container offers. Services find named ports here; ports without a name need not be listed.
        env_from: Sources of more environment variables.
        env: Environment variables.
        resources: Resources that the container requests, and their limits.
        resize_policy: Whether a change of resources restarts the container.
        restart_policy: Always makes an init container a sidecar. Services find the ports of sidecars, too.
        restart_policy_rules: When the container is restarted, by its exit code.
        volume_mounts: Where volumes are mounted.
        volume_devices: Where block devices appear.
        liveness_probe: A probe that restarts the container when it fails.
        readiness_probe: A probe that keeps traffic away while it fails.
        startup_probe: A probe that must succeed before the other probes begin.
        lifecycle: Commands that run after the start and before the end.
        termination_message_path: The file in which the container says why it ended.
        termination_message_policy: File, or FallbackToLogsOnError.
        image_pull_policy: Always, IfNotPresent or Never.
        security_context: Privileges of the container.
        stdin: Whether standard input is open.
        stdin_once: Whether standard input closes when the first client detaches.
        tty: Whether standard input is a terminal.
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
    restart_policy: Annotated[str, RESTART_POLICY] | None = None
    restart_policy_rules: Annotated[list[Opaque], ATOMIC] | None = None
    volume_mounts: Annotated[list[Opaque], patch_key("mountPath")] | None = None
    volume_devices: Annotated[list[Opaque], patch_key("devicePath")] | None = None
    liveness_probe: Opaque | None = None
    readiness_probe: Opaque | None = None
    startup_probe: Opaque | None = None
    lifecycle: Opaque | None = None
    termination_message_path: str = ""
    termination_message_policy: Annotated[str, one_of("File", "FallbackToLogsOnError")] = ""
    image_pull_policy: Annotated[str, one_of("Always", "IfNotPresent", "Never")] = ""
    security_context: Opaque | None = None
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False


class ContainerStateWaiting(Wire):
    """A container that does not run yet.

    Attributes:
        reason: Why it waits, as one word in CamelCase.
        message: The same in a sentence, for people.
    """

    reason: str = ""
    message: str = ""


class ContainerStateRunning(Wire):
    """A container that runs.

    Attributes:
        started_at: When the container started.
    """

    started_at: Time | None = None


class ContainerStateTerminated(Wire):
    """A container that has ended.

    Attributes:
        exit_code: The exit code.
        signal: The signal that ended the container, if any.
        reason: Why it ended, as one word in CamelCase.
        message: The same in a sentence, for people.
        started_at: When the container started.
        finished_at: When the container ended.
        container_id: The identifier of the container, as type://id.
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
    """The state of a container: waiting, running or terminated.

    Attributes:
        waiting: Set while the container does not run yet.
        running: Set while the container runs.
        terminated: Set when the container has ended.
    """

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Wire):
    """The observed state of a container.

    Attributes:
        name: The name of the container.
        state: The present state.
        last_state: The state before the last restart.
        ready: Whether the container takes traffic.
        restart_count: How often the container was restarted.
        image: The image of the container.
        image_id: The exact identifier of the image.
        container_id: The identifier of the container, as type://id.
        started: Whether the startup probe has succeeded.
        allocated_resources: Resources that the node keeps for the container.
        resources: Resources that the container has now.
        volume_mounts: Where volumes are mounted.
        user: The user that the container runs as.
        allocated_resources_status: The states of the container's devices.
        stop_signal: The signal that ends the container.
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
