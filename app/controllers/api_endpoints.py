"""The endpoints of `default/kubernetes`: the API processes that are alive."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.backend_index import BackendIndex
from app.controllers.controller import Controller, ObjectKey
from app.controllers.own_writes import creation, update
from app.controllers.slice_writes import writes_of
from app.domain.declarations.endpoints import ENDPOINTS
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.rules.cluster import Cluster
from app.domain.wanted.api_endpoints import (
    API_NAMESPACE,
    API_SERVICE,
    LEASE_PREFIX,
    ApiAddress,
    address_of,
    plan_api_endpoints,
    plan_api_slices,
)
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.leases import Leases
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write

_FORGOTTEN_AFTER_SECONDS = 60.0
"""Seconds until the lease of a process that ended without giving it back is removed."""

_KEY: ObjectKey = (API_NAMESPACE, API_SERVICE)


class ApiEndpoints(Controller[ObjectKey]):
    """Shows where the API is reached: at every process that holds a lease.

    When no process holds one, the endpoints stay as they are, because a process will come back.
    """

    name = "api-endpoints"
    kinds = ()
    resync = 1.0

    def __init__(
        self, writer: Writer, mirror: Mirror, index: BackendIndex, leases: Leases, cluster: Callable[[], Cluster]
    ) -> None:
        self._writer = writer
        self._mirror = mirror
        self._index = index
        self._leases = leases
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """None: no change tells of a process. The next full pass finds what others have written over."""
        del changes
        return ()

    def all_keys(self) -> Iterable[ObjectKey]:
        """The Service."""
        return [_KEY]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The Service."""
        return self._mirror.get(SERVICE.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Write the Endpoints object and the slices. A write that is refused is repaired by the next full pass."""
        del keys
        await self._leases.forget(LEASE_PREFIX, _FORGOTTEN_AFTER_SECONDS)
        addresses = [address_of(name) for name in await self._leases.live(LEASE_PREFIX)]
        if addresses:
            await self._mirror.fresh()
            await self._writer.write_all(self._writes(addresses, lease))
        return {}

    def _writes(self, addresses: Sequence[ApiAddress], lease: LeaseGuard) -> list[Write]:
        cluster = self._cluster()
        writes = writes_of(plan_api_slices(addresses, self._index.slices(_KEY)), cluster, lease)
        entry = self._mirror.get(ENDPOINTS.key, *_KEY)
        planned = plan_api_endpoints(addresses, None if entry is None else decode_object(ENDPOINTS, entry.wire))
        if planned is not None and entry is None:
            writes.append(creation(ENDPOINTS, planned, cluster, lease))
        elif planned is not None and entry is not None:
            writes.append(update(ENDPOINTS, planned, entry.revision, cluster, lease))
        return writes
