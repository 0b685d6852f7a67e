"""The rules of a Node, as a registration (ValidateNode and ValidateNodeUpdate of the API server)."""

from collections.abc import Sequence

from app.domain.errors import (
    FIELD_IS_IMMUTABLE,
    Cause,
    duplicate,
    forbidden,
    invalid,
    invalid_for,
    not_supported,
    required,
)
from app.domain.kinds.node import Node, NodeSpec, NodeStatus, Taint
from app.domain.label_syntax import label_key_problems, label_value_problems
from app.domain.rules.addresses import network_causes, strict_network
from app.domain.rules.cluster import Cluster
from app.domain.rules.registration import lease_causes
from app.domain.rules.strategy import Strategy

TAINT_EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")


class NodeStrategy(Strategy[Node]):
    """A node can be created with its status. `podCIDRs` and `providerID` cannot change once they are set."""

    def prepare_create(self, new: Node, cluster: Cluster) -> None:
        """Derive `podCIDR` and `podCIDRs` from each other. Keep the status, unlike for other kinds."""
        del cluster
        _agree(new.spec)

    def prepare_update(self, new: Node, old: Node, cluster: Cluster) -> None:
        """Keep the status."""
        del cluster
        new.status = old.status
        _agree(new.spec)

    def prepare_status(self, new: Node, old: Node, cluster: Cluster) -> None:
        """Keep the spec."""
        del cluster
        new.spec = old.spec

    def validate_create(self, new: Node, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        return [
            *lease_causes(new.metadata),
            *_validate_pod_cidrs(new.spec),
            *_validate_taints(new.spec.taints or []),
            *_validate_addresses(new.status),
        ]

    def validate_update(self, new: Node, old: Node, cluster: Cluster) -> list[Cause]:
        """As on create. Fields that can be set only once cannot change."""
        causes = self.validate_create(new, cluster)
        if old.spec.pod_cidrs and old.spec.pod_cidrs != new.spec.pod_cidrs:
            causes.append(forbidden("spec.podCIDRs", "node updates may not change podCIDR once it is set"))
        if old.spec.provider_id and old.spec.provider_id != new.spec.provider_id:
            causes.append(forbidden("spec.providerID", "node updates may not change providerID once it is set"))
        if old.spec.external_id != new.spec.external_id:
            causes.append(
                forbidden("spec.externalID", f"{FIELD_IS_IMMUTABLE}: it is {old.spec.external_id or 'not set'}")
            )
        return causes

    def validate_status(self, new: Node, old: Node, cluster: Cluster) -> list[Cause]:
        """Name every field of the status that is wrong."""
        del old, cluster
        return lease_causes(new.metadata) + _validate_addresses(new.status)


def _agree(spec: NodeSpec) -> None:
    """`podCIDR` is the first of `podCIDRs` (KEP-563)."""
    if spec.pod_cidr and not spec.pod_cidrs:
        spec.pod_cidrs = [spec.pod_cidr]
    if spec.pod_cidrs and not spec.pod_cidr:
        spec.pod_cidr = spec.pod_cidrs[0]


def _validate_pod_cidrs(spec: NodeSpec) -> list[Cause]:
    cidrs = spec.pod_cidrs or []
    causes = [cause for i, cidr in enumerate(cidrs) for cause in network_causes(f"spec.podCIDRs[{i}]", cidr)]
    if cidrs and spec.pod_cidr != cidrs[0]:
        causes.append(invalid("spec.podCIDR", spec.pod_cidr, f"must be the first of spec.podCIDRs, {cidrs[0]}"))
    families = [network.version for network in map(strict_network, cidrs) if network]
    if len(set(families)) != len(families):
        causes.append(invalid("spec.podCIDRs", cidrs, "must have at most one CIDR of each IP family"))
    causes += [duplicate(f"spec.podCIDRs[{i}]", cidr) for i, cidr in enumerate(cidrs) if cidr in cidrs[:i]]
    return causes


def _validate_taints(taints: Sequence[Taint]) -> list[Cause]:
    """Causes name `metadata.taints`, like those of Kubernetes, although taints are in the spec."""
    causes: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for i, taint in enumerate(taints):
        path = f"metadata.taints[{i}]"
        causes += invalid_for(f"{path}.key", taint.key, label_key_problems(taint.key))
        if problems := label_value_problems(taint.value):
            # Kubernetes has one cause for the value, unlike for the key.
            causes.append(invalid(f"{path}.value", taint.value, "; ".join(problems)))
        if not taint.effect:
            causes.append(required(f"{path}.effect", f"one of {', '.join(TAINT_EFFECTS)}"))
        elif taint.effect not in TAINT_EFFECTS:
            causes.append(not_supported(f"{path}.effect", taint.effect, TAINT_EFFECTS))
        if (taint.key, taint.effect) in seen:
            causes.append(duplicate(path, f"{taint.key}:{taint.effect}", "another taint has the same key and effect"))
        seen.add((taint.key, taint.effect))
    return causes


def _validate_addresses(status: NodeStatus) -> list[Cause]:
    listed = [(each.type, each.address) for each in status.addresses or []]
    return [
        duplicate(f"status.addresses[{i}]", f"{each[0]} {each[1]}")
        for i, each in enumerate(listed)
        if each in listed[:i]
    ]
