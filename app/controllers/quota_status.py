"""The status of ResourceQuotas: what is used, as the store counts it."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.controller import Controller, ObjectKey
from app.controllers.own_writes import update, write_each
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.resource_quota import RESOURCE_QUOTA, countable
from app.domain.documents.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.kinds.resource_quota import ResourceQuotaStatus
from app.domain.rules.cluster import Cluster
from app.domain.rules.quota_resources import used_of
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.reader import Reader
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write


class QuotaStatus(Controller[ObjectKey]):
    """Tells what is used of each quota. The store has counted it, so nothing depends on this being in time."""

    name = "quota-status"
    # What is deleted before it was published leaves no change.
    resync = 300.0

    def __init__(
        self, writer: Writer, reader: Reader, mirror: Mirror, cluster: Callable[[], Cluster], kinds: Kinds
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._mirror = mirror
        self._cluster = cluster
        self._countable = countable(kinds)

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """All quotas of the namespaces in which something changed.

        As in Kubernetes a new status is no reason to look: this is who writes it, or who writes to `/status` wants it.
        """
        if not self._mirror.list(RESOURCE_QUOTA.key, None):
            return
        namespaces = {change.entry.namespace for change in changes if not _is_only_told(change)} - {""}
        for namespace in namespaces:
            yield from ((namespace, entry.name) for entry in self._mirror.list(RESOURCE_QUOTA.key, namespace))

    def all_keys(self) -> Iterable[ObjectKey]:
        """All quotas."""
        return [(entry.namespace, entry.name) for entry in self._mirror.list(RESOURCE_QUOTA.key, None)]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The ResourceQuota."""
        return self._mirror.get(RESOURCE_QUOTA.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Write what is used, where it is something else than the status says."""
        used: dict[str, dict[str, int]] = {}
        for row in await self._reader.quota_limits(sorted({namespace for namespace, _ in keys})):
            used.setdefault(row.namespace, {})[row.measure] = row.used
        writes: dict[ObjectKey, Write] = {}
        for key in keys:
            entry = self.object_of(key)
            write = None if entry is None else self._write(entry, used.get(entry.namespace, {}), lease)
            if write is not None:
                writes[key] = write
        return await write_each(self._writer, writes)

    def _write(self, entry: Entry, used: Mapping[str, int], lease: LeaseGuard) -> Write | None:
        quota = decode_object(RESOURCE_QUOTA, entry.wire)
        counted = {limit.measure for limit in RESOURCE_QUOTA.strategy.limits(quota)}
        hard = quota.spec.hard or {}
        told = used_of(hard, self._countable, {measure: used.get(measure, 0) for measure in counted})
        status = ResourceQuotaStatus(hard or None, told or None)
        if status == quota.status:
            return None
        quota.status = status
        return update(RESOURCE_QUOTA, quota, entry.revision, self._cluster(), lease)


def _is_only_told(change: Change) -> bool:
    """Whether of a ResourceQuota nothing changed but what is told of it."""
    if change.entry.kind != RESOURCE_QUOTA.key or change.previous is None or change.type == "DELETED":
        return False
    now, before = (decode_object(RESOURCE_QUOTA, each.wire) for each in (change.entry, change.previous))
    return bool(now.spec == before.spec)
