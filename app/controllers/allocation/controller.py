"""The controller that allocates ClusterIPs, node ports and load balancer addresses."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from app.cluster.address_pools import POOL_KINDS
from app.controllers.allocation.attempts import AllocationKey, Attempts
from app.controllers.allocation.bulk import BulkAllocation
from app.controllers.allocation.memory import PoolMemory
from app.controllers.allocation.publishing import Publishing
from app.controllers.allocation.stocks import Stocks
from app.controllers.allocation.waiting import Waiting
from app.controllers.controller import Controller
from app.controllers.event_recorder import EventRecorder
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.kind import Kind
from app.domain.documents.encoding import decode_object, encode_body, shared_object
from app.domain.documents.objects import ObjectT
from app.domain.errors import Requeue, RetryError
from app.domain.pools.allocated_kinds import ALLOCATED, names_touched
from app.domain.pools.pool_set import Holder
from app.domain.rules.cluster import Cluster
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.notifications import PENDING, STOCKS_WANTED, Notifications
from app.store.reader import Reader
from app.store.writer import Writer
from app.store.writes import LeaseGuard
from app.telemetry.metrics import WAITING_OBJECTS

UNPUBLISHED: AllocationKey = ("", "", "")
"""The key that stands for all objects that were stored and not yet published."""

_REPICK_SECONDS = 0.05
"""How long an object whose pick was held waits before another pick."""


class Allocation(Controller[AllocationKey]):
    """Allocates for objects that are not published yet, and for published ones that wait.

    What is free is known from memory, which the claims fill and the change log keeps current, in a process that does
    not own the concern, too, so that it can go on at once when it does. It is only a hint: the claims' unique rows
    decide, and a pick that turns out to be held is made again.
    """

    name = "allocation"
    kinds = (*ALLOCATED, IP_ADDRESS.key, *POOL_KINDS)
    resync = 1.0
    channels: Sequence[str] = (PENDING, STOCKS_WANTED)

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        mirror: Mirror,
        cluster: Callable[[], Cluster],
        memory: PoolMemory,
        recorder: EventRecorder,
        kinds: Kinds,
        notifications: Notifications,
    ) -> None:
        self._reader = reader
        self._mirror = mirror
        self._cluster = cluster
        self._memory = memory
        self._waiting: Waiting[AllocationKey] = Waiting()
        self._attempts = Attempts(writer, recorder, cluster, memory, self._waiting)
        bulk = BulkAllocation(writer, mirror, kinds, cluster, memory, self._attempts.publishing)
        self._publishing = Publishing(reader, mirror, memory, self._attempts, bulk)
        self._stocks = Stocks(notifications, memory)
        self._released = False
        # The contexts of updates that have something left to allocate.
        self._traces: dict[AllocationKey, str] = {}

    async def learn(self) -> None:
        """Learn what is held before there is anything to do.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        await self._memory.learn()

    def observe(self, changes: Sequence[Change]) -> None:
        """Keep the memory current, and know which published objects wait."""
        self._released = False
        for change in changes:
            kind = ALLOCATED.get(change.entry.kind)
            if kind is not None:
                self._observe_allocated(kind, change)
            elif change.entry.kind == IP_ADDRESS.key:
                self._remember(*_states(IP_ADDRESS, change))
        WAITING_OBJECTS.set(len(self._waiting))
        if self._memory.describe():
            self._waiting.try_all()
            self._released = True

    def keys_of(self, changes: Sequence[Change]) -> Iterable[AllocationKey]:
        """Objects with something left to allocate, and those that wait for what was released or is there now."""
        keys = dict.fromkeys(key for key in map(_key_of, changes) if key in self._waiting)
        if self._released:
            keys.update(dict.fromkeys(self._waiting.hopeful()))
        return keys

    def hinted(self, channel: str, message: str) -> Iterable[AllocationKey]:
        """Something was stored that is not published, or an API process asks for a stock."""
        if channel == STOCKS_WANTED:
            process = self._stocks.want(message)
            return [_stock_key(process)] if process else []
        self._publishing.hint()
        return [UNPUBLISHED]

    def all_keys(self) -> Iterable[AllocationKey]:
        """Unpublished objects, and those that wait with hope."""
        return [UNPUBLISHED, *self._waiting.hopeful()]

    async def take_over(self) -> None:
        """Learn what is held, if that is not known, and which published objects wait."""
        if not self._memory.known:
            await self.learn()
        self._waiting.clear()
        for kind in ALLOCATED:
            for row in await self._reader.pending(kind):
                self._waiting.add((kind, row.namespace, row.name))

    async def let_go(self) -> None:
        """Forget what this process was about to do."""
        self._publishing.forget()
        self._stocks.forget()
        self._traces.clear()
        self._attempts.publishing.clear()

    def object_of(self, key: AllocationKey) -> Entry | None:
        """The Service or StaticAddress."""
        return self._mirror.get(*key)

    async def reconcile(self, keys: Sequence[AllocationKey], lease: LeaseGuard) -> Mapping[AllocationKey, RetryError]:
        """Allocate for the keys; what finds nothing is published pending and waits."""
        if not self._memory.known:
            await self.learn()
            self._waiting.try_all()
        await self._stocks.send(_processes(keys), lease)
        waiting = [key for key in keys if key[0] in ALLOCATED]
        again: list[AllocationKey] = []
        if waiting:
            await self._mirror.fresh()
            again = await self._reallocate(waiting, lease)
        if UNPUBLISHED in keys and not await self._publishing.publish_all(lease):
            again.append(UNPUBLISHED)
        self._memory.measure()
        WAITING_OBJECTS.set(len(self._waiting))
        return dict.fromkeys(again, Requeue("another Service holds what was picked", _REPICK_SECONDS))

    def _is_own(self, change: Change) -> bool:
        """Whether a change is a publication of this process, which is known before the log tells."""
        uid = change.entry.uid
        if change.type != "ADDED" or uid not in self._attempts.publishing:
            return False
        self._attempts.publishing.discard(uid)
        return True

    def _observe_allocated(self, kind: Kind[Any], change: Change) -> None:
        own = self._is_own(change)
        if (own and not self._waiting.awaits) or not change.alters_content:
            return
        old, new = _states(kind, change)
        touched = (name for each in (old, new) if each is not None for name in names_touched(each))
        if self._waiting.awaits and self._waiting.changed(touched):
            self._released = True
        if own:
            return
        key = _key_of(change)
        if new is None or not kind.strategy.pending(new, self._cluster()):
            self._waiting.discard(key)
            self._traces.pop(key, None)
        else:
            self._waiting.add(key)
            if change.trace:
                self._traces[key] = change.trace
        self._remember(old, new)

    def _remember(self, old: Holder | None, new: Holder | None) -> None:
        if self._memory.follows and self._memory.observe(old, new):
            self._released = True

    async def _reallocate(self, keys: Sequence[AllocationKey], lease: LeaseGuard) -> list[AllocationKey]:
        """Try again for published objects that wait; answers those that have to be picked for again."""
        attempts = []
        for key in keys:
            kind, entry = ALLOCATED[key[0]], self._mirror.get(*key)
            obj = None if entry is None else decode_object(kind, entry.wire)
            if entry is None or obj is None or not kind.strategy.pending(obj, self._cluster()):
                self._waiting.discard(key)
                continue
            before = encode_body(obj)
            attempt = self._attempts.make(obj, "update", entry.revision, lease, trace=self._traces.pop(key, None))
            if attempt is None or attempt.write.body == before:
                self._waiting.add(key, None if attempt is None else attempt.picks)
            else:
                attempts.append(attempt)
        return await self._attempts.store(attempts)


def _stock_key(process: str) -> AllocationKey:
    """The key that stands for the stock of an API process; no kind has an empty key."""
    return "", "", process


def _processes(keys: Iterable[AllocationKey]) -> list[str]:
    """The API processes for whose stocks some of these keys stand."""
    return [process for kind, _, process in keys if not kind and process]


def _key_of(change: Change) -> AllocationKey:
    return change.entry.kind, change.entry.namespace, change.entry.name


def _states(kind: Kind[ObjectT], change: Change) -> tuple[ObjectT | None, ObjectT | None]:
    """An object before and after a change."""
    old, new = (None if entry is None else shared_object(kind, entry.wire) for entry in (change.before, change.after))
    return old, new
