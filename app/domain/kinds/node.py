"""Node (core/v1), as a registration: a machine that somebody tells us of; nothing is scheduled on it."""

from typing import Annotated

from msgspec import field

from app.domain.kinds.meta import ATOMIC, MERGE_SET, Int32, Int64, KubeObject, Time, Wire, null, patch_key
from app.domain.kinds.opaque import Opaque, Quantities

ZONE_LABEL = "topology.kubernetes.io/zone"
"""Label that names the zone a node is in."""

EXCLUDE_FROM_LOAD_BALANCERS_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
"""A node with this label, whatever its value, is no backend of load balancers."""


class Taint(Wire):
    """What keeps pods that do not tolerate it off a node."""

    key: str = field(default_factory=str)
    value: str = ""
    effect: str = field(default_factory=str)
    time_added: Time | None = None


class NodeSpec(Wire):
    """What the registrant wants of the node."""

    pod_cidr: str = field(default="", name="podCIDR")
    pod_cidrs: Annotated[list[str], MERGE_SET] | None = field(default=None, name="podCIDRs")
    provider_id: str = field(default="", name="providerID")
    unschedulable: bool = False
    taints: Annotated[list[Taint], ATOMIC] | None = None
    config_source: Opaque | None = None
    external_id: str = field(default="", name="externalID")


class NodeCondition(Wire):
    """One aspect of a node's state."""

    type: str = field(default_factory=str)
    status: str = field(default_factory=str)
    last_heartbeat_time: Time | None = field(default_factory=null)
    last_transition_time: Time | None = field(default_factory=null)
    reason: str = ""
    message: str = ""


class NodeAddress(Wire):
    """One way to reach a node: `InternalIP`, `ExternalIP`, `Hostname`, `InternalDNS` or `ExternalDNS`."""

    type: str = field(default_factory=str)
    address: str = field(default_factory=str)


class DaemonEndpoint(Wire):
    """The port a daemon listens at."""

    port: Int32 = field(default_factory=int, name="Port")


class NodeDaemonEndpoints(Wire):
    """The daemons of a node."""

    kubelet_endpoint: DaemonEndpoint = field(default_factory=DaemonEndpoint)


class NodeSystemInfo(Wire):
    """What runs on a node."""

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
    """An image that a node holds."""

    names: Annotated[list[str], ATOMIC] | None = None
    size_bytes: Int64 = 0


class NodeStatus(Wire):
    """What was observed of a node."""

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
    """A machine, real or virtual."""

    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)
