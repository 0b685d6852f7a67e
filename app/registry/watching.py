"""The verb watch: a stream of the changes that one client selects."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.errors import Cause
from app.mirror.entry import Change, Entry
from app.registry.context import Context
from app.registry.feeds import ChangeFeed
from app.registry.options import WatchEvent, WatchOptions
from app.registry.outcomes import invalid_object
from app.registry.reading import REVISION_WAIT_SECONDS, parse_revision, too_large
from app.registry.selection import Selection, shared_selection
from app.registry.sources import Sources
from app.registry.target import Target
from app.registry.turns import in_turns

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
"""Annotation of the bookmark that follows the last of the objects with which a watch begins (KEP-3157)."""


class Watch:
    """One client's watch. `next` gives the events that became ready, `revision` the revision reached, for bookmarks."""

    def __init__(self, selection: Selection, name: str, feed: ChangeFeed, initial: list[WatchEvent]) -> None:
        self._selection = selection
        self._name = name
        self._feed = feed
        self._initial = initial

    @property
    def revision(self) -> int:
        """All changes up to this revision were given out, or are not selected."""
        return self._feed.revision

    @property
    def has_begun(self) -> bool:
        """Whether it has given out the objects with which it begins."""
        return not self._initial

    async def next(self, seconds: float | None) -> list[WatchEvent]:
        """All events that became ready; none if so many seconds pass first.

        Raises:
            Expired: The history no longer holds the changes that come next.
        """
        if self._initial:
            initial, self._initial = self._initial, []
            return initial
        changes = await self._feed.next(seconds)
        return list(self._select(changes))

    def close(self) -> None:
        """End the watch and free its memory."""
        self._feed.close()

    def _select(self, changes: Sequence[Change]) -> Iterator[WatchEvent]:
        for change in changes:
            if not self._name or change.entry.name == self._name:
                event = self._selection.event(change)
                if event is not None:
                    yield event


class Watching:
    """The verb watch."""

    def __init__(self, context: Context, sources: Sources) -> None:
        self._context = context
        self._sources = sources

    async def watch(self, target: Target, options: WatchOptions) -> Watch:
        """Start a watch.

        Raises:
            ApiError: A selector or option is refused, or the revision is in the future.
            Expired: The revision has left the history.
        """
        _check_options(target.kind, options)
        selection = shared_selection(target.kind, options.label_selector, options.field_selector, options.search)
        mirror = self._context.mirror
        version = options.resource_version
        wants_initial = options.send_initial_events
        from_now = version in ("", "0") or bool(wants_initial)
        if not version:
            await mirror.fresh()
        elif version == "0":
            await self._context.reach_own()
        else:
            wanted = parse_revision(version)
            if not await mirror.at_least(wanted, REVISION_WAIT_SECONDS):
                raise too_large(wanted, mirror.revision)
        start = mirror.revision if from_now else parse_revision(version)
        feed = await self._sources.watch(target.kind, target.namespace, start)
        shows_initial = from_now and wants_initial is not False
        name = options.name or selection.name
        initial = await self._initial(target, options, selection, name, start) if shows_initial else []
        return Watch(selection, name, feed, initial)

    async def _initial(
        self, target: Target, options: WatchOptions, selection: Selection, name: str, start: int
    ) -> list[WatchEvent]:
        entries: Sequence[Entry] = await self._sources.candidates_at(target.kind, target.namespace, start, name)
        events = [
            WatchEvent("ADDED", entry, entry.revision)
            async for some in in_turns(entries)
            for entry in some
            if (not name or entry.name == name) and selection.matches(entry)
        ]
        if options.send_initial_events:
            events.append(WatchEvent("BOOKMARK", None, start, annotations={INITIAL_EVENTS_END: "true"}))
        return events


def _check_options(kind: Kind[Any], options: WatchOptions) -> None:
    match = options.resource_version_match
    if match and options.send_initial_events is None:
        cause = Cause("FieldValueForbidden", "resourceVersionMatch", "Forbidden: it needs sendInitialEvents on a watch")
        raise invalid_object(kind, "", [cause])
    if options.send_initial_events is not None and match != "NotOlderThan":
        message = 'Forbidden: sendInitialEvents needs resourceVersionMatch "NotOlderThan"'
        raise invalid_object(kind, "", [Cause("FieldValueForbidden", "resourceVersionMatch", message)])
