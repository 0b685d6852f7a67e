"""Where the objects of a kind come from: from the mirror, or computed from objects of another kind."""

from collections.abc import Sequence
from typing import Any

from app.domain.declarations.kind import Kind
from app.mirror.entry import Entry, NamespacedName
from app.mirror.objects import Listing
from app.registry.context import Context
from app.registry.derived import Derived
from app.registry.feeds import ChangeFeed, ViewFeed
from app.registry.target import Target
from app.registry.turns import in_turns


class Sources:
    """Objects of any kind, whether stored or derived."""

    def __init__(self, context: Context) -> None:
        self._mirror = context.mirror
        self._forms = context.forms
        self._derived = {
            kind.key: Derived(kind, kind.derivation, context) for kind in context.kinds if kind.derivation is not None
        }

    async def get(self, target: Target) -> Entry | None:
        """One object, or None."""
        kind = target.kind
        if kind.derivation is not None:
            return await self._derived[kind.key].get(target.scope, target.name)
        entry = self._mirror.get(self._forms.stored(kind).key, target.scope, target.name)
        return None if entry is None else self._forms.shown(kind, entry)

    async def reach_back(self, kind: Kind[Any], revision: int) -> None:
        """Make sure that the objects can be listed as of a revision.

        Raises:
            Expired: The revision has left the log.
            ServiceUnavailable: The database cannot be reached.
        """
        if kind.derivation is not None:
            await self._derived[kind.key].reach_back(revision)
        else:
            await self._mirror.reach_back(self._forms.stored(kind).key, revision)

    async def candidates_at(
        self, kind: Kind[Any], namespace: str | None, revision: int, name: str, after: NamespacedName | None = None
    ) -> Sequence[Entry]:
        """All objects as of a revision that follow the object `after`, in order of namespace and name.

        With a name, those that have it, and others only where the name does not lead to them: without a namespace, and
        where it does not tell what an object is computed from.

        Raises:
            Expired: The revision has left the history.
        """
        place = namespace if kind.namespaced else ""
        known = self._named_at(kind, place, name, revision) if name and place is not None else None
        if known is None:
            return (await self.page_at(kind, namespace, revision, after, None)).entries
        return [entry for entry in known if after is None or (entry.namespace, entry.name) > after]

    def _named_at(self, kind: Kind[Any], namespace: str, name: str, revision: int) -> Sequence[Entry] | None:
        if kind.derivation is not None:
            return self._derived[kind.key].named_at(namespace, name, revision)
        entry = self._mirror.get_at(self._forms.stored(kind).key, namespace, name, revision)
        return [] if entry is None else [self._forms.shown(kind, entry)]

    async def page_at(
        self, kind: Kind[Any], namespace: str | None, revision: int, after: NamespacedName | None, limit: int | None
    ) -> Listing:
        """The objects as of a revision that follow the object `after`, at most `limit` of them; None for all.

        Raises:
            Expired: The revision has left the history.
        """
        if kind.derivation is not None:
            return await self._derived[kind.key].page_at(namespace, revision, after, limit)
        listing = self._mirror.page_at(self._forms.stored(kind).key, namespace, revision, after, limit)
        if kind.view is None:
            return listing
        shown = [self._forms.shown(kind, entry) async for some in in_turns(listing.entries) for entry in some]
        return Listing(shown, listing.remaining)

    async def watch(self, kind: Kind[Any], namespace: str | None, after: int) -> ChangeFeed:
        """The changes after a revision.

        Raises:
            Expired: The revision has left the history.
            ServiceUnavailable: The database is needed and cannot be reached.
        """
        if kind.derivation is not None:
            return await self._derived[kind.key].watch(namespace, after)
        feed = self._mirror.watch(self._forms.stored(kind).key, namespace, after)
        return feed if kind.view is None else ViewFeed(feed, lambda entry: self._forms.shown(kind, entry))
