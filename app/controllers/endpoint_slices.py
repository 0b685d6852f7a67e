"""EndpointSlices of Services with a selector (KEP-752)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from app.controllers.backend_index import BACKEND_KINDS, BackendIndex
from app.controllers.controller import Controller, ObjectKey
from app.controllers.slice_writes import labelled_by, plan_and_write, writes_of
from app.domain.declarations.service import SERVICE
from app.domain.errors import RetryError
from app.domain.rules.cluster import Cluster
from app.domain.wanted.endpoint_slices import CONTROLLER, plan_endpoint_slices
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write


class EndpointSlices(Controller[ObjectKey]):
    """Keeps the slices of each Service in step with its pods.

    The slices of a deleted Service are left to the garbage collection.
    """

    name = "endpoint-slices"
    kinds = BACKEND_KINDS
    resync = 3600.0

    def __init__(self, writer: Writer, mirror: Mirror, index: BackendIndex, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._index = index
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """The Services that the changes concern, of those that have slices or shall have some."""
        del changes
        return [key for key in self._index.affected() if self._is_concerned(key)]

    def all_keys(self) -> Iterable[ObjectKey]:
        """All Services with a selector."""
        return self._index.selecting()

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The Service."""
        return self._mirror.get(SERVICE.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Plan and write the slices of the Services."""
        await self._mirror.fresh()
        return await plan_and_write(self._writer, keys, partial(self._plan, lease))

    def _plan(self, lease: LeaseGuard, key: ObjectKey) -> Sequence[Write]:
        service = self._index.service(key) if self._is_concerned(key) else None
        if service is None:
            return ()
        existing = [each for each in self._index.slices(key) if labelled_by(each, CONTROLLER)]
        plan = plan_endpoint_slices(service, self._index.pods(service), self._index.nodes, existing)
        return writes_of(plan, self._cluster(), lease)

    def _is_concerned(self, key: ObjectKey) -> bool:
        return self._index.selects(key) or self._index.has_slices(key)
