"""The declaration of Node: its columns, its selectable fields and its rules."""

from collections.abc import Callable

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.node import Node
from app.domain.rules.node import NodeStrategy

_ROLE_PREFIX, _ROLE_LABEL = "node-role.kubernetes.io/", "kubernetes.io/role"


def _status(node: Node, _now: str) -> str:
    ready = next((each.status for each in node.status.conditions or [] if each.type == "Ready"), None)
    shown = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    return ",".join([*shown, "SchedulingDisabled"] if node.spec.unschedulable else shown)


def _roles(node: Node, _now: str) -> str:
    labels = node.metadata.labels or {}
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    return ",".join(sorted((roles | {labels.get(_ROLE_LABEL, "")}) - {""})) or "<none>"


def _address(kind: str) -> Callable[[Node, str], str]:
    def cell(node: Node, _now: str) -> str:
        return next((each.address for each in node.status.addresses or [] if each.type == kind), "<none>")

    return cell


NODE = Kind(
    group="",
    version="v1",
    name="Node",
    plural="nodes",
    singular="node",
    namespaced=False,
    model=Node,
    schema="io.k8s.api.core.v1.Node",
    columns=(
        NAME,
        Column("Status", _status, description="Whether the node is ready, and closed to new pods."),
        Column("Roles", _roles, description="Roles that its labels name."),
        AGE,
        Column(
            "Version", lambda node, _now: node.status.node_info.kubelet_version, description="Its kubelet's version."
        ),
        Column("Internal-IP", _address("InternalIP"), priority=1, description="Its address inside the cluster."),
        Column("External-IP", _address("ExternalIP"), priority=1, description="Its address outside the cluster."),
        Column(
            "OS-Image",
            lambda node, _now: node.status.node_info.os_image or "<unknown>",
            priority=1,
            description="Its operating system.",
        ),
        Column(
            "Kernel-Version",
            lambda node, _now: node.status.node_info.kernel_version or "<unknown>",
            priority=1,
            description="Its kernel.",
        ),
        Column(
            "Container-Runtime",
            lambda node, _now: node.status.node_info.container_runtime_version or "<unknown>",
            priority=1,
            description="What runs its containers.",
        ),
    ),
    strategy=NodeStrategy(),
    short_names=("no",),
    selectable={"spec.unschedulable": lambda node: "true" if node.spec.unschedulable else "false"},
    has_status=True,
)
