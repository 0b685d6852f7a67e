"""The legacy Endpoints object of each Service with a selector."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.backend_index import BackendIndex
from app.controllers.controller import Key
from app.controllers.object_writes import creation, removal, update
from app.controllers.slice_writes import settle
from app.domain.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.kinds.endpoints_declaration import ENDPOINTS
from app.domain.kinds.meta import Cluster
from app.domain.wanted.endpoints import is_made_from_pods, plan_endpoints
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write


class EndpointsObjects:
    """Writes the same endpoints as the slices have, in the older form. Without its Service an object made here goes."""

    name = "endpoints"
    resync = 300.0
    channels: Sequence[str] = ()

    def __init__(self, writer: Writer, mirror: Mirror, index: BackendIndex, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._index = index
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[Key]:
        """The Services that the changes concern, and those whose object was deleted."""
        deleted = [
            (change.entry.namespace, change.entry.name)
            for change in changes
            if change.entry.kind == ENDPOINTS.key and change.type == "DELETED"
        ]
        return [*self._index.affected(changes), *deleted]

    def hinted(self, channel: str) -> Iterable[Key]:
        """Listens to no channel."""
        del channel
        return ()

    def all_keys(self) -> Iterable[Key]:
        """All Services, and all Endpoints, whose Service may be gone."""
        entries = self._mirror.list(ENDPOINTS.key, None)
        return [*self._index.services(), *((entry.namespace, entry.name) for entry in entries)]

    async def take_over(self) -> None:
        """Start from what is stored now."""
        await self._mirror.fresh()
        self._index.reload()

    async def reconcile(self, keys: Sequence[Key], lease: LeaseGuard) -> Mapping[Key, RetryError]:
        """Write the objects of the Services, all in one go."""
        await self._mirror.fresh()
        wanted = [(key, write) for key in dict.fromkeys(keys) if (write := self._write(key, lease)) is not None]
        outcomes = await self._writer.write_all([write for _, write in wanted])
        return settle([key for key, _ in wanted], outcomes)

    def _write(self, key: Key, lease: LeaseGuard) -> Write | None:
        entry: Entry | None = self._mirror.get(ENDPOINTS.key, *key)
        existing = None if entry is None else decode_object(ENDPOINTS, entry.wire)
        service = self._index.service(key)
        if service is None:
            if entry is None or existing is None or not is_made_from_pods(existing):
                return None
            return removal(ENDPOINTS, existing, entry.revision, lease)
        planned = plan_endpoints(service, self._index.pods(service), existing)
        if planned is None:
            return None
        if entry is None:
            return creation(ENDPOINTS, planned, self._cluster().now, lease)
        return update(ENDPOINTS, planned, entry.revision, lease)
