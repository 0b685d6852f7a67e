"""The nodes as load balancers see them, as the Node objects of this moment say."""

from collections.abc import Sequence

from app.domain.declarations.node import NODE
from app.domain.documents.encoding import decode_object
from app.domain.rules.balanced_nodes import NO_NODES, BalancedNode, BalancedNodes, balanced_node
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror


class NodesOfLoadBalancers:
    """As current as the mirror, to which it subscribes.

    Attributes:
        nodes: The same object as long as nothing changes that concerns load balancers; a heartbeat does not.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._by_name: dict[str, BalancedNode] = {}
        self.nodes = NO_NODES
        mirror.subscribe(self._changed, self._reload, [NODE.key])
        self._reload()

    def _changed(self, changes: Sequence[Change]) -> None:
        news = [self._note(change) for change in changes]
        if any(news):
            self.nodes = BalancedNodes.of(self._by_name)

    def _note(self, change: Change) -> bool:
        """Answer whether a change concerns load balancers."""
        if change.type == "DELETED":
            return self._by_name.pop(change.entry.name, None) is not None
        return self._learn(change.entry)

    def _learn(self, entry: Entry) -> bool:
        node, before = balanced_node(decode_object(NODE, entry.wire)), self._by_name.get(entry.name)
        self._by_name[entry.name] = node
        return node != before

    def _reload(self) -> None:
        self._by_name = {}
        for entry in self._mirror.list(NODE.key, None):
            self._learn(entry)
        self.nodes = BalancedNodes.of(self._by_name)
