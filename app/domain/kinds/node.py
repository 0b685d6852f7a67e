"""Node (core/v1), as a registration: clients register machines, and nothing is scheduled on them."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import (
    ATOMIC,
    CONDITION_STATUS,
    MERGE_SET,
    Int32,
    Int64,
    Time,
    Wire,
    null,
    one_of,
    patch_key,
)
from app.domain.kinds.opaque import Opaque, Quantities

ZONE_LABEL = "topology.kubernetes.io/zone"
"""Label that names the zone a node is in."""


class Taint(Wire):
    """A mark on a node. Pods that do not tolerate the taint are kept off the node.

    Attributes:
        key: The key, in the form of a label's key.
        value: The value, in the form of a label's value.
        effect: NoSchedule, PreferNoSchedule or NoExecute.
        time_added: When the taint was added.
    """

    required = ("key", "effect")

    key: str = field(default_factory=str)
    value: str = ""
    effect: Annotated[str, one_of("NoSchedule", "PreferNoSchedule", "NoExecute")] = field(default_factory=str)
    time_added: Time | None = None


class NodeSpec(Wire):
    """The desired state of a node.

    Attributes:
        pod_cidr: The range of addresses of the node's pods, the first of `podCIDRs`.
        pod_cidrs: The ranges of addresses of the node's pods, at most one of each IP family.
        provider_id: The identifier of the node at its cloud provider, as provider://id. It cannot be changed once set.
        unschedulable: Whether the node takes no new pods. Load balancers still use the node.
        taints: Marks that keep pods off the node.
        config_source: Not used any more.
        external_id: Not used any more.
    """

    pod_cidr: str = field(default="", name="podCIDR")
    pod_cidrs: Annotated[list[str], MERGE_SET] | None = field(default=None, name="podCIDRs")
    provider_id: str = field(default="", name="providerID")
    unschedulable: bool = False
    taints: Annotated[list[Taint], ATOMIC] | None = None
    config_source: Opaque | None = None
    external_id: str = field(default="", name="externalID")


class NodeCondition(Wire):
    """One aspect of a node's state.

    Attributes:
        type: The name of the condition. Ready says whether the node works.
        status: True, False or Unknown.
        last_heartbeat_time: When the condition was last reported.
        last_transition_time: When `status` last changed.
        reason: Why the status is what it is, as one word in CamelCase.
        message: The same in a sentence, for people.
    """

    required = ("type", "status")

    type: str = field(default_factory=str)
    status: Annotated[str, CONDITION_STATUS] = field(default_factory=str)
    last_heartbeat_time: Time | None = field(default_factory=null)
    last_transition_time: Time | None = field(default_factory=null)
    reason: str = ""
    message: str = ""


class NodeAddress(Wire):
    """One way to reach a node: `InternalIP`, `ExternalIP`, `Hostname`, `InternalDNS` or `ExternalDNS`.

    Attributes:
        type: InternalIP, ExternalIP, Hostname, InternalDNS or ExternalDNS.
        address: The IP address or name.
    """

    required = ("type", "address")

    type: str = field(default_factory=str)
    address: str = field(default_factory=str)


class DaemonEndpoint(Wire):
    """The port that a daemon listens on.

    Attributes:
        port: The number of the port.
    """

    required = ("port",)

    port: Int32 = field(default_factory=int, name="Port")


class NodeDaemonEndpoints(Wire):
    """The daemons of a node.

    Attributes:
        kubelet_endpoint: The port of the kubelet.
    """

    kubelet_endpoint: DaemonEndpoint = field(default_factory=DaemonEndpoint)


class NodeSystemInfo(Wire):
    """The software of a node.

    Attributes:
        machine_id: Identifier of the machine.
        system_uuid: Identifier of the hardware.
        boot_id: Identifier that changes each time the node starts.
        kernel_version: Version of the kernel, as from uname -r.
        os_image: Name and version of the operating system's distribution.
        container_runtime_version: Name and version of the container runtime, such as containerd://2.0.0.
        kubelet_version: Version of the kubelet.
        kube_proxy_version: Not used any more.
        operating_system: linux or windows.
        architecture: Architecture of the processor, such as amd64 or arm64.
        swap: The swap space of the node.
    """

    required = (
        "machine_id", "system_uuid", "boot_id", "kernel_version", "os_image", "container_runtime_version",
        "kubelet_version", "kube_proxy_version", "operating_system", "architecture",
    )  # fmt: skip

    machine_id: str = field(default_factory=str, name="machineID")
    system_uuid: str = field(default_factory=str, name="systemUUID")
    boot_id: str = field(default_factory=str, name="bootID")
    kernel_version: str = field(default_factory=str)
    os_image: str = field(default_factory=str, name="osImage")
    container_runtime_version: str = field(default_factory=str)
    kubelet_version: str = field(default_factory=str)
    kube_proxy_version: str = field(default_factory=str)
    operating_system: str = field(default_factory=str)
    architecture: str = field(default_factory=str)
    swap: Opaque | None = None


class ContainerImage(Wire):
    """An image that a node holds.

    Attributes:
        names: The names of the image.
        size_bytes: The size of the image in bytes.
    """

    names: Annotated[list[str], ATOMIC] | None = None
    size_bytes: Int64 = 0


class NodeStatus(Wire):
    """The observed state of a node.

    Attributes:
        capacity: All that the node has, by resource.
        allocatable: The part of the capacity that pods may use.
        phase: Not used any more.
        conditions: Conditions of the node. Load balancers do not use a node that is not Ready.
        addresses: Addresses and names of the node.
        daemon_endpoints: Ports of the node's daemons.
        node_info: The software of the node.
        images: The images that the node holds.
        volumes_in_use: Volumes that pods of the node have mounted.
        volumes_attached: Volumes that are attached to the node.
        config: Not used any more.
        runtime_handlers: Runtime handlers that the container runtime offers.
        features: Features of the container runtime.
        declared_features: Features that pods may ask for.
    """

    capacity: Quantities | None = None
    allocatable: Quantities | None = None
    phase: str = ""
    conditions: Annotated[list[NodeCondition], patch_key("type")] | None = None
    addresses: Annotated[list[NodeAddress], patch_key("type")] | None = None
    daemon_endpoints: NodeDaemonEndpoints = field(default_factory=NodeDaemonEndpoints)
    node_info: NodeSystemInfo = field(default_factory=NodeSystemInfo)
    images: Annotated[list[ContainerImage], ATOMIC] | None = None
    volumes_in_use: Annotated[list[str], ATOMIC] | None = None
    volumes_attached: Annotated[list[Opaque], ATOMIC] | None = None
    config: Opaque | None = None
    runtime_handlers: Annotated[list[Opaque], ATOMIC] | None = None
    features: Opaque | None = None
    declared_features: Annotated[list[str], ATOMIC] | None = None


class Node(KubeObject):
    """A machine, real or virtual.

    Attributes:
        spec: The desired state of the node.
        status: The observed state of the node.
    """

    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)
