"""Dry runs: what would become of the objects that are computed from the one that is written."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.documents.objects import KubeObject
from app.mirror.entry import Entry
from app.registry.context import Context
from app.registry.derived import Derived

_UNSAID = ("Name", "Age", "Served")
"""Columns that a preview leaves out: the name stands first, and what is not stored has no age and serves nobody."""

_NOTHING = ("", "<none>")

KnownParts = MutableMapping[tuple[str, str], Mapping[str, Sequence[Entry]]]
"""By kind and namespace: the parts of all sources, looked up once where many sources are written."""


class Consequences:
    """The load balancer, the DNS records and the addresses that a Service would have, as texts for people."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._derived: dict[str, list[Derived]] = {}
        # Load balancers first: there is room for so many bytes of warnings only.
        for kind in reversed(context.kinds.all):
            if kind.derivation is not None:
                self._derived.setdefault(kind.derivation.source, []).append(Derived(kind, kind.derivation, context))

    def of(
        self,
        kind: Kind[Any],
        before: KubeObject | None,
        after: KubeObject | None,
        known: KnownParts | None = None,
    ) -> tuple[str, ...]:
        """What a write would make of the objects that are computed from what it writes.

        Args:
            kind: Of the object that is written.
            before: The object as it is; None for a new one.
            after: The object as it would be; None if it would be gone.
            known: What is remembered from one of many writes to the next; None for a single one.
        """
        changes = (self._changes(derived, before, after, known) for derived in self._derived.get(kind.key, ()))
        told = sorted((each for found in changes for each in found), key=lambda each: each[0] == "stays")
        return tuple(text for _, text in told)

    def _changes(
        self, derived: Derived, before: KubeObject | None, after: KubeObject | None, known: KnownParts | None
    ) -> Iterator[tuple[str, str]]:
        parts = _parts(derived, after or before, known)
        old, new = (self._described(derived, each, parts) for each in (before, after))
        for name in dict.fromkeys([*new, *old]):
            verb, cells = _verb(old.get(name), new.get(name)), new.get(name) or old[name]
            yield verb, f"{derived.kind.name} {name} {verb}: {cells}"

    def _described(self, derived: Derived, source: KubeObject | None, parts: Sequence[Entry]) -> Mapping[str, str]:
        found = [] if source is None else derived.computed(source, parts)
        now = self._context.cluster().now
        return {each.metadata.name: ", ".join(_cells(derived.kind, each, now)) for each in found}


def _parts(derived: Derived, source: KubeObject | None, known: KnownParts | None) -> Sequence[Entry]:
    if source is None:
        return ()
    namespace, name = source.metadata.namespace or "", source.metadata.name
    if known is None:
        return derived.parts_of(namespace, name)
    key = (derived.kind.key, namespace)
    if key not in known:
        known[key] = derived.parts_by_source(namespace)
    return known[key].get(name, ())


def _verb(old: str | None, new: str | None) -> str:
    if new is None:
        return "goes"
    if old is None:
        return "is made"
    return "stays" if old == new else "changes"


def _cells(kind: Kind[Any], obj: KubeObject, now: str) -> Iterable[str]:
    """The columns that say something, as `kubectl get -o wide` shows them."""
    cells = ((column.name, column.cell(obj, now)) for column in kind.columns if column.name not in _UNSAID)
    return (f"{name} {cell}" for name, cell in cells if cell not in _NOTHING)
