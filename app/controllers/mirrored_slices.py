"""EndpointSlices that mirror hand-written Endpoints (KEP-1713)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from app.controllers.backend_index import BackendIndex
from app.controllers.controller import Controller, ObjectKey
from app.controllers.slice_writes import labelled_by, plan_and_write, writes_of
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.endpoints import ENDPOINTS
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.domain.documents.peeking import labels_of, mentions
from app.domain.errors import RetryError
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL
from app.domain.rules.cluster import Cluster
from app.domain.wanted.mirrored_slices import CONTROLLER, plan_mirrored_slices
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write


class MirroredSlices(Controller[ObjectKey]):
    """Keeps slices in step with the Endpoints of Services without a selector."""

    name = "mirrored-slices"
    kinds = (ENDPOINTS.key, SERVICE.key, ENDPOINT_SLICE.key)
    resync = 3600.0

    def __init__(self, writer: Writer, mirror: Mirror, index: BackendIndex, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._index = index
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """The names of Services and Endpoints that changed, and of the Services of mirroring slices that changed.

        Only where there are Endpoints there is something to mirror.
        """
        return [key for key in self._named_by(changes) if self._mirror.get(ENDPOINTS.key, *key) is not None]

    def _named_by(self, changes: Sequence[Change]) -> Iterator[ObjectKey]:
        for change in changes:
            kind = change.entry.kind
            if kind in (ENDPOINTS.key, SERVICE.key):
                yield (change.entry.namespace, change.entry.name)
            elif kind == ENDPOINT_SLICE.key:
                states = [change.entry] if change.previous is None else [change.entry, change.previous]
                for entry in states:
                    if mentions(entry.wire, CONTROLLER):
                        yield (entry.namespace, labels_of(entry.wire).get(SERVICE_NAME_LABEL, ""))

    def all_keys(self) -> Iterable[ObjectKey]:
        """All Endpoints, and all Services that slices are labelled with."""
        entries = self._mirror.list(ENDPOINTS.key, None)
        return [*((entry.namespace, entry.name) for entry in entries), *self._index.slice_owners()]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The Endpoints object."""
        return self._mirror.get(ENDPOINTS.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Plan and write the mirroring slices. Slices of deleted Endpoints are left to the garbage collection."""
        await self._mirror.fresh()
        return await plan_and_write(self._writer, keys, partial(self._plan, lease))

    def _plan(self, lease: LeaseGuard, key: ObjectKey) -> Sequence[Write]:
        entry = self._mirror.get(ENDPOINTS.key, *key)
        if entry is None:
            return ()
        service = None if self._index.selects(key) else self._index.service(key)
        existing = [each for each in self._index.slices(key) if labelled_by(each, CONTROLLER)]
        if service is None and not existing:
            return ()
        plan = plan_mirrored_slices(decode_object(ENDPOINTS, entry.wire), service, existing)
        return writes_of(plan, self._cluster(), lease)
