"""EndpointSlices that mirror hand-written Endpoints (KEP-1713)."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.backend_index import BackendIndex
from app.controllers.controller import Key
from app.controllers.slice_writes import labelled_by, settle, writes_of
from app.domain.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.kinds.endpoints_declaration import ENDPOINTS
from app.domain.kinds.meta import Cluster
from app.domain.wanted.mirrored_slices import CONTROLLER, plan_mirrored_slices
from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write


class MirroredSlices:
    """Keeps slices in step with the Endpoints of Services without a selector."""

    name = "mirrored-slices"
    resync = 300.0
    channels: Sequence[str] = ()

    def __init__(self, writer: Writer, mirror: Mirror, index: BackendIndex, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._index = index
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[Key]:
        """The Services that the changes concern, and those whose Endpoints changed."""
        touched = [
            (change.entry.namespace, change.entry.name) for change in changes if change.entry.kind == ENDPOINTS.key
        ]
        return [*self._index.affected(changes), *touched]

    def hinted(self, channel: str) -> Iterable[Key]:
        """Listens to no channel."""
        del channel
        return ()

    def all_keys(self) -> Iterable[Key]:
        """All Endpoints, and everything that slices are labelled with."""
        entries = self._mirror.list(ENDPOINTS.key, None)
        return [*((entry.namespace, entry.name) for entry in entries), *self._index.slice_owners()]

    async def take_over(self) -> None:
        """Start from what is stored now."""
        await self._mirror.fresh()
        self._index.reload()

    async def reconcile(self, keys: Sequence[Key], lease: LeaseGuard) -> Mapping[Key, RetryError]:
        """Plan and write the mirroring slices. Those of Endpoints that are gone go by collection."""
        await self._mirror.fresh()
        now = self._cluster().now
        writes: list[Write] = []
        owners: list[Key] = []
        for key in dict.fromkeys(keys):
            entry = self._mirror.get(ENDPOINTS.key, *key)
            if entry is None:
                continue
            existing = [each for each in self._index.slices(key) if labelled_by(each, CONTROLLER)]
            plan = plan_mirrored_slices(decode_object(ENDPOINTS, entry.wire), self._index.service(key), existing)
            made = writes_of(plan, self._mirror, now, lease)
            writes += made
            owners += [key] * len(made)
        return settle(owners, await self._writer.write_all(writes))
