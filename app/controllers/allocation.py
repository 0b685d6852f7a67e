"""Allocation: ClusterIPs, node ports and load balancer addresses for the Services that wait for them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from app.controllers.controller import Key
from app.controllers.event_recorder import EventRecorder, Note
from app.domain.encoding import decode_object, encode_body
from app.domain.errors import ApiError, RetryError, Temporary
from app.domain.kinds.meta import Cluster
from app.domain.kinds.service import Service
from app.domain.kinds.service_declaration import SERVICE
from app.domain.rules.allocation import Allocation as Picks
from app.domain.rules.allocation import allocate
from app.domain.rules.pool_set import POOLED_CLAIMS, PoolSet
from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.store.notifications import PENDING, RELEASED
from app.store.object_writes import write_of
from app.store.reader import Reader
from app.store.rows import ObjectRow
from app.store.writer import Writer
from app.store.writes import Action, ClaimHeld, Committed, LeaseGuard, Outcome, Write

UNPUBLISHED: Key = ("", "")
"""The key that stands for all Services that were stored and not yet published."""

_BATCH = 512

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One Service on its way to the store, with what was picked for it."""

    service: Service
    picks: Picks
    write: Write


class Allocation:
    """Allocates for Services that are not published yet, and for published ones that wait for a pool.

    What is free is known from memory, which the claims fill at take-over and the change log keeps current. It is only
    a hint: the claims' unique rows decide, and a pick that turns out to be held is made again.
    """

    name = "allocation"
    resync = 1.0
    channels: Sequence[str] = (PENDING, RELEASED)

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        mirror: Mirror,
        cluster: Callable[[], Cluster],
        pools: PoolSet,
        recorder: EventRecorder,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._mirror = mirror
        self._cluster = cluster
        self._pools = pools
        self._recorder = recorder
        self._waiting: dict[Key, None] = {}
        self._owner = False
        self._freed = False

    def keys_of(self, changes: Sequence[Change]) -> Iterable[Key]:
        """Services that wait, and all that wait whenever something was released."""
        if not self._owner:
            return ()
        keys: dict[Key, None] = {}
        for change in changes:
            if change.entry.kind == SERVICE.key:
                keys.update(dict.fromkeys(self._observe(change)))
        return keys

    def _observe(self, change: Change) -> Iterator[Key]:
        key = (change.entry.namespace, change.entry.name)
        new = None if change.type == "DELETED" else decode_object(SERVICE, change.entry.wire)
        before = change.previous if change.type != "DELETED" else change.entry
        old = decode_object(SERVICE, before.wire) if before is not None else None
        if self._pools.moved(old, new):
            yield from self._waiting
        if new is None or not SERVICE.strategy.pending(new):
            self._waiting.pop(key, None)
        else:
            yield key

    def hinted(self, channel: str) -> Iterable[Key]:
        """Unpublished Services, and what waits when something was released without a change of the log."""
        return [UNPUBLISHED, *self._waiting] if channel == RELEASED else [UNPUBLISHED]

    def all_keys(self) -> Iterable[Key]:
        """Unpublished Services; those that wait are brought back by releases."""
        return [UNPUBLISHED]

    async def take_over(self) -> None:
        """Learn from the claims what is held, and which published Services wait."""
        await self._mirror.fresh()
        self._owner = True
        self._waiting.clear()
        self._pools.clear()
        for table in POOLED_CLAIMS:
            async for claim in self._reader.claimed(table):
                self._pools.hold(table, claim.key)
        for row in await self._reader.pending(SERVICE.key):
            self._waiting[row.namespace, row.name] = None

    async def reconcile(self, keys: Sequence[Key], lease: LeaseGuard) -> Mapping[Key, RetryError]:
        """Allocate for the keys; what finds its pool exhausted is published pending and waits for a release."""
        waiting = [key for key in keys if key != UNPUBLISHED]
        if waiting:
            await self._mirror.fresh()
            await self._reallocate(waiting, lease)
        if UNPUBLISHED in keys:
            while rows := await self._reader.unpublished(_BATCH):
                if not await self._publish(rows, lease):
                    return {UNPUBLISHED: Temporary("another process is at work on the same Services", 0.05)}
        return {}

    async def _publish(self, rows: Sequence[ObjectRow], lease: LeaseGuard) -> bool:
        """Allocate for unpublished rows and publish them; answers whether any row was settled."""
        cluster = self._cluster()
        attempts = []
        for row in rows:
            service = decode_object(SERVICE, row.body)
            self._pools.moved(None, service)
            attempts.append(self._attempt(service, "publish", None, cluster, lease))
        return await self._store(attempts)

    async def _reallocate(self, keys: Sequence[Key], lease: LeaseGuard) -> None:
        """Try again for published Services that wait."""
        cluster = self._cluster()
        attempts = []
        for key in keys:
            entry = self._mirror.get(SERVICE.key, *key)
            service = None if entry is None else decode_object(SERVICE, entry.wire)
            if entry is None or service is None or not SERVICE.strategy.pending(service):
                self._waiting.pop(key, None)
                continue
            before = encode_body(service)
            attempt = self._attempt(service, "update", entry.revision, cluster, lease)
            if attempt.write.body == before:
                self._waiting[key] = None
            else:
                attempts.append(attempt)
        await self._store(attempts)

    def _attempt(
        self, service: Service, action: Action, expected: int | None, cluster: Cluster, lease: LeaseGuard
    ) -> _Attempt:
        picks = allocate(service, self._pools.pools, cluster, created=action == "publish")
        write = write_of(SERVICE, action, service, encode_body(service), expected=expected, lease=lease)
        return _Attempt(service, picks, write)

    async def _store(self, attempts: Sequence[_Attempt]) -> bool:
        """Write what was picked; answers whether anything was settled, well or badly."""
        if not attempts:
            return False
        try:
            outcomes = await self._writer.write_all([attempt.write for attempt in attempts])
        except ApiError:
            for attempt in attempts:
                attempt.picks.give_back()
            raise
        notes = []
        for attempt, outcome in zip(attempts, outcomes, strict=True):
            self._settle(attempt, outcome)
            if isinstance(outcome, Committed):
                notes += [Note(attempt.service, "Warning", s.reason, s.message) for s in attempt.picks.shortages]
        await self._recorder.record(notes)
        return any(not isinstance(outcome, ClaimHeld) for outcome in outcomes)

    def _settle(self, attempt: _Attempt, outcome: Outcome) -> None:
        meta = attempt.service.metadata
        if isinstance(outcome, Committed):
            if attempt.write.pending:
                self._waiting[meta.namespace or "", meta.name] = None
            else:
                self._waiting.pop((meta.namespace or "", meta.name), None)
            return
        attempt.picks.give_back()
        if isinstance(outcome, ClaimHeld):
            self._pools.hold(outcome.claim.table, outcome.claim.key)
            log.info("pick was held", claim=outcome.claim.key, service=meta.name, namespace=meta.namespace)
