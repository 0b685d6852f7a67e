"""EndpointSlices of Services with a selector (KEP-752)."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.backend_index import BackendIndex
from app.controllers.controller import Key
from app.controllers.slice_writes import labelled_by, settle, writes_of
from app.domain.errors import RetryError
from app.domain.kinds.meta import Cluster
from app.domain.wanted.endpoint_slices import CONTROLLER, plan_endpoint_slices
from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write


class EndpointSlices:
    """Keeps the slices of each Service in step with its pods. What goes with its Service is left to collection."""

    name = "endpoint-slices"
    resync = 300.0
    channels: Sequence[str] = ()

    def __init__(self, writer: Writer, mirror: Mirror, index: BackendIndex, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._index = index
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[Key]:
        """The Services that the changes concern."""
        return self._index.affected(changes)

    def hinted(self, channel: str) -> Iterable[Key]:
        """Listens to no channel."""
        del channel
        return ()

    def all_keys(self) -> Iterable[Key]:
        """All Services."""
        return self._index.services()

    async def take_over(self) -> None:
        """Start from what is stored now."""
        await self._mirror.fresh()
        self._index.reload()

    async def reconcile(self, keys: Sequence[Key], lease: LeaseGuard) -> Mapping[Key, RetryError]:
        """Plan and write the slices of the Services, all in one go."""
        await self._mirror.fresh()
        now = self._cluster().now
        writes: list[Write] = []
        owners: list[Key] = []
        for key in keys:
            service = self._index.service(key)
            if service is None:
                continue
            existing = [each for each in self._index.slices(key) if labelled_by(each, CONTROLLER)]
            plan = plan_endpoint_slices(service, self._index.pods(service), self._index.nodes, existing)
            made = writes_of(plan, self._mirror, now, lease)
            writes += made
            owners += [key] * len(made)
        return settle(owners, await self._writer.write_all(writes))
