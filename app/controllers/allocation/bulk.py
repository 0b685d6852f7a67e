"""Allocation for objects that are stored together: all of them get what they ask for, or none is stored."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from app.controllers.allocation.memory import PoolMemory
from app.domain.declarations.catalog import Kinds
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.errors import ApiError, TooManyRequests
from app.domain.kinds.bulk_apply import BULK_APPLY_KEY, BulkApply, BulkItem, BulkRefusal, BulkSpec, BulkStatus
from app.domain.kinds.static_address import StaticAddress
from app.domain.pools.allocated_kinds import ALLOCATED, allocate_for, statics_in
from app.domain.pools.picking import Picks
from app.domain.rules.cluster import Cluster
from app.domain.rules.known_addresses import KnownAddresses, StoredTogether
from app.mirror.mirror import Mirror
from app.store.object_writes import write_of
from app.store.rows import ObjectRow
from app.store.writer import Writer
from app.store.writes import Aborted, ClaimHeld, Committed, LeaseGuard, LeaseLost, Outcome, Write, outcome_document

_ITEMS_IN_A_ROW = 128
"""Items prepared between two turns of the event loop, where the lease is renewed."""

_PICKS = 5
"""How often it is picked anew when a pick turns out to be somebody else's."""

_PAUSE_SECONDS = 0.05
"""Seconds before the queue of writes, which had no room, is tried again."""


_REPICK = BulkRefusal()
"""Not told to anybody: a pick turned out to be another object's, and picking anew may help."""


class _ShortError(Exception):
    """A pool has nothing left for an item."""

    def __init__(self, refusal: BulkRefusal) -> None:
        super().__init__()
        self.refusal = refusal


class BulkAllocation:
    """Stores what API processes prepared as BulkApply objects.

    Args:
        writer: The one write path.
        mirror: Shows what was left behind.
        kinds: What may be in it.
        cluster: For the conditions, and for who serves load balancers.
        memory: What is free.
        publishing: Uids of objects on their way to be published with all they ask for.
    """

    def __init__(
        self,
        writer: Writer,
        mirror: Mirror,
        kinds: Kinds,
        cluster: Callable[[], Cluster],
        memory: PoolMemory,
        publishing: set[str],
    ) -> None:
        self._writer = writer
        self._mirror = mirror
        self._kinds = kinds
        self._cluster = cluster
        self._memory = memory
        self._publishing = publishing

    async def sweep(self, lease: LeaseGuard) -> None:
        """Remove results. A process that waits for one learns of it from its change, however short it lived."""
        for entry in self._mirror.list(BULK_APPLY_KEY, None):
            body = encode_body(msgspec.json.decode(entry.wire, type=BulkApply))
            await self._writer.write(
                Write("delete", BULK_APPLY_KEY, "", entry.name, entry.uid, body, expected_revision=entry.revision,
                      lease=lease)
            )  # fmt: skip

    async def settle(self, row: ObjectRow, lease: LeaseGuard) -> None:
        """Allocate for everything in one BulkApply and store it, or say why not.

        Raises:
            ApiError: The store cannot be reached; it stays as it was.
        """
        bulk = msgspec.json.decode(row.body, type=BulkApply)
        items = bulk.spec.items or []
        bulk.spec = BulkSpec()
        # Nothing is refused for want of what was released, or of a pool that was made, before it was asked for.
        await self._mirror.fresh()
        for _ in range(_PICKS):
            picked: list[Picks] = []
            try:
                refusal = await self._store(bulk, items, picked, lease)
            except _ShortError as short:
                refusal = short.refusal
            except BaseException:
                # Whether it was stored is not known, so what is free is not, either.
                self._memory.known = False
                raise
            if refusal is None:
                return
            for picks in picked:
                self._memory.give_back(picks)
            if refusal is not _REPICK:
                break
        self._let_go(items)
        bulk.status = BulkStatus(refusal=refusal)
        await self._together([_result(bulk, lease)])

    async def _store(
        self, bulk: BulkApply, items: list[BulkItem], picked: list[Picks], lease: LeaseGuard
    ) -> BulkRefusal | None:
        """One try; answers what stands in the way."""
        objects, asked = await self._read(items)
        writes = await self._prepared(items, objects, picked, lease)
        # Services that may share an address with what is stored together are remembered when the log tells of them.
        alone = not statics_in(objects)
        whole = {write.uid for write in writes if alone and write.kind in ALLOCATED and write.action == "create"}
        self._publishing |= whole
        outcomes: list[Outcome] = []
        try:
            outcomes = await self._together([*writes, _result(bulk, lease)])
        finally:
            if not outcomes or not isinstance(outcomes[0], Committed):
                self._publishing -= whole
        return self._refusal(outcomes, asked)

    async def _read(self, items: list[BulkItem]) -> tuple[list[Any], list[frozenset[str]]]:
        """The objects, and what each asks for by name: that is held before anything is picked for another."""
        objects: list[Any] = []
        asked: list[frozenset[str]] = []
        for index, item in enumerate(items):
            if index % _ITEMS_IN_A_ROW == 0:
                await asyncio.sleep(0)
            kind = self._kinds.by_key[item.kind]
            obj = decode_object(kind, bytes(item.object))
            objects.append(obj)
            asked.append(frozenset(claim.key for claim in kind.strategy.claims(obj, self._cluster())))
            if item.kind in ALLOCATED and item.action == "create" and asked[-1]:
                self._memory.observe(None, obj)
        return objects, asked

    def _let_go(self, items: list[BulkItem]) -> None:
        """Forget what was asked for by name; what is somebody else's turns out to be so when it is picked."""
        for item in items:
            if item.kind in ALLOCATED and item.action == "create":
                self._memory.observe(decode_object(ALLOCATED[item.kind], bytes(item.object)), None)

    async def _prepared(
        self, items: list[BulkItem], objects: list[Any], picked: list[Picks], lease: LeaseGuard
    ) -> list[Write]:
        """The writes in the order of the items. StaticAddresses are picked for first: Services can name them."""
        writes: dict[int, Write] = {}
        statics = statics_in(objects)
        known: KnownAddresses | None = None
        order = sorted(range(len(items)), key=lambda index: not isinstance(objects[index], StaticAddress))
        for turn, index in enumerate(order):
            if turn % _ITEMS_IN_A_ROW == 0:
                await asyncio.sleep(0)
            cluster = self._cluster()
            if turn == len(statics) > 0:
                known = StoredTogether(cluster.addresses, statics)
            if known is not None:
                cluster = msgspec.structs.replace(cluster, addresses=known)
            writes[index] = self._write(index, items[index], objects[index], picked, cluster, lease)
        return [writes[index] for index in range(len(items))]

    def _write(
        self, index: int, item: BulkItem, obj: Any, picked: list[Picks], cluster: Cluster, lease: LeaseGuard
    ) -> Write:
        """The write for one item, with what was picked for it."""
        kind = self._kinds.by_key[item.kind]
        if item.kind not in ALLOCATED or not kind.strategy.pending(obj, cluster):
            return write_of(
                kind, item.action, obj, bytes(item.object), cluster, expected=item.revision, lease=lease, bounded=True
            )
        created = item.action == "create"
        picks = allocate_for(obj, self._memory.pools, cluster, created=created)
        picked.append(picks)
        if picks.shortages:
            raise _ShortError(BulkRefusal(index, shortages=[shortage.message for shortage in picks.shortages]))
        return write_of(
            kind, item.action, obj, encode_body(obj), cluster, expected=item.revision, lease=lease, bounded=True
        )

    async def _together(self, writes: list[Write]) -> list[Outcome]:
        """Store all or nothing; waits for its turn where the queue is full."""
        while True:
            try:
                return list(await self._writer.write_together(writes))
            except TooManyRequests:
                await asyncio.sleep(_PAUSE_SECONDS)

    def _refusal(self, outcomes: list[Outcome], asked: list[frozenset[str]]) -> BulkRefusal | None:
        """Why nothing was stored, from the first outcome that tells."""
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, Committed | Aborted):
                continue
            if isinstance(outcome, LeaseLost):
                raise ApiError("another process has taken over")
            # The last write is the result itself. Where it is refused, nobody waits for it any more.
            if isinstance(outcome, ClaimHeld) and outcome.claim.key not in asked[index]:
                self._memory.held(outcome)
                return _REPICK
            return BulkRefusal(index, outcome=outcome_document(outcome))
        return None


def _result(bulk: BulkApply, lease: LeaseGuard) -> Write:
    """Publishes what became of it."""
    return Write(
        "publish", BULK_APPLY_KEY, "", bulk.metadata.name, bulk.metadata.uid or "", encode_body(bulk), lease=lease
    )
