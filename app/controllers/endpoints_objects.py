"""The legacy Endpoints object of each Service with a selector."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from app.controllers.backend_index import BACKEND_KINDS, BackendIndex
from app.controllers.controller import Controller, ObjectKey
from app.controllers.own_writes import creation, removal, update
from app.controllers.slice_writes import plan_and_write
from app.domain.declarations.endpoints import ENDPOINTS
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.kinds.endpoints import Endpoints
from app.domain.rules.cluster import Cluster
from app.domain.wanted.endpoints import is_made_from_pods, plan_endpoints
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write


class EndpointsObjects(Controller[ObjectKey]):
    """Writes the same endpoints as the slices have, in the older form.

    An Endpoints object is deleted with its Service, whoever wrote it. One that was written by hand before there is a
    Service of its name is left alone.
    """

    name = "endpoints"
    kinds = BACKEND_KINDS
    resync = 3600.0

    def __init__(self, writer: Writer, mirror: Mirror, index: BackendIndex, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._index = index
        self._cluster = cluster
        self._orphaned: set[ObjectKey] = set()

    def observe(self, changes: Sequence[Change]) -> None:
        """Know which objects have lost their Service."""
        for change in changes:
            kind, key = change.entry.kind, (change.entry.namespace, change.entry.name)
            if change.type == "DELETED" and kind == SERVICE.key and self._mirror.get(ENDPOINTS.key, *key):
                self._orphaned.add(key)
            elif (kind, change.type) in ((SERVICE.key, "ADDED"), (ENDPOINTS.key, "DELETED")):
                self._orphaned.discard(key)

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """The Services that the changes concern, and those whose Endpoints object was deleted.

        One without a selector and without such an object is none of them.
        """
        gone = [each.entry for each in changes if each.type == "DELETED" and each.entry.kind == ENDPOINTS.key]
        named = [*((entry.namespace, entry.name) for entry in gone), *self._index.affected()]
        return [key for key in named if self._index.selects(key) or self._mirror.get(ENDPOINTS.key, *key)]

    def all_keys(self) -> Iterable[ObjectKey]:
        """All Services with a selector, and all Endpoints, whose Service may be gone."""
        entries = self._mirror.list(ENDPOINTS.key, None)
        return [*self._index.selecting(), *((entry.namespace, entry.name) for entry in entries)]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The Service."""
        return self._mirror.get(SERVICE.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Write the Endpoints objects of the Services."""
        await self._mirror.fresh()
        return await plan_and_write(self._writer, keys, partial(self._plan, lease))

    def _plan(self, lease: LeaseGuard, key: ObjectKey) -> Sequence[Write]:
        entry = self._mirror.get(ENDPOINTS.key, *key)
        if entry is None and not self._index.selects(key):
            return ()
        existing: Endpoints | None = None if entry is None else decode_object(ENDPOINTS, entry.wire)
        service = self._index.service(key)
        if service is None:
            if entry is None or existing is None or not (is_made_from_pods(existing) or key in self._orphaned):
                return ()
            return [removal(ENDPOINTS, existing, entry.revision, self._cluster(), lease)]
        planned = plan_endpoints(service, self._index.pods(service), existing)
        if planned is None:
            return ()
        if entry is None:
            return [creation(ENDPOINTS, planned, self._cluster(), lease)]
        return [update(ENDPOINTS, planned, entry.revision, self._cluster(), lease)]
