"""Node (core/v1), as a registration: a machine that somebody tells us of; nothing is scheduled on it."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, MERGE_SET, Int32, Int64, Time, Wire, null, patch_key
from app.domain.kinds.opaque import Opaque, Quantities

ZONE_LABEL = "topology.kubernetes.io/zone"
"""Label that names the zone a node is in."""


class Taint(Wire):
    """What keeps pods that do not tolerate it off a node.

    Attributes:
        key: A label's key.
        value: A label's value.
        effect: NoSchedule, PreferNoSchedule or NoExecute.
        time_added: When it was set.
    """

    required = ("key", "effect")

    key: str = field(default_factory=str)
    value: str = ""
    effect: str = field(default_factory=str)
    time_added: Time | None = None


class NodeSpec(Wire):
    """What the registrant wants of the node.

    Attributes:
        pod_cidr: The range of its pods' addresses, the first of `podCIDRs`.
        pod_cidrs: The ranges of its pods' addresses, at most one of each IP family.
        provider_id: What the cloud calls it, as provider://id; stays once it is set.
        unschedulable: Whether new pods are to be kept off; load balancers still use it.
        taints: What keeps pods off that do not tolerate it.
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
        type: Which one; Ready says whether it is there.
        status: True, False or Unknown.
        last_heartbeat_time: When it was last reported.
        last_transition_time: When `status` last changed.
        reason: Why, as one word in CamelCase.
        message: Why, for people.
    """

    required = ("type", "status")

    type: str = field(default_factory=str)
    status: str = field(default_factory=str)
    last_heartbeat_time: Time | None = field(default_factory=null)
    last_transition_time: Time | None = field(default_factory=null)
    reason: str = ""
    message: str = ""


class NodeAddress(Wire):
    """One way to reach a node: `InternalIP`, `ExternalIP`, `Hostname`, `InternalDNS` or `ExternalDNS`.

    Attributes:
        type: InternalIP, ExternalIP, Hostname, InternalDNS or ExternalDNS.
        address: An address or a name, by its type.
    """

    required = ("type", "address")

    type: str = field(default_factory=str)
    address: str = field(default_factory=str)


class DaemonEndpoint(Wire):
    """The port a daemon listens at.

    Attributes:
        port: Its number.
    """

    required = ("port",)

    port: Int32 = field(default_factory=int, name="Port")


class NodeDaemonEndpoints(Wire):
    """The daemons of a node.

    Attributes:
        kubelet_endpoint: Where the kubelet listens.
    """

    kubelet_endpoint: DaemonEndpoint = field(default_factory=DaemonEndpoint)


class NodeSystemInfo(Wire):
    """What runs on a node.

    Attributes:
        machine_id: Tells the machine from all others.
        system_uuid: Tells the hardware from all other.
        boot_id: Changes each time it starts.
        kernel_version: As uname -r tells.
        os_image: Name and version of the operating system's distribution.
        container_runtime_version: Such as containerd://2.0.0.
        kubelet_version: Version of the kubelet.
        kube_proxy_version: Not used any more.
        operating_system: linux or windows.
        architecture: Such as amd64 or arm64.
        swap: How much swap space it has.
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
        names: By which it is known.
        size_bytes: Its size.
    """

    names: Annotated[list[str], ATOMIC] | None = None
    size_bytes: Int64 = 0


class NodeStatus(Wire):
    """What was observed of a node.

    Attributes:
        capacity: All it has, by resource.
        allocatable: What of that pods may use.
        phase: Not used any more.
        conditions: In what state it is; one that is not Ready is no backend of load balancers.
        addresses: How to reach it.
        daemon_endpoints: Where its daemons listen.
        node_info: What runs on it.
        images: The images it holds.
        volumes_in_use: Volumes mounted there.
        volumes_attached: Volumes attached to it.
        config: Not used any more.
        runtime_handlers: What the container runtime offers.
        features: What the node can do.
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
        spec: What the registrant wants of it.
        status: What was observed of it.
    """

    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)
