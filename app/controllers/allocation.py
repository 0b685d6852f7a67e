"""Allocation: ClusterIPs, node ports and load balancer addresses for the Services that wait for them."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from app.controllers.bulk_allocation import BulkAllocation
from app.controllers.controller import Controller, ObjectKey
from app.controllers.event_recorder import EventRecorder, Note
from app.controllers.pool_memory import Holder, PoolMemory
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.kind import Kind
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.objects import ObjectT
from app.domain.errors import ApiError, RetryError, Temporary
from app.domain.kinds.bulk_apply import BULK_APPLY_KEY
from app.domain.kinds.service import Service
from app.domain.pools.allocation import Picks, Pool, allocate
from app.domain.pools.pool_set import PoolSet
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.conditions import is_explained
from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.store.notifications import PENDING
from app.store.object_writes import write_of
from app.store.reader import Reader
from app.store.rows import ObjectRow
from app.store.writer import Writer
from app.store.writes import Action, ClaimHeld, Committed, LeaseGuard, Missing, Outcome, Write

UNPUBLISHED: ObjectKey = ("", "")
"""The key that stands for all Services that were stored and not yet published."""

_BATCH = 512

_TURN = 0.25
"""Seconds for which publishing goes on before other keys, and the lease, are looked at."""

_REPICK = 0.05
"""Seconds before another pick for a Service whose pick was held."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One Service on its way to the store, with what was picked for it; `waited` if it had been told of a shortage."""

    service: Service
    picks: Picks
    write: Write
    waited: bool

    @property
    def key(self) -> ObjectKey:
        return self.service.metadata.namespace or "", self.service.metadata.name


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
        pools: PoolSet,
        recorder: EventRecorder,
        kinds: Kinds,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._mirror = mirror
        self._cluster = cluster
        self._memory = PoolMemory(reader, pools, cluster)
        self._recorder = recorder
        # What each one found exhausted, and how many it needs of that; None while it has to be tried in any case.
        self._waiting: dict[ObjectKey, Sequence[tuple[Pool[Any], int]] | None] = {}
        self._broken: set[str] = set()
        # Services on their way to be published with all they ask for, by uid: their change tells nothing new.
        self._publishing: set[str] = set()
        self._bulk = BulkAllocation(writer, mirror, kinds, cluster, self._memory, self._publishing)
        self._hint = asyncio.Event()
        self._released = False

    async def learn(self) -> None:
        """Learn what is held before there is anything to do.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        await self._memory.learn(self._cluster().service_cidrs)

    def observe(self, changes: Sequence[Change]) -> None:
        """Keep the memory current, and know which published Services wait."""
        self._released = False
        for change in changes:
            if change.entry.kind == SERVICE.key and not self._is_own(change):
                self._observe_service(change)
            elif change.entry.kind == IP_ADDRESS.key:
                self._remember(*_states(IP_ADDRESS, change))
            elif change.entry.kind == SERVICE_CIDR.key:
                self._waiting = dict.fromkeys(self._waiting)
                self._released = True

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """Services with something left to allocate, and those that wait for what was released."""
        services = ((each.entry.namespace, each.entry.name) for each in changes if each.entry.kind == SERVICE.key)
        keys = dict.fromkeys(key for key in services if key in self._waiting)
        if self._released:
            keys.update(dict.fromkeys(self._hopeful()))
        return keys

    def _is_own(self, change: Change) -> bool:
        """Whether a change is a publication of this process, which is known before the log tells."""
        uid = change.entry.uid
        if change.type != "ADDED" or uid not in self._publishing:
            return False
        self._publishing.discard(uid)
        return True

    def _observe_service(self, change: Change) -> None:
        key = (change.entry.namespace, change.entry.name)
        old, new = _states(SERVICE, change)
        if new is None or not SERVICE.strategy.pending(new, self._cluster()):
            self._waiting.pop(key, None)
        else:
            self._waiting[key] = None
        self._remember(old, new)

    def _remember(self, old: Holder | None, new: Holder | None) -> None:
        if self._memory.follows and self._memory.observe(old, new):
            self._released = True

    def _hopeful(self) -> Iterator[ObjectKey]:
        """Those that wait and have not been tried since what they wait for has enough free."""
        for key, exhausted in self._waiting.items():
            if exhausted is None or any(pool.free >= needed for pool, needed in exhausted):
                yield key

    def hinted(self, channel: str) -> Iterable[ObjectKey]:
        """Something was stored that is not published."""
        del channel
        self._hint.set()
        return [UNPUBLISHED]

    def all_keys(self) -> Iterable[ObjectKey]:
        """Unpublished Services, and those that wait with hope."""
        return [UNPUBLISHED, *self._hopeful()]

    async def take_over(self) -> None:
        """Learn what is held, if that is not known, and which published Services wait."""
        if not self._memory.fits(self._cluster().service_cidrs):
            await self.learn()
        self._waiting.clear()
        for row in await self._reader.pending(SERVICE.key):
            self._waiting[row.namespace, row.name] = None

    async def let_go(self) -> None:
        """Forget what this process was about to do."""
        self._broken.clear()
        self._publishing.clear()

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Allocate for the keys; what finds its pool exhausted is published pending and waits for a release."""
        if not self._memory.fits(self._cluster().service_cidrs):
            await self._relearn()
        waiting = [key for key in keys if key != UNPUBLISHED]
        again: list[ObjectKey] = []
        if waiting:
            await self._mirror.fresh()
            again = await self._reallocate(waiting, lease)
        if UNPUBLISHED in keys:
            await self._bulk.sweep(lease)
            if not await self._publish_all(lease):
                again.append(UNPUBLISHED)
        self._memory.measure()
        return dict.fromkeys(again, Temporary("what was picked is held by another Service", _REPICK))

    async def _relearn(self) -> None:
        """The pools are other objects then, so that what waits for them has to be tried again."""
        await self.learn()
        self._waiting = dict.fromkeys(self._waiting)

    async def _publish_all(self, lease: LeaseGuard) -> bool:
        """Allocate for unpublished Services and publish them; answers whether none has to be picked for again.

        What is stored meanwhile is picked for while the batch before it is on its way to the disk.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + _TURN
        storing: set[asyncio.Task[list[ObjectKey]]] = set()
        last = 0
        try:
            async with asyncio.TaskGroup() as group:
                more = True
                # Who hinted has put the key into the queue, too, so that another turn follows.
                while more and not (self._hint.is_set() and loop.time() > end):
                    self._hint.clear()
                    rows = await self._reader.unpublished(_BATCH, last)
                    if rows:
                        last = rows[-1].ordinal
                        storing.add(group.create_task(self._store(self._first_attempts(rows, lease))))
                    for row in rows:
                        if row.kind == BULK_APPLY_KEY:
                            await self._bulk.settle(row, lease)
                    more = len(rows) == _BATCH or await self._hinted_before(storing)
        except ExceptionGroup as errors:
            # One reason is enough to try again later.
            raise errors.exceptions[0] from None
        return not any(task.result() for task in storing)

    async def _hinted_before(self, storing: Iterable[asyncio.Task[list[ObjectKey]]]) -> bool:
        """Whether more is stored unpublished before all batches on their way have arrived."""
        while not self._hint.is_set() and (left := [task for task in storing if not task.done()]):
            hinted = asyncio.ensure_future(self._hint.wait())
            await asyncio.wait({hinted, *left}, return_when="FIRST_COMPLETED")
            hinted.cancel()
        return self._hint.is_set()

    def _first_attempts(self, rows: Sequence[ObjectRow], lease: LeaseGuard) -> list[_Attempt]:
        cluster = self._cluster()
        known = [row for row in rows if row.kind == SERVICE.key and row.uid not in self._broken]
        return [attempt for row in known if (attempt := self._first_attempt(row, cluster, lease))]

    def _first_attempt(self, row: ObjectRow, cluster: Cluster, lease: LeaseGuard) -> _Attempt | None:
        service = decode_object(SERVICE, row.body)
        self._memory.observe(None, service)
        attempt = self._attempt(service, "publish", None, cluster, lease)
        if attempt is None:
            self._broken.add(row.uid)
        return attempt

    async def _reallocate(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> list[ObjectKey]:
        """Try again for published Services that wait; answers those that have to be picked for again."""
        cluster = self._cluster()
        attempts = []
        for key in keys:
            entry = self._mirror.get(SERVICE.key, *key)
            service = None if entry is None else decode_object(SERVICE, entry.wire)
            if entry is None or service is None or not SERVICE.strategy.pending(service, cluster):
                self._waiting.pop(key, None)
                continue
            before = encode_body(service)
            attempt = self._attempt(service, "update", entry.revision, cluster, lease)
            if attempt is None or attempt.write.body == before:
                self._waiting[key] = () if attempt is None else attempt.picks.exhausted
            else:
                attempts.append(attempt)
        return await self._store(attempts)

    def _attempt(
        self, service: Service, action: Action, expected: int | None, cluster: Cluster, lease: LeaseGuard
    ) -> _Attempt | None:
        """Pick for one Service; None when a defect prevents it, which must not stop the others."""
        waited = is_explained(service)
        try:
            picks = allocate(service, self._memory.pools, cluster, created=action == "publish")
            body = encode_body(service)
            write = write_of(SERVICE, action, service, body, cluster, expected=expected, lease=lease)
        except Exception:  # noqa: BLE001 - logged, and the Service is tried again
            _log.exception("cannot allocate", service=service.metadata.name, namespace=service.metadata.namespace)
            self._memory.known = False
            return None
        return _Attempt(service, picks, write, waited)

    async def _store(self, attempts: Sequence[_Attempt]) -> list[ObjectKey]:
        """Write what was picked; answers those whose picks turned out to be held."""
        whole = {each.write.uid for each in attempts if each.write.action == "publish" and not each.write.pending}
        self._publishing |= whole
        try:
            outcomes = await self._writer.write_all([attempt.write for attempt in attempts])
        except (ApiError, asyncio.CancelledError):
            self._memory.known = False
            self._publishing -= whole
            raise
        notes: list[Note] = []
        again = []
        for attempt, outcome in zip(attempts, outcomes, strict=True):
            if isinstance(outcome, Committed):
                notes += self._settled(attempt)
            elif self._undone(attempt, outcome):
                again.append(attempt.key)
        await self._recorder.record(notes)
        return again

    def _settled(self, attempt: _Attempt) -> list[Note]:
        """Note what became of the Service; answers what people should know about it."""
        if attempt.write.pending:
            self._waiting[attempt.key] = attempt.picks.exhausted
            return [Note(attempt.service, "Warning", s.reason, s.message) for s in attempt.picks.shortages]
        self._waiting.pop(attempt.key, None)
        if attempt.waited:
            return [Note(attempt.service, "Normal", "Allocated", "what it waited for has been allocated")]
        return []

    def _undone(self, attempt: _Attempt, outcome: Outcome) -> bool:
        """Give back what was picked in vain; answers whether it has to be picked for again."""
        attempt.picks.give_back()
        self._publishing.discard(attempt.write.uid)
        if isinstance(outcome, ClaimHeld):
            self._memory.held(outcome)
            _log.info("pick was held", claim=outcome.claim.key, service="/".join(attempt.key))
        if isinstance(outcome, Missing) and attempt.write.action == "publish":
            self._memory.observe(attempt.service, None)
        return isinstance(outcome, ClaimHeld)


def _states(kind: Kind[ObjectT], change: Change) -> tuple[ObjectT | None, ObjectT | None]:
    """An object before and after a change."""
    deleted = change.type == "DELETED"
    before = change.entry if deleted else change.previous
    old = None if before is None else decode_object(kind, before.wire)
    return old, None if deleted else decode_object(kind, change.entry.wire)
