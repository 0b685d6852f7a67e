"""Which namespaces the selectors of objects choose, such as those that may use an AddressPool."""

from collections.abc import Mapping

from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.encoding import decode_object
from app.domain.kinds.meta import LabelSelector
from app.domain.rules.label_selectors import matcher_of
from app.domain.selectors import LabelSelector as Matcher
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror


class ChosenNamespaces:
    """The namespaces that each of some objects of one kind chooses. The owner tells of the objects and of changes."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        # By object that has a selector: what chooses its namespaces, and those that it chose.
        self._selectors: dict[str, Matcher] = {}
        self._chosen: dict[str, set[str]] = {}

    def by_name(self) -> Mapping[str, frozenset[str]]:
        """By name of each object that has a selector, the namespaces that it chooses."""
        return {name: frozenset(chosen) for name, chosen in self._chosen.items()}

    def learn(self, name: str, selector: LabelSelector | None) -> None:
        """Note the selector of an object, in the place of the one before."""
        self.forget(name)
        if selector is not None:
            matcher = self._selectors[name] = matcher_of(selector)
            namespaces = self._mirror.list(NAMESPACE.key, None)
            self._chosen[name] = {each.name for each in namespaces if matcher.matches(_labels(each))}

    def forget(self, name: str) -> None:
        """The object is gone."""
        self._selectors.pop(name, None)
        self._chosen.pop(name, None)

    def changed(self, change: Change) -> bool:
        """Note a change, of a Namespace or not; answers whether some object chooses others than before."""
        if change.entry.kind != NAMESPACE.key or not self._selectors:
            return False
        labels = None if change.type == "DELETED" else _labels(change.entry)
        namespace, differs = change.entry.name, False
        for name, matcher in self._selectors.items():
            chosen = labels is not None and matcher.matches(labels)
            if chosen != (namespace in self._chosen[name]):
                self._chosen[name] ^= {namespace}
                differs = True
        return differs


def _labels(entry: Entry) -> dict[str, str]:
    return decode_object(NAMESPACE, entry.wire).metadata.labels or {}
