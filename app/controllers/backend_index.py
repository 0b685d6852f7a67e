"""An index of Services, pods, nodes and slices by what connects them, shared by all controllers that need it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.cluster.service_slices import ServiceSlices, services_of
from app.controllers.controller import ObjectKey
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.endpoints import ENDPOINTS
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object, shared_object
from app.domain.documents.peeking import selector_of
from app.domain.kinds.endpoint_slice import EndpointSlice
from app.domain.kinds.node import Node
from app.domain.kinds.pod import Pod
from app.domain.kinds.service import Service
from app.domain.wanted.backends import matches, trimmed_node, trimmed_pod
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror

Pair = tuple[str, str, str]
"""Namespace, label key, label value."""


BACKEND_KINDS = (SERVICE.key, POD.key, NODE.key, ENDPOINT_SLICE.key, ENDPOINTS.key)
"""The kinds that endpoints follow from, and those that show them."""


class BackendIndex:
    """Follows the mirror in every process, whether or not it owns one of the controllers.

    It subscribes to the mirror, so it must be constructed before the loop: then it has each change before a controller
    asks for it. Pods and nodes are kept decoded, without the fields that no endpoint shows. Services and slices are
    decoded when they are asked for.

    Attributes:
        nodes: All nodes by name.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._affected: Sequence[ObjectKey] = ()
        self._slices = ServiceSlices(mirror)
        mirror.subscribe(self._changed, self._reload, BACKEND_KINDS)
        self._reload()

    def affected(self) -> Sequence[ObjectKey]:
        """The Services that the latest batch of changes concerns, deleted ones included."""
        return self._affected

    def service(self, key: ObjectKey) -> Service | None:
        """A Service, or None. Several controllers share the object, so none may change it."""
        entry = self._mirror.get(SERVICE.key, *key)
        return None if entry is None else shared_object(SERVICE, entry.wire)

    def selects(self, key: ObjectKey) -> bool:
        """Whether there is such a Service, with a selector."""
        return key in self._selectors

    def has_slices(self, key: ObjectKey) -> bool:
        """Whether slices are labelled with a Service's name."""
        return key in self._slices

    def selecting(self) -> Iterable[ObjectKey]:
        """The Services that have a selector."""
        return self._selectors.keys()

    def slices(self, key: ObjectKey) -> list[EndpointSlice]:
        """The slices labelled with a Service's name, whoever manages them."""
        return self._slices.of(key)

    def slice_owners(self) -> Iterable[ObjectKey]:
        """Namespaces and names of Services that slices are labelled with."""
        return self._slices.services()

    def pods(self, service: Service) -> list[Pod]:
        """The pods a Service selects, looked up by its rarest label."""
        namespace = service.metadata.namespace or ""
        selector = service.spec.selector or {}
        if not selector:
            return []
        rarest = min((self._labelled.get((namespace, *pair), {}) for pair in selector.items()), key=len)
        found = (self._pods[namespace, name] for name in rarest)
        return [pod for pod in found if matches(selector, pod.metadata.labels)]

    def pods_on(self, node: str) -> Iterable[ObjectKey]:
        """The pods that name a node."""
        return self._on_node.get(node, {}).keys()

    def node_of(self, pod: ObjectKey) -> str:
        """The node that a pod names, or ""."""
        found = self._pods.get(pod)
        return "" if found is None else found.spec.node_name

    def _reload(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._selectors: dict[ObjectKey, Mapping[str, str]] = {}
        self._found_under: dict[ObjectKey, Pair] = {}
        self._selected_by: defaultdict[Pair, dict[str, None]] = defaultdict(dict)
        self._pods: dict[ObjectKey, Pod] = {}
        self._labelled: defaultdict[Pair, dict[str, None]] = defaultdict(dict)
        self._on_node: defaultdict[str, dict[ObjectKey, None]] = defaultdict(dict)
        self._affected = ()
        for kind, bring_in in self._indexed().items():
            for entry in self._mirror.list(kind, None):
                for _ in bring_in((entry.namespace, entry.name), entry):
                    pass

    def _changed(self, changes: Sequence[Change]) -> None:
        indexed = self._indexed()
        affected: dict[ObjectKey, None] = {}
        for change in changes:
            if change.entry.kind == SERVICE.key and change.alters_status_alone:
                continue  # Endpoints follow from the rest.
            if change.entry.kind == ENDPOINT_SLICE.key:
                affected.update(dict.fromkeys(services_of(change)))
            bring_in = indexed.get(change.entry.kind)
            if bring_in is not None:
                key = (change.entry.namespace, change.entry.name)
                affected.update(dict.fromkeys(bring_in(key, None if change.type == "DELETED" else change.entry)))
        self._affected = tuple(affected)

    def _indexed(self) -> Mapping[str, Any]:
        return {
            SERVICE.key: self._bring_in_service,
            POD.key: self._bring_in_pod,
            NODE.key: self._bring_in_node,
        }

    def _bring_in_service(self, key: ObjectKey, entry: Entry | None) -> Iterator[ObjectKey]:
        selector = None if entry is None else selector_of(entry.wire)
        if selector != self._selectors.get(key):
            under = self._found_under.pop(key, None)
            if under is not None:
                del self._selectors[key]
                _forget(self._selected_by, under, key[1])
            if selector:
                pairs = [(key[0], *pair) for pair in selector.items()]
                under = min(pairs, key=lambda pair: len(self._selected_by.get(pair, ())))
                self._selectors[key] = selector
                self._found_under[key] = under
                self._selected_by[under][key[1]] = None
        yield key

    def _bring_in_pod(self, key: ObjectKey, entry: Entry | None) -> Iterator[ObjectKey]:
        before = self._pods.pop(key, None)
        after = None if entry is None else trimmed_pod(decode_object(POD, entry.wire))
        if before is not None and before != after:
            yield from self._services_of(before)
            for label in (before.metadata.labels or {}).items():
                _forget(self._labelled, (key[0], *label), key[1])
            _forget(self._on_node, before.spec.node_name, key)
        if after is not None:
            self._pods[key] = after
            if before != after:
                for label in (after.metadata.labels or {}).items():
                    self._labelled[key[0], *label][key[1]] = None
                self._on_node[after.spec.node_name][key] = None
                yield from self._services_of(after)

    def _bring_in_node(self, key: ObjectKey, entry: Entry | None) -> Iterator[ObjectKey]:
        before = self.nodes.pop(key[1], None)
        after = None if entry is None else trimmed_node(decode_object(NODE, entry.wire))
        if after is not None:
            self.nodes[key[1]] = after
        if before != after:
            for pod in self.pods_on(key[1]):
                yield from self._services_of(self._pods[pod])

    def _services_of(self, pod: Pod) -> Iterator[ObjectKey]:
        """The Services that select a pod."""
        namespace = pod.metadata.namespace or ""
        for pair in (pod.metadata.labels or {}).items():
            for name in self._selected_by.get((namespace, *pair), ()):
                if matches(self._selectors[namespace, name], pod.metadata.labels):
                    yield (namespace, name)


def _forget(index: defaultdict[Any, dict[Any, Any]], place: Any, member: Any) -> None:
    members = index.get(place)
    if members is not None:
        members.pop(member, None)
        if not members:
            del index[place]
