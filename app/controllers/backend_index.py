"""Services, pods, nodes and slices by what connects them, decoded once for all controllers that need them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.controllers.controller import Key
from app.domain.encoding import decode_object
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL, EndpointSlice
from app.domain.kinds.endpoint_slice_declaration import ENDPOINT_SLICE
from app.domain.kinds.kind import Kind
from app.domain.kinds.meta import KubeObject
from app.domain.kinds.node import ZONE_LABEL, Node
from app.domain.kinds.node_declaration import NODE
from app.domain.kinds.pod import Pod
from app.domain.kinds.pod_declaration import POD
from app.domain.kinds.service import Service
from app.domain.kinds.service_declaration import SERVICE
from app.domain.wanted.backends import selects
from app.mirror.entry import Change
from app.mirror.mirror import Mirror

Pair = tuple[str, str, str]
"""Namespace, label key, label value."""

_INDEXED: Mapping[str, Kind[Any]] = {kind.key: kind for kind in (SERVICE, POD, NODE, ENDPOINT_SLICE)}


class BackendIndex:
    """Kept current from the changes; `affected` names the Services that they concern.

    Attributes:
        nodes: All nodes by name.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._seen: Sequence[Change] = ()
        self._affected: list[Key] = []
        self._clear()

    def _clear(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._services: dict[Key, Service] = {}
        self._selectors: defaultdict[Pair, dict[str, None]] = defaultdict(dict)
        self._pods: dict[Key, Pod] = {}
        self._labelled: defaultdict[Pair, dict[str, None]] = defaultdict(dict)
        self._on_node: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        self._slices: defaultdict[Key, dict[str, EndpointSlice]] = defaultdict(dict)
        self._slice_keys: dict[Key, Key] = {}

    def reload(self) -> None:
        """Read everything anew from the mirror."""
        self._clear()
        for kind in _INDEXED.values():
            for entry in self._mirror.list(kind.key, None):
                self._put(kind, (entry.namespace, entry.name), decode_object(kind, entry.wire))

    def affected(self, changes: Sequence[Change]) -> Sequence[Key]:
        """Bring the changes in and name the Services they concern; several controllers may ask for the same batch."""
        if changes is not self._seen:
            self._seen = changes
            self._affected = list(dict.fromkeys(key for change in changes for key in self._bring_in(change)))
        return self._affected

    def service(self, key: Key) -> Service | None:
        """A Service, or None."""
        return self._services.get(key)

    def services(self) -> Iterable[Key]:
        """All Services."""
        return self._services.keys()

    def slices(self, key: Key) -> list[EndpointSlice]:
        """The slices labelled with a Service's name, whoever manages them."""
        return list(self._slices.get(key, {}).values())

    def slice_owners(self) -> Iterable[Key]:
        """Namespaces and names of Services that slices are labelled with."""
        return [key for key, slices in self._slices.items() if slices]

    def pods(self, service: Service) -> list[Pod]:
        """The pods a Service selects, looked up by its rarest label."""
        namespace = service.metadata.namespace or ""
        pairs = [(namespace, key, value) for key, value in (service.spec.selector or {}).items()]
        if not pairs:
            return []
        rarest = min((self._labelled.get(pair, {}) for pair in pairs), key=len)
        found = (self._pods[namespace, name] for name in rarest)
        return [pod for pod in found if selects(service, pod.metadata.labels)]

    def _bring_in(self, change: Change) -> Iterator[Key]:
        kind = _INDEXED.get(change.entry.kind)
        if kind is None:
            return
        key = (change.entry.namespace, change.entry.name)
        yield from self._concerned(kind, key)
        node_before = self.nodes.get(key[1]) if kind is NODE else None
        self._drop(kind, key)
        if change.type != "DELETED":
            self._put(kind, key, decode_object(kind, change.entry.wire))
        if kind is not NODE or _differs(node_before, self.nodes.get(key[1])):
            yield from self._concerned(kind, key, nodes=True)

    def _concerned(self, kind: Kind[Any], key: Key, *, nodes: bool = False) -> Iterator[Key]:
        """The Services that an object concerns, as it is now in the index."""
        if kind is SERVICE:
            yield key
        elif kind is POD and key in self._pods:
            yield from self._selecting(self._pods[key])
        elif kind is ENDPOINT_SLICE and key in self._slice_keys:
            yield self._slice_keys[key]
        elif kind is NODE and nodes:
            for pod_key in self._on_node.get(key[1], {}):
                yield from self._selecting(self._pods[pod_key])

    def _selecting(self, pod: Pod) -> Iterator[Key]:
        namespace = pod.metadata.namespace or ""
        for key, value in (pod.metadata.labels or {}).items():
            for name in self._selectors.get((namespace, key, value), {}):
                if selects(self._services[namespace, name], pod.metadata.labels):
                    yield (namespace, name)

    def _put(self, kind: Kind[Any], key: Key, obj: KubeObject) -> None:
        match obj:
            case Service():
                self._services[key] = obj
                if pair := _first_pair(obj):
                    self._selectors[pair][key[1]] = None
            case Pod():
                self._pods[key] = obj
                for label, value in (obj.metadata.labels or {}).items():
                    self._labelled[key[0], label, value][key[1]] = None
                self._on_node[obj.spec.node_name][key] = None
            case EndpointSlice():
                owner = (key[0], (obj.metadata.labels or {}).get(SERVICE_NAME_LABEL, ""))
                self._slice_keys[key] = owner
                self._slices[owner][key[1]] = obj
            case Node():
                self.nodes[key[1]] = obj
        del kind

    def _drop(self, kind: Kind[Any], key: Key) -> None:
        if kind is SERVICE:
            service = self._services.pop(key, None)
            if service is not None and (pair := _first_pair(service)):
                _forget(self._selectors, pair, key[1])
        elif kind is POD:
            pod = self._pods.pop(key, None)
            if pod is not None:
                for label, value in (pod.metadata.labels or {}).items():
                    _forget(self._labelled, (key[0], label, value), key[1])
                _forget(self._on_node, pod.spec.node_name, key)
        elif kind is ENDPOINT_SLICE:
            owner = self._slice_keys.pop(key, None)
            if owner is not None:
                _forget(self._slices, owner, key[1])
        else:
            self.nodes.pop(key[1], None)


def _first_pair(service: Service) -> Pair | None:
    """The one label pair under which a Service's selector is indexed."""
    pairs = sorted((service.spec.selector or {}).items())
    return (service.metadata.namespace or "", *pairs[0]) if pairs else None


def _differs(before: Node | None, after: Node | None) -> bool:
    """Whether a node changed in what endpoints show of it: that it is there, and its zone."""
    if before is None or after is None:
        return before is not after
    return (before.metadata.labels or {}).get(ZONE_LABEL) != (after.metadata.labels or {}).get(ZONE_LABEL)


def _forget(index: defaultdict[Any, dict[Any, Any]], place: Any, member: Any) -> None:
    members = index.get(place)
    if members is not None:
        members.pop(member, None)
        if not members:
            del index[place]
