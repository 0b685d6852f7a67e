"""Events are kept for a while and then go."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from app.controllers.controller import Key
from app.domain.encoding import decode_object, encode_body
from app.domain.errors import RetryError
from app.domain.kinds.event import EVENT, Event
from app.domain.kinds.meta import Cluster
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.object_writes import write_of
from app.store.writer import Writer
from app.store.writes import LeaseGuard

TIME_TO_LIVE = timedelta(hours=1)
"""As long as kube-apiserver keeps Events by default (`--event-ttl`)."""


class EventExpiry:
    """Deletes Events that were last seen longer ago than `TIME_TO_LIVE`."""

    name = "event-expiry"
    resync = 60.0
    channels: Sequence[str] = ()

    def __init__(self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[Key]:
        """No change makes an Event expire."""
        del changes
        return ()

    def hinted(self, channel: str) -> Iterable[Key]:
        """Listens to no channel."""
        del channel
        return ()

    def all_keys(self) -> Iterable[Key]:
        """Every Event that is due."""
        oldest = datetime.fromisoformat(self._cluster().now) - TIME_TO_LIVE
        return [(entry.namespace, entry.name) for entry in self._mirror.list(EVENT.key, None) if _due(entry, oldest)]

    async def take_over(self) -> None:
        """Needs nothing."""

    async def reconcile(self, keys: Sequence[Key], lease: LeaseGuard) -> Mapping[Key, RetryError]:
        """Delete the Events; one that was seen again meanwhile is left for the next pass."""
        writes = []
        for namespace, name in keys:
            entry = self._mirror.get(EVENT.key, namespace, name)
            if entry is not None:
                event = decode_object(EVENT, entry.wire)
                body = encode_body(event)
                writes.append(write_of(EVENT, "delete", event, body, expected=entry.revision, lease=lease))
        await self._writer.write_all(writes)
        return {}


def _due(entry: Entry, oldest: datetime) -> bool:
    return datetime.fromisoformat(_last_seen(decode_object(EVENT, entry.wire))) < oldest


def _last_seen(event: Event) -> str:
    series = event.series.last_observed_time if event.series else None
    seen = series or event.last_timestamp or event.event_time or event.metadata.creation_timestamp
    return seen or "1970-01-01T00:00:00Z"
