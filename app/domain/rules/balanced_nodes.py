"""Nodes as load balancers see them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.kinds.node import Node
from app.domain.rules.addresses import canonical, family_of

EXCLUDED_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
"""Label of nodes that take no traffic from load balancers, whatever its value, unless that means false."""

_LEAVING_TAINT = "ToBeDeletedByClusterAutoscaler"
_FALSE = ("0", "f", "F", "false", "False", "FALSE")
"""The texts that Go's strconv.ParseBool reads as false."""


@dataclass(frozen=True, slots=True)
class BalancedNode:
    """A node as load balancers see it.

    Attributes:
        addresses: Its first internal address of each family, in canonical text.
        excluded: Whether its members get no traffic from load balancers.
    """

    addresses: tuple[str, ...]
    excluded: bool


@dataclass(frozen=True, slots=True)
class BalancedNodes:
    """All nodes as load balancers see them.

    Attributes:
        addresses: Those of all nodes that are not excluded, in the order of the nodes' names.
        excluded: The names of the excluded nodes.
    """

    addresses: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()

    @classmethod
    def of(cls, nodes: Mapping[str, BalancedNode]) -> "BalancedNodes":
        """The nodes by their names."""
        taking = (node for _, node in sorted(nodes.items()) if not node.excluded)
        excluded = frozenset(name for name, node in nodes.items() if node.excluded)
        return cls(tuple(address for node in taking for address in node.addresses), excluded)


NO_NODES = BalancedNodes()


def balanced_node(node: Node) -> BalancedNode:
    """How load balancers see a node (the node predicates of Kubernetes' service controller).

    A node that is deleted, that the cluster autoscaler is about to delete, or that has the label, is excluded. One that
    is not ready or takes no new pods is not: probes tell.
    """
    label = (node.metadata.labels or {}).get(EXCLUDED_LABEL)
    leaving = node.metadata.deletion_timestamp is not None or any(
        taint.key == _LEAVING_TAINT for taint in node.spec.taints or []
    )
    first: dict[str, str] = {}
    for each in node.status.addresses or []:
        if each.type == "InternalIP" and (family := family_of(each.address)):
            first.setdefault(family, canonical(each.address))
    return BalancedNode(tuple(first.values()), leaving or (label is not None and label not in _FALSE))
