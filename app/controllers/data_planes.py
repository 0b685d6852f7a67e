"""DataPlanes whose server reports no more are not connected, and those that nobody misses are deleted."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from app.controllers.controller import Controller, ObjectKey
from app.controllers.own_writes import conflict, removal, update
from app.domain.declarations.data_plane import DATA_PLANE
from app.domain.documents.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.kinds.data_plane import DataPlane
from app.domain.rules.cluster import Cluster
from app.domain.rules.conditions import with_condition
from app.domain.rules.data_plane import CONNECTED
from app.domain.timestamps import parse_time
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing, Write

SILENT_SECONDS = 25.0
"""Time without a report after which a data plane counts as disconnected; reports come every ten seconds."""

FORGOTTEN = timedelta(hours=1)
"""Time after which a data plane that is disconnected is deleted."""


class DataPlanes(Controller[ObjectKey]):
    """Counts the time from when a report was seen here: what the clock of its server says does not matter."""

    name = "data-planes"
    kinds = ()
    resync = 1.0

    def __init__(self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster
        self._seen: dict[str, tuple[int, float]] = {}

    async def take_over(self) -> None:
        """Nobody has been silent yet, as far as this process knows."""
        self._seen.clear()

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """None: what matters is silence."""
        del changes
        return ()

    def all_keys(self) -> Iterable[ObjectKey]:
        """All data planes."""
        return [("", entry.name) for entry in self._mirror.list(DATA_PLANE.key, None)]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The DataPlane."""
        return self._mirror.get(DATA_PLANE.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Look at each."""
        failures: dict[ObjectKey, RetryError] = {}
        for key in keys:
            entry = self.object_of(key)
            write = None if entry is None else self._write(entry, lease)
            if write is not None:
                outcome = await self._writer.write(write)
                if not isinstance(outcome, Committed | Missing):
                    failures[key] = conflict(outcome)
        return failures

    def _write(self, entry: Entry, lease: LeaseGuard) -> Write | None:
        now = time.monotonic()
        revision, since = self._seen.get(entry.name, (0, 0.0))
        if revision != entry.revision:
            since = now
            self._seen[entry.name] = (entry.revision, now)
        plane, cluster = decode_object(DATA_PLANE, entry.wire), self._cluster()
        if _is_connected(plane):
            if now - since < SILENT_SECONDS:
                return None
            message = "its server reports no more; it goes on with what it has"
            plane.status.conditions = with_condition(
                plane.status.conditions, CONNECTED, "False", reason="NotReported", message=message, now=cluster.now
            )
            return update(DATA_PLANE, plane, entry.revision, cluster, lease)
        reported = plane.status.reported_at or plane.metadata.creation_timestamp or cluster.now
        if parse_time(cluster.now) - parse_time(reported) < FORGOTTEN:
            return None
        return removal(DATA_PLANE, plane, entry.revision, cluster, lease)


def _is_connected(plane: DataPlane) -> bool:
    return any((each.type, each.status) == (CONNECTED, "True") for each in plane.status.conditions or [])
