"""The controller that allocates ClusterIPs, node ports and load balancer addresses."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.controllers.allocation.attempts import Attempts
from app.controllers.allocation.bulk import BulkAllocation
from app.controllers.allocation.memory import Holder, PoolMemory
from app.controllers.allocation.publishing import Publishing
from app.controllers.allocation.waiting import Waiting
from app.controllers.controller import Controller, ObjectKey
from app.controllers.event_recorder import EventRecorder
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.kind import Kind
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.objects import ObjectT
from app.domain.errors import Requeue, RetryError
from app.domain.rules.cluster import Cluster
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.notifications import PENDING
from app.store.reader import Reader
from app.store.writer import Writer
from app.store.writes import LeaseGuard

UNPUBLISHED: ObjectKey = ("", "")
"""The key that stands for all Services that were stored and not yet published."""

_REPICK_SECONDS = 0.05
"""How long a Service whose pick was held waits before another pick."""


class Allocation(Controller[ObjectKey]):
    """Allocates for Services that are not published yet, and for published ones that wait for a pool.

    What is free is known from memory, which the claims fill and the change log keeps current, in a process that does
    not own the concern, too, so that it can go on at once when it does. It is only a hint: the claims' unique rows
    decide, and a pick that turns out to be held is made again.
    """

    name = "allocation"
    resync = 1.0
    channels: Sequence[str] = (PENDING,)

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        mirror: Mirror,
        cluster: Callable[[], Cluster],
        memory: PoolMemory,
        recorder: EventRecorder,
        kinds: Kinds,
    ) -> None:
        self._reader = reader
        self._mirror = mirror
        self._cluster = cluster
        self._memory = memory
        self._waiting = Waiting()
        self._attempts = Attempts(writer, recorder, cluster, memory, self._waiting)
        bulk = BulkAllocation(writer, mirror, kinds, cluster, memory, self._attempts.publishing)
        self._publishing = Publishing(reader, mirror, memory, self._attempts, bulk)
        self._released = False

    async def learn(self) -> None:
        """Learn what is held before there is anything to do.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        await self._memory.learn()

    def observe(self, changes: Sequence[Change]) -> None:
        """Keep the memory current, and know which published Services wait."""
        self._released = False
        for change in changes:
            if change.entry.kind == SERVICE.key and not self._is_own(change):
                self._observe_service(change)
            elif change.entry.kind == IP_ADDRESS.key:
                self._remember(*_states(IP_ADDRESS, change))
        if self._memory.describe():
            self._waiting.try_all()
            self._released = True

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """Services with something left to allocate, and those that wait for what was released."""
        services = ((each.entry.namespace, each.entry.name) for each in changes if each.entry.kind == SERVICE.key)
        keys = dict.fromkeys(key for key in services if key in self._waiting)
        if self._released:
            keys.update(dict.fromkeys(self._waiting.hopeful()))
        return keys

    def hinted(self, channel: str) -> Iterable[ObjectKey]:
        """Something was stored that is not published."""
        del channel
        self._publishing.hint()
        return [UNPUBLISHED]

    def all_keys(self) -> Iterable[ObjectKey]:
        """Unpublished Services, and those that wait with hope."""
        return [UNPUBLISHED, *self._waiting.hopeful()]

    async def take_over(self) -> None:
        """Learn what is held, if that is not known, and which published Services wait."""
        if not self._memory.known:
            await self.learn()
        self._waiting.clear()
        for row in await self._reader.pending(SERVICE.key):
            self._waiting.add((row.namespace, row.name))

    async def let_go(self) -> None:
        """Forget what this process was about to do."""
        self._publishing.forget()
        self._attempts.publishing.clear()

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The Service."""
        return self._mirror.get(SERVICE.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Allocate for the keys; what finds its pool exhausted is published pending and waits for a release."""
        if not self._memory.known:
            await self.learn()
            self._waiting.try_all()
        waiting = [key for key in keys if key != UNPUBLISHED]
        again: list[ObjectKey] = []
        if waiting:
            await self._mirror.fresh()
            again = await self._reallocate(waiting, lease)
        if UNPUBLISHED in keys and not await self._publishing.publish_all(lease):
            again.append(UNPUBLISHED)
        self._memory.measure()
        return dict.fromkeys(again, Requeue("another Service holds what was picked", _REPICK_SECONDS))

    def _is_own(self, change: Change) -> bool:
        """Whether a change is a publication of this process, which is known before the log tells."""
        uid = change.entry.uid
        if change.type != "ADDED" or uid not in self._attempts.publishing:
            return False
        self._attempts.publishing.discard(uid)
        return True

    def _observe_service(self, change: Change) -> None:
        key = (change.entry.namespace, change.entry.name)
        old, new = _states(SERVICE, change)
        if new is None or not SERVICE.strategy.pending(new, self._cluster()):
            self._waiting.discard(key)
        else:
            self._waiting.add(key)
        self._remember(old, new)

    def _remember(self, old: Holder | None, new: Holder | None) -> None:
        if self._memory.follows and self._memory.observe(old, new):
            self._released = True

    async def _reallocate(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> list[ObjectKey]:
        """Try again for published Services that wait; answers those that have to be picked for again."""
        attempts = []
        for key in keys:
            entry = self._mirror.get(SERVICE.key, *key)
            service = None if entry is None else decode_object(SERVICE, entry.wire)
            if entry is None or service is None or not SERVICE.strategy.pending(service, self._cluster()):
                self._waiting.discard(key)
                continue
            before = encode_body(service)
            attempt = self._attempts.make(service, "update", entry.revision, lease)
            if attempt is None or attempt.write.body == before:
                self._waiting.add(key, () if attempt is None else attempt.picks.exhausted)
            else:
                attempts.append(attempt)
        return await self._attempts.store(attempts)


def _states(kind: Kind[ObjectT], change: Change) -> tuple[ObjectT | None, ObjectT | None]:
    """An object before and after a change."""
    deleted = change.type == "DELETED"
    before = change.entry if deleted else change.previous
    old = None if before is None else decode_object(kind, before.wire)
    return old, None if deleted else decode_object(kind, change.entry.wire)
