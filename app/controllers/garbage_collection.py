"""Garbage collection: objects are deleted with their owners (`metadata.ownerReferences`)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from app.controllers.controller import Controller, stored_entries
from app.controllers.dependents import NO_TIES, Dependents, ties_of
from app.controllers.own_writes import conflict, deletion, update, write_in_turn
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.objects import KubeObject, OwnerReference
from app.domain.errors import RetryError
from app.domain.rules.cluster import Cluster
from app.domain.rules.deletion import FOREGROUND_FINALIZER, ORPHAN_FINALIZER, is_released, mark_deleted
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.object_writes import write_of
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing, Outcome, Write

Owner = Literal["there", "waiting", "gone"]


class GarbageCollection(Controller[str]):
    """Collects objects whose owners are all gone, and carries out foreground and orphaning deletions.

    Keys are uids. An owner counts as gone when the mirror is fresh and does not have its uid. Uids are never reused,
    so the owner cannot come back. An owner of a kind that is not served here counts as there.
    """

    name = "garbage-collection"
    resync = 3600.0

    def __init__(self, writer: Writer, mirror: Mirror, kinds: Kinds, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._kinds = kinds
        self._cluster = cluster
        self._dependents = Dependents()

    async def learn(self) -> None:
        """Learn which objects belong to which."""
        self._dependents = Dependents()
        async for entry in stored_entries(self._mirror, (kind.key for kind in self._kinds if kind.stored)):
            self._dependents.put(entry)

    def observe(self, changes: Sequence[Change]) -> None:
        """Know which objects belong to which."""
        for change in changes:
            if change.type == "DELETED":
                self._dependents.drop(change.entry.uid)
            else:
                self._dependents.put(change.entry)

    def keys_of(self, changes: Sequence[Change]) -> Iterable[str]:
        """Objects that lack an owner or begin to wait for their dependents, and owners that waited for a change."""
        for change in changes:
            uid = change.entry.uid
            before = change.before
            ties = NO_TIES if before is None else ties_of(before)
            if change.type == "DELETED":
                yield from self._dependents.of(uid)
            elif self._dependents.waits(uid):
                yield uid
                if not ties.waits:
                    yield from self._dependents.of(uid)
            elif self._has_lost(change.entry):
                yield uid
            yield from (owner.uid for owner in ties.owners if self._dependents.waits(owner.uid))

    def all_keys(self) -> Iterable[str]:
        """All objects that lack an owner, and all that wait for their dependents."""
        owned = (self._mirror.by_uid(uid) for uid in self._dependents.all())
        lacking = [entry.uid for entry in owned if entry is not None and self._has_lost(entry)]
        return [*lacking, *self._dependents.foreground, *self._dependents.orphaning]

    def object_of(self, key: str) -> Entry | None:
        """The object that is to be collected, or to be deleted."""
        return self._mirror.by_uid(key)

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Delete objects that have lost all owners, and go on with deletions that wait for dependents."""
        await self._mirror.fresh()
        planned: list[tuple[str, Write]] = []
        failures: dict[str, RetryError] = {}
        for key in keys:
            entry = self._mirror.by_uid(key)
            refusal = await self._orphan(entry, lease) if entry and key in self._dependents.orphaning else None
            if refusal is not None:
                failures[key] = conflict(refusal)
            elif entry is not None and (write := self._next_step(entry, lease)) is not None:
                planned.append((key, write))
        outcomes = await write_in_turn(self._writer, [write for _, write in planned])
        for (key, _), outcome in zip(planned, outcomes, strict=True):
            if not _is_done(outcome):
                failures[key] = conflict(outcome)
        return failures

    async def _orphan(self, entry: Entry, lease: LeaseGuard) -> Outcome | None:
        """Remove an owner from the references of its dependents; answers the outcome of a write that was refused."""
        found = (self._mirror.by_uid(uid) for uid in self._dependents.of(entry.uid))
        writes = [self._without_owners(each, {entry.uid}, lease) for each in found if each is not None]
        return next((each for each in await write_in_turn(self._writer, writes) if not _is_done(each)), None)

    def _next_step(self, entry: Entry, lease: LeaseGuard) -> Write | None:
        kind = self._kinds.by_key[entry.kind]
        obj = decode_object(kind, entry.wire)
        if entry.uid in self._dependents.orphaning:
            return self._without_finalizer(kind, obj, ORPHAN_FINALIZER, entry, lease)
        if entry.uid in self._dependents.foreground:
            blocked = any(self._blocks(uid, entry.uid) for uid in self._dependents.of(entry.uid))
            return None if blocked else self._without_finalizer(kind, obj, FOREGROUND_FINALIZER, entry, lease)
        return self._collected(kind, obj, entry, lease)

    def _collected(self, kind: Kind[Any], obj: KubeObject, entry: Entry, lease: LeaseGuard) -> Write | None:
        """The deletion of an object that has lost all owners; if some are left, a write without the lost ones."""
        if obj.metadata.deletion_timestamp is not None:
            return None
        states = {owner.uid: self._state(entry, owner) for owner in obj.metadata.owner_references or []}
        lost = {uid for uid, state in states.items() if state != "there"}
        if not lost:
            return None
        if len(lost) < len(states):
            return self._without_owners(entry, lost, lease)
        dependents = self._dependents.of(entry.uid)
        if "waiting" not in states.values() or not dependents:
            return deletion(kind, entry, self._cluster(), lease)
        if any(uid in self._dependents.foreground for uid in dependents):
            # A circle: each would wait for the other for ever.
            for owner in obj.metadata.owner_references or []:
                owner.block_owner_deletion = False
        cluster = self._cluster()
        mark_deleted(kind, obj, cluster, "Foreground")
        return update(kind, obj, entry.revision, cluster, lease)

    def _without_owners(self, entry: Entry, owners: set[str], lease: LeaseGuard) -> Write:
        kind = self._kinds.by_key[entry.kind]
        obj = decode_object(kind, entry.wire)
        kept = [each for each in obj.metadata.owner_references or [] if each.uid not in owners]
        obj.metadata.owner_references = kept or None
        return update(kind, obj, entry.revision, self._cluster(), lease)

    def _without_finalizer(
        self, kind: Kind[Any], obj: KubeObject, finalizer: str, entry: Entry, lease: LeaseGuard
    ) -> Write:
        obj.metadata.finalizers = [each for each in obj.metadata.finalizers or [] if each != finalizer] or None
        action: Literal["delete", "update"] = "delete" if is_released(kind, obj) else "update"
        body = encode_body(obj)
        return write_of(kind, action, obj, body, self._cluster(), expected=entry.revision, lease=lease)

    def _has_lost(self, entry: Entry) -> bool:
        return any(self._state(entry, owner) != "there" for owner in self._dependents.owners(entry.uid))

    def _state(self, entry: Entry, reference: OwnerReference) -> Owner:
        """What has become of an owner. An object of its uid with another name, kind or namespace is another object."""
        kind = self._kinds.by_kind(reference.api_version, reference.kind)
        if kind is None or (kind.namespaced and not entry.namespace):
            return "there"
        owner = self._mirror.by_uid(reference.uid)
        if owner is None:
            return "gone" if kind.derivation is None else "there"
        stored = kind.view.stored if kind.view is not None else kind.key
        namespace = entry.namespace if kind.namespaced else ""
        if (owner.kind, owner.namespace, owner.name) != (stored, namespace, reference.name):
            return "gone"
        return "waiting" if owner.uid in self._dependents.foreground else "there"

    def _blocks(self, uid: str, owner: str) -> bool:
        return any(each.uid == owner and each.block_owner_deletion for each in self._dependents.owners(uid))


def _is_done(outcome: Outcome) -> bool:
    return isinstance(outcome, Committed | Missing)
