"""Deletion of namespaces: first of everything in them, then of themselves."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.controller import Controller, ObjectKey
from app.controllers.own_writes import deletion, update, write_in_turn
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.namespace import NAMESPACE
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.errors import Requeue, RetryError
from app.domain.rules.cluster import Cluster
from app.domain.rules.deletion import is_released
from app.domain.rules.namespace_deletion import tell_what_remains
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.object_writes import write_of
from app.store.writer import Writer
from app.store.writes import Action, Committed, LeaseGuard

_LOOK_AGAIN_SECONDS = 1.0
"""Time until a namespace is looked at again in which another writer was faster."""


class Namespaces(Controller[ObjectKey]):
    """Deletes everything in a Terminating namespace, then removes the namespace's own finalizer.

    An object with finalizers stays until they are removed. Until then the conditions of the namespace name them, and
    the namespace is looked at again when something in it changes.
    """

    name = "namespaces"
    resync = 30.0

    def __init__(self, writer: Writer, mirror: Mirror, kinds: Kinds, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster
        self._contents = [kind for kind in kinds.all if kind.namespaced and kind.stored]
        self._terminating: set[str] = set()

    async def learn(self) -> None:
        """Find the terminating namespaces."""
        self._terminating.clear()
        for entry in self._mirror.list(NAMESPACE.key, None):
            self._note(entry, gone=False)

    def observe(self, changes: Sequence[Change]) -> None:
        """Know which namespaces are terminating."""
        for change in changes:
            if change.entry.kind == NAMESPACE.key:
                self._note(change.entry, gone=change.type == "DELETED")

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """Namespaces that began to terminate, and terminating ones in which something changed."""
        for change in changes if self._terminating else ():
            entry = change.entry
            name = entry.name if entry.kind == NAMESPACE.key else entry.namespace
            if name in self._terminating:
                yield ("", name)

    def all_keys(self) -> Iterable[ObjectKey]:
        """Every terminating namespace."""
        return [("", name) for name in self._terminating]

    def _note(self, entry: Entry, *, gone: bool) -> None:
        if not gone and decode_object(NAMESPACE, entry.wire).metadata.deletion_timestamp is not None:
            self._terminating.add(entry.name)
        else:
            self._terminating.discard(entry.name)

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The namespace."""
        return self._mirror.get(NAMESPACE.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Delete the objects in the namespaces, and remove the finalizer of namespaces that are empty."""
        await self._mirror.fresh()
        failures: dict[ObjectKey, RetryError] = {}
        for _, name in keys:
            if name in self._terminating and not await self._advance(name, lease):
                failures["", name] = Requeue("another writer changed what is in it", _LOOK_AGAIN_SECONDS)
        return failures

    async def _advance(self, name: str, lease: LeaseGuard) -> bool:
        """Empty a namespace, then remove its finalizer or say what is left; answers whether all writes were stored."""
        writes = [
            write
            for kind in self._contents
            for entry in self._mirror.list(kind.key, name)
            if (write := deletion(kind, entry, self._cluster(), lease)) is not None
        ]
        outcomes = await write_in_turn(self._writer, writes)
        await self._mirror.fresh()
        stored = all(isinstance(outcome, Committed) for outcome in outcomes)
        contents = {kind.key: count for kind in self._contents if (count := len(self._mirror.list(kind.key, name)))}
        step = self._show_what_remains(name, contents, lease) if contents else self._finalize(name, lease)
        return await step and stored

    async def _show_what_remains(self, name: str, contents: Mapping[str, int], lease: LeaseGuard) -> bool:
        """Write into the namespace's status what is left in it; answers whether the status says so now."""
        entry = self._mirror.get(NAMESPACE.key, "", name)
        if entry is None:
            return True
        held = Counter(
            finalizer
            for kind in self._contents
            for each in self._mirror.list(kind.key, name)
            for finalizer in decode_object(kind, each.wire).metadata.finalizers or []
        )
        namespace = decode_object(NAMESPACE, entry.wire)
        before = encode_body(namespace)
        cluster = self._cluster()
        tell_what_remains(namespace, contents, held, cluster.now)
        if encode_body(namespace) == before:
            return True
        write = update(NAMESPACE, namespace, entry.revision, cluster, lease)
        return isinstance(await self._writer.write(write), Committed)

    async def _finalize(self, name: str, lease: LeaseGuard) -> bool:
        """Remove the finalizer `kubernetes`; answers whether the namespace has it no more."""
        entry = self._mirror.get(NAMESPACE.key, "", name)
        if entry is None:
            return True
        namespace = decode_object(NAMESPACE, entry.wire)
        namespace.spec.finalizers = [each for each in namespace.spec.finalizers or [] if each != "kubernetes"] or None
        action: Action = "delete" if is_released(NAMESPACE, namespace) else "update"
        body = encode_body(namespace)
        write = write_of(NAMESPACE, action, namespace, body, self._cluster(), expected=entry.revision, lease=lease)
        return isinstance(await self._writer.write(write), Committed)
