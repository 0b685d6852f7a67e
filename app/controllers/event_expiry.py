"""Events are kept for a while and then go."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from app.controllers.controller import Controller, Key
from app.controllers.deadlines import Deadlines
from app.controllers.object_writes import removal
from app.domain.declarations.event import EVENT
from app.domain.documents.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.kinds.event import Event
from app.domain.rules.cluster import Cluster
from app.domain.timestamps import parse_time
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard

TIME_TO_LIVE = timedelta(hours=1)
"""As long as kube-apiserver keeps Events by default (`--event-ttl`)."""

_TURN = 2_000


class EventExpiry(Controller):
    """Deletes Events that were created, and last seen, longer ago than `TIME_TO_LIVE`."""

    name = "event-expiry"
    resync = 10.0

    def __init__(self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster
        self._deadlines: Deadlines[Key] = Deadlines()
        self._owner = False

    def keys_of(self, changes: Sequence[Change]) -> Iterable[Key]:
        """No change makes an Event expire at once."""
        for change in changes if self._owner else ():
            if change.entry.kind == EVENT.key and change.type == "DELETED":
                self._deadlines.drop(_key(change.entry))
            elif change.entry.kind == EVENT.key:
                self._deadlines.set(_key(change.entry), _end(decode_object(EVENT, change.entry.wire)))
        return ()

    def all_keys(self) -> Iterable[Key]:
        """Every Event that is due."""
        return self._deadlines.due(self._now())

    async def take_over(self) -> None:
        """Learn when each is due; changes are brought in meanwhile."""
        await self._mirror.fresh()
        self._deadlines = Deadlines()
        self._owner = True
        for number, entry in enumerate(self._mirror.list(EVENT.key, None)):
            if number % _TURN == 0:
                await asyncio.sleep(0)
            if self._mirror.by_uid(entry.uid) is entry:
                self._deadlines.set(_key(entry), _end(decode_object(EVENT, entry.wire)))

    async def reconcile(self, keys: Sequence[Key], lease: LeaseGuard) -> Mapping[Key, RetryError]:
        """Delete the Events; one that was seen again meanwhile has another deadline."""
        writes = []
        for key in keys:
            entry = self._mirror.get(EVENT.key, *key)
            event = None if entry is None else decode_object(EVENT, entry.wire)
            if entry is not None and event is not None and _end(event) <= self._now():
                writes.append(removal(EVENT, event, entry.revision, lease))
        await self._writer.write_all(writes)
        return {}

    def _now(self) -> float:
        return parse_time(self._cluster().now).timestamp()


def _key(entry: Entry) -> Key:
    return (entry.namespace, entry.name)


def _end(event: Event) -> float:
    """When an Event is due: what was last seen long ago and is told only now is kept for its time, too."""
    series = event.series.last_observed_time if event.series else None
    told = (event.metadata.creation_timestamp, event.event_time, event.last_timestamp, series)
    latest = max((parse_time(text).timestamp() for text in told if text), default=0.0)
    return latest + TIME_TO_LIVE.total_seconds()
