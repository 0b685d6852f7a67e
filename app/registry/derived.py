"""Kinds whose objects are computed from stored objects of other kinds. Some of their objects may be stored, too."""

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.domain.declarations.kind import Derivation, Kind
from app.domain.documents.encoding import decode_object, encode_body, wire_bytes
from app.domain.documents.objects import KubeObject
from app.domain.documents.peeking import labels_of, mentions
from app.mirror.entry import Change, Entry, NamespacedName
from app.mirror.objects import Listing
from app.registry.context import Context
from app.registry.feeds import ChangeFeed, MergedFeed

_SOURCES_IN_A_ROW = 200
"""Sources for which objects are computed before the event loop gets its turn."""

Named = Mapping[str, Entry]
"""The objects of one source by name."""


class Derived:
    """The objects of one derived kind.

    Attributes:
        kind: The kind.
    """

    def __init__(self, kind: Kind[Any], derivation: Derivation[Any], context: Context) -> None:
        self.kind = kind
        self._derivation = derivation
        self._context = context
        self._mirror = context.mirror
        self._source = context.kinds.by_key[derivation.source]
        self._part = context.kinds.by_key.get(derivation.parts)
        self._around = context.kinds.by_key.get(derivation.surroundings)
        self._read = [each for each in (derivation.source, derivation.parts) if each]
        if kind.stored:
            self._read.append(kind.key)

    @property
    def has_parts(self) -> bool:
        """Whether sources have parts."""
        return self._part is not None

    async def get(self, namespace: str, name: str) -> Entry | None:
        """One object, or None."""
        if self.kind.stored and (entry := self._mirror.get(self.kind.key, namespace, name)):
            return entry
        source = await self._source_of(namespace, name)
        return None if source is None else self.of(source, self.parts_of(source.namespace, source.name)).get(name)

    async def _source_of(self, namespace: str, name: str) -> Entry | None:
        source_name = self._derivation.source_name(name)
        if source_name:
            return self._mirror.get(self._source.key, namespace, source_name)
        claim = self._derivation.claim(name)
        holder = None if claim is None else await self._context.holder(claim)
        return self._context.known(holder) if holder is not None and holder.kind is self._source else None

    def named_at(self, namespace: str, name: str, revision: int) -> Sequence[Entry] | None:
        """The objects of a name as of a revision; None where the name does not tell the source.

        Raises:
            Expired: The revision has left the history.
        """
        source_name = self._derivation.source_name(name)
        if not source_name:
            return None
        stored = self._mirror.get_at(self.kind.key, namespace, name, revision) if self.kind.stored else None
        source = self._mirror.get_at(self._source.key, namespace, source_name, revision)
        computed = None
        if source is not None:
            computed = self.of(source, self.parts_of(namespace, source_name, revision)).get(name)
        return [entry for entry in (stored, computed) if entry is not None]

    def parts_of(self, namespace: str, name: str, revision: int | None = None) -> list[Entry]:
        """The parts of a source, now or as of a revision.

        Raises:
            Expired: The revision has left the history.
        """
        if self._part is None:
            return []
        at = self._mirror.revision if revision is None else revision
        parts = self._mirror.list_at(self._part.key, namespace, at)
        near = (entry for entry in parts if mentions(entry.wire, name))
        return [entry for entry in near if self.source_name_of(entry) == (namespace, name)]

    def parts_by_source(self, namespace: str) -> Mapping[str, list[Entry]]:
        """The parts of all sources in a namespace, by the names of the sources."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self._mirror.list(self._part.key, namespace) if self._part is not None else ():
            found[self.source_name_of(entry)[1]].append(entry)
        return found

    def computed(self, source: Any, parts: Iterable[Entry]) -> Sequence[KubeObject]:
        """The objects of one source, stored or not."""
        decoded = [decode_object(self._part, part.wire) for part in parts] if self._part is not None else []
        return self._derivation.derive(source, decoded, self._context.cluster())

    async def reach_back(self, revision: int) -> None:
        """Make sure that the objects can be listed as of a revision.

        Raises:
            Expired: The revision has left the log.
            ServiceUnavailable: The database cannot be reached.
        """
        for key in [*self._read, *self._surroundings()]:
            await self._mirror.reach_back(key, revision)

    async def page_at(
        self, namespace: str | None, revision: int, after: NamespacedName | None, limit: int | None
    ) -> Listing:
        """The objects as of a revision that follow the object `after`, at most `limit` of them; None for all.

        Raises:
            Expired: The revision has left the history.
        """
        sources, parts, entries = self.state_at(namespace, revision)
        for number, source in enumerate(sources.values(), 1):
            entries += self.of(source, parts.get((source.namespace, source.name), {}).values()).values()
            if number % _SOURCES_IN_A_ROW == 0:
                await asyncio.sleep(0)
        entries.sort(key=_namespaced_name)
        entries = entries if after is None else entries[bisect_right(entries, after, key=_namespaced_name) :]
        page = entries if limit is None else entries[:limit]
        return Listing(page, len(entries) - len(page))

    async def watch(self, namespace: str | None, after: int) -> ChangeFeed:
        """The changes after a revision.

        Raises:
            Expired: The revision has left the history.
            ServiceUnavailable: The database cannot be reached.
        """
        await self.reach_back(after)
        within = namespace if self.kind.namespaced else None
        feeds = [self._mirror.watch(key, within, after) for key in self._read]
        feeds += [self._mirror.watch(key, None, after) for key in self._surroundings()]
        return DerivedFeed(self, MergedFeed(feeds), within, after)

    def _surroundings(self) -> list[str]:
        return [self._derivation.surroundings] if self._around is not None else []

    def state_at(
        self, namespace: str | None, revision: int
    ) -> tuple[dict[NamespacedName, Entry], dict[NamespacedName, dict[str, Entry]], list[Entry]]:
        """As of a revision: sources by name, parts by their source's name and their own, and the stored objects."""
        within = namespace if self.kind.namespaced else None
        parts: dict[NamespacedName, dict[str, Entry]] = defaultdict(dict)
        if self._part is not None:
            for entry in self._mirror.list_at(self._part.key, within, revision):
                parts[self.source_name_of(entry)][entry.name] = entry
        stored = list(self._mirror.list_at(self.kind.key, within, revision)) if self.kind.stored else []
        sources = {_namespaced_name(entry): entry for entry in self._mirror.list_at(self._source.key, within, revision)}
        return sources, parts, stored

    def of(self, source: Entry, parts: Iterable[Entry]) -> Named:
        """The objects of one source, at the revision of its newest part."""
        obj, parts = decode_object(self._source, source.wire), list(parts)
        revision = max(source.revision, *(part.revision for part in parts), 0)
        return {
            each.metadata.name: Entry(
                self.kind.key,
                each.metadata.namespace or "",
                each.metadata.name,
                each.metadata.uid or "",
                revision,
                wire_bytes(encode_body(each), revision),
            )
            for each in self.computed(obj, parts)
        }

    def source_name_of(self, part: Entry) -> NamespacedName:
        """The name of the source that a part belongs to."""
        labels = labels_of(part.wire)
        return (part.namespace, labels.get(self._derivation.part_label, ""))

    def is_source(self, entry: Entry) -> bool:
        """Whether an entry is a source."""
        return entry.kind == self._source.key

    def is_part(self, entry: Entry) -> bool:
        """Whether an entry is a part."""
        return self._part is not None and entry.kind == self._part.key

    def is_around(self, entry: Entry) -> bool:
        """Whether an entry is of the kind whose changes may concern many sources."""
        return self._around is not None and entry.kind == self._around.key

    def neighbours(self, *states: Entry | None) -> set[NamespacedName]:
        """The other sources that a change of one may concern."""
        cluster = self._context.cluster()
        decoded = (decode_object(self._source, state.wire) for state in states if state is not None)
        return {name for source in decoded for name in self._derivation.neighbours(source, cluster)}

    def touched(self, change: Change) -> Sequence[str]:
        """Texts of which each source that the change concerns mentions one."""
        if self._around is None:
            return ()
        gone = change.type == "DELETED"
        before = decode_object(self._around, (change.entry if gone else change.previous or change.entry).wire)
        after = None if gone else decode_object(self._around, change.entry.wire)
        return self._derivation.touched(None if change.type == "ADDED" else before, after)


class DerivedFeed:
    """Changes of a derived kind: the differences that each change of a source or a part makes."""

    def __init__(self, derived: Derived, feed: MergedFeed, namespace: str | None, after: int) -> None:
        self._derived = derived
        self._feed = feed
        # Remembered to recompute when a part changes. Without parts, the changes of a source are enough.
        self._sources: dict[NamespacedName, Entry] = {}
        self._parts: dict[NamespacedName, dict[str, Entry]] = {}
        if derived.has_parts:
            self._sources, self._parts, _ = derived.state_at(namespace, after)

    @property
    def revision(self) -> int:
        """How far the feed has come."""
        return self._feed.revision

    async def next(self, seconds: float | None) -> Sequence[Change]:
        """Everything that became ready."""
        return [made for change in await self._feed.next(seconds) for made in self._made(change)]

    def close(self) -> None:
        """Stop."""
        self._feed.close()

    def _made(self, change: Change) -> Iterator[Change]:
        if self._derived.is_source(change.entry):
            yield from self._by_source(change)
        elif self._derived.is_part(change.entry):
            yield from self._by_part(change)
        elif self._derived.is_around(change.entry):
            yield from self._by_surroundings(change)
        else:
            yield change

    def _by_source(self, change: Change) -> Iterator[Change]:
        name = _namespaced_name(change.entry)
        new = change.entry if change.type != "DELETED" else None
        before = self._objects(change.entry if new is None else change.previous)
        if self._derived.has_parts and new is None:
            self._sources.pop(name, None)
        elif self._derived.has_parts and new is not None:
            self._sources[name] = new
        yield from _differences(change.revision, before, self._objects(new))
        for neighbour in sorted(self._derived.neighbours(new, change.previous) - {name}) if self._sources else ():
            yield from self._again(neighbour, change.revision)

    def _by_surroundings(self, change: Change) -> Iterator[Change]:
        """Rare, so all sources may be looked through."""
        texts = self._derived.touched(change)
        for name, source in self._sources.items() if texts else ():
            entries = (source, *self._parts.get(name, {}).values())
            if any(mentions(entry.wire, text) for entry in entries for text in texts):
                yield from self._again(name, change.revision)

    def _again(self, name: NamespacedName, revision: int) -> Iterator[Change]:
        """The objects of a source that something else than the source has changed, or may have."""
        for new in self._objects(self._sources.get(name)).values():
            yield Change(revision, "MODIFIED", new.at(revision), new)

    def _by_part(self, change: Change) -> Iterator[Change]:
        states = [change.entry] if change.previous is None else [change.previous, change.entry]
        names = list(dict.fromkeys(self._derived.source_name_of(state) for state in states))
        before = [self._objects(self._sources.get(name)) for name in names]
        for name in names:
            parts = self._parts.get(name, {})
            parts.pop(change.entry.name, None)
            if not parts:
                self._parts.pop(name, None)
        if change.type != "DELETED":
            self._parts.setdefault(names[-1], {})[change.entry.name] = change.entry
        for name, old in zip(names, before, strict=True):
            yield from _differences(change.revision, old, self._objects(self._sources.get(name)))

    def _objects(self, source: Entry | None) -> Named:
        return (
            {} if source is None else self._derived.of(source, self._parts.get(_namespaced_name(source), {}).values())
        )


def _differences(revision: int, before: Named, after: Named) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if new is None and old is not None:
            yield Change(revision, "DELETED", old.at(revision), None)
        elif new is not None and old is None:
            yield Change(revision, "ADDED", new.at(revision), None)
        elif new is not None and old is not None and old.at(revision).wire != new.at(revision).wire:
            yield Change(revision, "MODIFIED", new.at(revision), old)


def _namespaced_name(entry: Entry) -> NamespacedName:
    return (entry.namespace, entry.name)
