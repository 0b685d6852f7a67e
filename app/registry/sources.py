"""Where a kind's objects come from: the mirror, or computed from another kind's objects."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from app.domain.encoding import decode_object, encode_body, wire_bytes
from app.domain.kinds.catalog import Kinds
from app.domain.kinds.kind import Kind
from app.domain.kinds.meta import Cluster
from app.mirror.entry import Change, Entry, Place
from app.mirror.mirror import Mirror
from app.mirror.objects import Listing
from app.registry.forms import Forms


class ChangeFeed(Protocol):
    """Changes of one kind, as they become ready."""

    @property
    def revision(self) -> int:
        """How far the feed has come."""

    async def next(self, seconds: float | None) -> Sequence[Change]:
        """Everything that became ready; nothing when the time is out."""

    def close(self) -> None:
        """Stop."""


class Sources:
    """Objects of any kind, whether stored or derived."""

    def __init__(self, mirror: Mirror, kinds: Kinds, forms: Forms, cluster: Callable[[], Cluster]) -> None:
        self._mirror = mirror
        self._kinds = kinds
        self._forms = forms
        self._cluster = cluster

    def get(self, kind: Kind[Any], namespace: str, name: str) -> Entry | None:
        """One object, or None."""
        if kind.derive is None:
            entry = self._mirror.get(self._forms.stored(kind).key, namespace, name)
            return None if entry is None else self._forms.shown(kind, entry)
        source = self._mirror.get(kind.derived_from, namespace, name.partition(".")[0])
        return None if source is None else self._derive(kind, source).get(name)

    async def reach_back(self, kind: Kind[Any], revision: int) -> None:
        """Make sure that the objects can be listed as of a revision.

        Raises:
            Expired: The revision has left the log.
            ServiceUnavailable: The database cannot be reached.
        """
        await self._mirror.reach_back(kind.derived_from or self._forms.stored(kind).key, revision)

    def list_at(self, kind: Kind[Any], namespace: str | None, revision: int) -> Sequence[Entry]:
        """All objects as of a revision in order of namespace and name.

        Raises:
            Expired: The revision has left the history.
        """
        return self.page_at(kind, namespace, revision, None, None).entries

    def page_at(
        self, kind: Kind[Any], namespace: str | None, revision: int, after: Place | None, limit: int | None
    ) -> Listing:
        """Some objects as of a revision, from behind the place `after`; `limit` None for all.

        Raises:
            Expired: The revision has left the history.
        """
        if kind.derive is None:
            listing = self._mirror.page_at(self._forms.stored(kind).key, namespace, revision, after, limit)
            if kind.view is None:
                return listing
            return Listing([self._forms.shown(kind, entry) for entry in listing.entries], listing.remaining)
        sources = self._mirror.list_at(kind.derived_from, namespace, revision)
        entries = [entry for source in sources for entry in self._derive(kind, source).values()]
        entries.sort(key=_place)
        entries = entries if after is None else entries[bisect_right(entries, after, key=_place) :]
        page = entries if limit is None else entries[:limit]
        return Listing(page, len(entries) - len(page))

    def watch(self, kind: Kind[Any], namespace: str | None, after: int) -> ChangeFeed:
        """What changes after a revision.

        Raises:
            Expired: The revision has left the history.
        """
        if kind.view is not None:
            feed = self._mirror.watch(kind.view.stored, namespace, after)
            return _ViewFeed(feed, lambda entry: self._forms.shown(kind, entry))
        if kind.derive is None:
            return self._mirror.watch(kind.key, namespace, after)
        return _DerivedFeed(self._mirror.watch(kind.derived_from, namespace, after), lambda e: self._derive(kind, e))

    def _derive(self, kind: Kind[Any], source: Entry) -> dict[str, Entry]:
        if kind.derive is None:
            return {}
        obj = decode_object(self._kinds.by_key[kind.derived_from], source.wire)
        return {
            each.metadata.name: Entry(
                kind.key,
                source.namespace,
                each.metadata.name,
                each.metadata.uid or "",
                source.revision,
                wire_bytes(encode_body(each), source.revision),
            )
            for each in kind.derive(obj, self._cluster())
        }


class _ViewFeed:
    """Changes of a view: the stored kind's, each state in the view's form."""

    def __init__(self, feed: ChangeFeed, shown: Callable[[Entry], Entry]) -> None:
        self._feed = feed
        self._shown = shown

    @property
    def revision(self) -> int:
        return self._feed.revision

    async def next(self, seconds: float | None) -> Sequence[Change]:
        return [
            Change(
                change.revision,
                change.type,
                self._shown(change.entry),
                None if change.previous is None else self._shown(change.previous),
            )
            for change in await self._feed.next(seconds)
        ]

    def close(self) -> None:
        self._feed.close()


class _DerivedFeed:
    """Changes of a derived kind: the difference of what the source's states derive to."""

    def __init__(self, feed: ChangeFeed, derive: Callable[[Entry], dict[str, Entry]]) -> None:
        self._feed = feed
        self._derive = derive

    @property
    def revision(self) -> int:
        return self._feed.revision

    async def next(self, seconds: float | None) -> Sequence[Change]:
        return [made for change in await self._feed.next(seconds) for made in self._differences(change)]

    def close(self) -> None:
        self._feed.close()

    def _differences(self, change: Change) -> Iterator[Change]:
        deleted = change.type == "DELETED"
        source_before = change.entry if deleted else change.previous
        before = {} if source_before is None else self._derive(source_before)
        after = {} if deleted else self._derive(change.entry)
        for name in sorted({*before, *after}):
            old, new = before.get(name), after.get(name)
            if new is None and old is not None:
                yield Change(change.revision, "DELETED", old.at(change.revision), None)
            elif new is not None and old is None:
                yield Change(change.revision, "ADDED", new, None)
            elif new is not None and old is not None and _content(old) != _content(new):
                yield Change(change.revision, "MODIFIED", new, old)


def _place(entry: Entry) -> Place:
    return (entry.namespace, entry.name)


def _content(entry: Entry) -> bytes:
    return entry.wire.replace(b'"resourceVersion":"%d",' % entry.revision, b"", 1)
