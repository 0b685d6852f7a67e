"""Objects of a kind that choose namespaces, followed from the mirror, for what rules may know of them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from app.cluster.chosen_namespaces import ChosenNamespaces
from app.domain.declarations.kind import Kind
from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.encoding import decode_object
from app.domain.documents.objects import KubeObject
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror

Model = TypeVar("Model", bound=KubeObject)


class DescribedObjects(ABC, Generic[Model]):
    """As current as the mirror: it subscribes to it, and describes its objects anew when they change in essence.

    Args:
        mirror: Where the objects are.
        kind: Their kind.
        others: Kinds besides, of which every change concerns the descriptions.
    """

    def __init__(self, mirror: Mirror, kind: Kind[Any], others: Sequence[str] = ()) -> None:
        self._mirror = mirror
        self._kind = kind
        self._others = others
        self._objects: dict[str, Model] = {}
        self._namespaces = ChosenNamespaces(mirror)
        mirror.subscribe(self._changed, self._reload, (kind.key, NAMESPACE.key, *others))
        self._reload()

    @abstractmethod
    def _essence(self, obj: Model) -> object:
        """What the description of an object follows from."""

    @abstractmethod
    def _describe(self, objects: Mapping[str, Model], chosen: Mapping[str, frozenset[str]]) -> None:
        """Describe all objects; `chosen` has the namespaces that each of those with a selector chooses."""

    def _changed(self, changes: Sequence[Change]) -> None:
        news = [self._note(change) for change in changes]
        if any(news):
            self._describe(self._objects, self._namespaces.by_name())

    def _note(self, change: Change) -> bool:
        """Answer whether a change concerns the descriptions."""
        entry = change.entry
        if entry.kind == self._kind.key:
            return self._forget(entry.name) if change.type == "DELETED" else self._learn(entry)
        return self._namespaces.changed(change) or entry.kind in self._others

    def _reload(self) -> None:
        for name in list(self._objects):
            self._forget(name)
        for entry in self._mirror.list(self._kind.key, None):
            self._learn(entry)
        self._describe(self._objects, self._namespaces.by_name())

    def _learn(self, entry: Entry) -> bool:
        obj, before = decode_object(self._kind, entry.wire), self._objects.get(entry.name)
        self._objects[entry.name] = obj
        if before is not None and self._essence(before) == self._essence(obj):
            return False
        self._namespaces.learn(entry.name, obj.spec.namespace_selector)
        return True

    def _forget(self, name: str) -> bool:
        self._namespaces.forget(name)
        return self._objects.pop(name, None) is not None
