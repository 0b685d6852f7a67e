"""Events are deleted an hour after they were last seen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache

from app.controllers.controller import Controller, ObjectKey, stored_entries
from app.controllers.deadlines import Deadlines
from app.controllers.own_writes import removal
from app.domain.declarations.event import EVENT
from app.domain.documents.encoding import decode_object
from app.domain.documents.peeking import event_times_of
from app.domain.errors import RetryError
from app.domain.rules.cluster import Cluster
from app.domain.timestamps import parse_time
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard

TIME_TO_LIVE = timedelta(hours=1)
"""As long as kube-apiserver keeps Events by default (`--event-ttl`)."""


class EventExpiry(Controller[ObjectKey]):
    """Deletes Events that were neither created nor seen again within `TIME_TO_LIVE`."""

    name = "event-expiry"
    kinds = (EVENT.key,)
    resync = 10.0

    def __init__(self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster
        self._deadlines: Deadlines[ObjectKey] = Deadlines()

    async def learn(self) -> None:
        """Learn when each Event is due."""
        self._deadlines = Deadlines()
        async for entry in stored_entries(self._mirror, [EVENT.key]):
            self._deadlines.set(_key(entry), _end(entry))

    async def take_over(self) -> None:
        """Begin with all Events that are due, also those that an earlier pass of this process has named."""
        self._deadlines.repeat()

    def observe(self, changes: Sequence[Change]) -> None:
        """Know when each Event is due."""
        for change in changes:
            if change.type == "DELETED":
                self._deadlines.drop(_key(change.entry))
            else:
                self._deadlines.set(_key(change.entry), _end(change.entry))

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """No change makes an Event expire at once."""
        del changes
        return ()

    def all_keys(self) -> Iterable[ObjectKey]:
        """Every Event that is due."""
        return self._deadlines.due(self._now())

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Delete the Events, except those that were seen again meanwhile."""
        writes = []
        for key in keys:
            entry = self._mirror.get(EVENT.key, *key)
            if entry is not None and _end(entry) <= self._now():
                writes.append(removal(EVENT, decode_object(EVENT, entry.wire), entry.revision, self._cluster(), lease))
        await self._writer.write_all(writes)
        return {}

    def _now(self) -> float:
        return parse_time(self._cluster().now).timestamp()


def _key(entry: Entry) -> ObjectKey:
    return (entry.namespace, entry.name)


def _end(event: Entry) -> float:
    """When an Event is due, in seconds since 1970. The latest of its times counts, its creation included."""
    latest = max(map(_seconds, event_times_of(event.wire)), default=0.0)
    return latest + TIME_TO_LIVE.total_seconds()


@lru_cache(maxsize=256)
def _seconds(text: str) -> float:
    """A time in seconds since 1970. Most Events that come at the same time name the same second."""
    return parse_time(text).timestamp()
