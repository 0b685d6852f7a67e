"""ClusterRoles that take their rules from others: `rules` is kept equal to the union of these."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from app.controllers.controller import Controller, ObjectKey
from app.controllers.own_writes import update, write_each
from app.domain.declarations.roles import CLUSTER_ROLE
from app.domain.documents.encoding import decode_object
from app.domain.errors import RetryError
from app.domain.kinds.role import ClusterRole
from app.domain.rules.access.aggregation import aggregated_rules
from app.domain.rules.cluster import Cluster
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Write


class AggregatedRoles(Controller[ObjectKey]):
    """Overwrites whatever else was written to the rules of a ClusterRole with an aggregation rule.

    A role that aggregates aggregating roles changes again when these have changed, so chains of any length settle.
    """

    name = "aggregated-roles"
    kinds = (CLUSTER_ROLE.key,)
    resync = 300.0

    def __init__(self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """All ClusterRoles whenever one changed: any other may select it."""
        del changes
        return self.all_keys()

    def all_keys(self) -> Iterable[ObjectKey]:
        """All ClusterRoles."""
        return [("", entry.name) for entry in self._mirror.list(CLUSTER_ROLE.key, None)]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The ClusterRole."""
        return self._mirror.get(CLUSTER_ROLE.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Write the rules of those that aggregate."""
        await self._mirror.fresh()
        entries = self._mirror.list(CLUSTER_ROLE.key, None)
        roles = [(entry, decode_object(CLUSTER_ROLE, entry.wire)) for entry in entries]
        everything = [role for _, role in roles]
        wanted = set(keys)
        planned = {
            ("", entry.name): self._write(entry, role, everything, lease)
            for entry, role in roles
            if ("", entry.name) in wanted and role.aggregation_rule is not None
        }
        writes = {key: write for key, write in planned.items() if write is not None}
        return await write_each(self._writer, writes)

    def _write(self, entry: Entry, role: ClusterRole, roles: list[ClusterRole], lease: LeaseGuard) -> Write | None:
        rules = aggregated_rules(role, roles)
        if rules == (role.rules or []):
            return None
        return update(CLUSTER_ROLE, replace(role, rules=rules or None), entry.revision, self._cluster(), lease)
