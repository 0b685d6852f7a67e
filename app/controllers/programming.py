"""The condition `Programmed` of LoadBalancer Services: whether the data planes have taken them over."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.controller import Controller, ObjectKey
from app.controllers.own_writes import update, write_each
from app.domain.declarations.data_plane import DATA_PLANE
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object, shared_object
from app.domain.documents.peeking import mentions
from app.domain.errors import Requeue, RetryError
from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.data_plane import DescribedPlane, described_plane
from app.domain.rules.service.conditions import PROGRAMMED, find_condition, set_condition
from app.domain.rules.service.load_balancer_wish import is_ours
from app.domain.wanted.load_balancer import frontends_of
from app.domain.wanted.programming import programmed
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write

LATE_SECONDS = 30.0
"""A Service that is not taken over after so long is told so."""


class Programming(Controller[ObjectKey]):
    """Waits for data planes to take Services over.

    What data planes report concerns only the Services that wait or are rejected; who is connected concerns none.
    """

    name = "programming"
    kinds = (SERVICE.key, DATA_PLANE.key)
    resync = 300.0

    def __init__(self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster
        self._waiting: dict[ObjectKey, tuple[int, float]] = {}
        self._planes: dict[str, DescribedPlane] = {}
        self._concerned: set[ObjectKey] = set()

    def observe(self, changes: Sequence[Change]) -> None:
        """Note which Services the reports of data planes concern."""
        for change in changes:
            if change.entry.kind != DATA_PLANE.key:
                continue
            before = self._planes.pop(change.entry.name, None)
            after = None
            if change.type != "DELETED":
                after = self._planes[change.entry.name] = described_plane(decode_object(DATA_PLANE, change.entry.wire))
            self._note(before, after)

    def _note(self, before: DescribedPlane | None, after: DescribedPlane | None) -> None:
        if _identity(before) != _identity(after):
            self._concerned.update(self.all_keys())
            return
        rejected = [{} if plane is None else plane.rejected for plane in (before, after)]
        self._concerned.update(key for key, _ in rejected[0].items() ^ rejected[1].items())
        self._concerned.update(self._waiting)

    async def take_over(self) -> None:
        """Begin anew: every Service is looked at."""
        self._waiting.clear()

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """The LoadBalancer Services that changed, and those that reports concern."""
        concerned, self._concerned = self._concerned, set()
        for change in changes:
            entry = change.entry
            if entry.kind == SERVICE.key and change.type != "DELETED" and mentions(entry.wire, "LoadBalancer"):
                concerned.add((entry.namespace, entry.name))
        return concerned

    def all_keys(self) -> Iterable[ObjectKey]:
        """All LoadBalancer Services."""
        entries = self._mirror.list(SERVICE.key, None)
        return [(each.namespace, each.name) for each in entries if mentions(each.wire, "LoadBalancer")]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The Service."""
        return self._mirror.get(SERVICE.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Write the conditions that say something new."""
        failures: dict[ObjectKey, RetryError] = {}
        writes: dict[ObjectKey, Write] = {}
        for key in keys:
            entry = self.object_of(key)
            if entry is None:
                self._waiting.pop(key, None)
                continue
            write = self._write(key, entry, lease)
            if write is not None:
                writes[key] = write
            elif key in self._waiting:
                failures[key] = Requeue("a data plane has not taken it over yet", LATE_SECONDS)
        return failures | await write_each(self._writer, writes)

    def _write(self, key: ObjectKey, entry: Entry, lease: LeaseGuard) -> Write | None:
        cluster, service = self._cluster(), shared_object(SERVICE, entry.wire)
        if not is_ours(service, cluster):
            self._waiting.pop(key, None)
            return None
        revision, since = self._waiting.get(key, (0, 0.0))
        if revision != entry.revision:
            since = time.monotonic()
        late = time.monotonic() >= since + LATE_SECONDS
        places = [(each.scope, each.pool) for each in frontends_of(service, cluster)]
        found = programmed(service, places, entry.revision, cluster.data_planes, late=late)
        if found is None or found.reason == "NotServed":
            self._waiting[key] = (entry.revision, since)
        else:
            self._waiting.pop(key, None)
        if found is None or _says(service, found.status, found.reason, found.message):
            return None
        told = decode_object(SERVICE, entry.wire)
        set_condition(told, cluster, PROGRAMMED, found.status, reason=found.reason, message=found.message)
        return update(SERVICE, told, entry.revision, cluster, lease)


def _identity(plane: DescribedPlane | None) -> tuple[object, ...]:
    """What decides which Services a data plane is there for."""
    return () if plane is None else (plane.name, plane.scopes, plane.pools)


def _says(service: Service, status: str, reason: str, message: str) -> bool:
    told = find_condition(service, PROGRAMMED)
    return told is not None and (told.status, told.reason, told.message) == (status, reason, message)
