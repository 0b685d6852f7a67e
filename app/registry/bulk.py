"""Bulk apply: many objects, stored all or none of them, allocation included."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from app.domain.documents.encoding import encode_body
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import Cause, Conflict, Timeout
from app.domain.kinds import bulk_apply
from app.domain.kinds.bulk_apply import BULK_APPLY_KEY, BulkApply, BulkItem, BulkRefusal, BulkSpec
from app.registry.bulk_preparation import (
    BulkOptions,
    BulkPreparation,
    BulkResult,
    PreparedItem,
    RawItem,
    located,
    refused,
)
from app.registry.consequences import Consequences, KnownParts
from app.registry.context import Context, entry_from_object
from app.registry.creation import Creation
from app.registry.outcomes import refusal
from app.registry.publication import awaited, unseen_holder
from app.registry.target import Target
from app.registry.updating import Updating
from app.store.writes import Aborted, Committed, Missing, NameTaken, Outcome, Stale, Write, read_outcome
from app.uids import new_uid

_ATTEMPTS = 3
"""How often all items are prepared, because objects can change meanwhile."""

_ALLOCATION_SECONDS = 30.0
"""Seconds to wait for the reconciler. After that, nothing is stored."""


class _StaleError(Exception):
    """An object was changed, or created, after its write was prepared.

    Attributes:
        holder: The object that holds a name or a claim, if it may not be published yet.
    """

    def __init__(self, holder: Target | None) -> None:
        super().__init__()
        self.holder = holder


class Bulk:
    """Prepares all items outside of the write lock, and has them stored in one transaction.

    An item is applied to its object (KEP-555), or creates it. If an item needs an allocation, all of them go to the
    reconciler as one BulkApply; else they are stored at once.
    """

    def __init__(self, context: Context, creation: Creation, updating: Updating, consequences: Consequences) -> None:
        self._context = context
        self._consequences = consequences
        self._preparation = BulkPreparation(context, creation, updating)

    async def apply(self, items: Sequence[RawItem], options: BulkOptions) -> list[BulkResult]:
        """Apply all items or none.

        Raises:
            ApiError: Nothing was stored; causes name the items, `items[3].spec.ports`.
            Timeout: The outcome is not known.
        """
        for _ in range(_ATTEMPTS):
            await self._context.mirror.fresh()
            prepared = await self._preparation.prepare(items, options)
            if options.write.dry_run:
                return await self._preview(prepared)
            try:
                await self._store(prepared)
            except _StaleError as stale:
                if stale.holder is not None:
                    await awaited(self._context, stale.holder)
                continue
            return [each.result for each in prepared]
        raise Conflict("others change the objects faster than they can be applied; nothing was stored")

    async def _preview(self, prepared: Sequence[PreparedItem]) -> list[BulkResult]:
        """What would be stored, with a tentative allocation."""
        previews = self._context.previews
        for preview in set(previews.values()):
            ours = [each for each in prepared if each.write and previews.get(each.kind.key) is preview]
            new = [(each.obj, each.result.result == "created") for each in ours]
            short = await preview.many(new, self._context.cluster())
            if short:
                raise refused([Cause("FieldValueInvalid", "items", message) for message in short])
        await self._forecast(prepared)
        known: KnownParts = {}
        for each in prepared:
            if each.write is not None:
                told = self._consequences.of(each.kind, self._stored(each), each.obj, known)
                each.result.preview = told
                each.result.entry = entry_from_object(each.kind, each.obj, each.result.entry.revision)
                await asyncio.sleep(0)
        return [each.result for each in prepared]

    async def _forecast(self, prepared: Sequence[PreparedItem]) -> None:
        """Check that the quotas would allow all items together."""
        cluster = self._context.cluster()
        going, writes = [], []
        for index, each in enumerate(prepared):
            if each.write is not None:
                old = self._stored(each)
                going.append((index, each))
                writes.append((each.write, {} if old is None else each.kind.strategy.charges(old, cluster)))
        for (index, each), exceeded in zip(going, await self._context.quotas.exceeded(writes), strict=True):
            if exceeded is not None:
                meta = each.obj.metadata
                raise refused(located(index, refusal(each.kind, meta.namespace or "", meta.name, exceeded)))

    def _stored(self, each: PreparedItem) -> Any:
        """The object as it is; None for a new one."""
        meta = each.obj.metadata
        entry = self._context.known(Target(each.kind, meta.namespace, meta.name))
        return None if entry is None else self._context.forms.decoded(each.kind, entry)

    async def _store(self, prepared: Sequence[PreparedItem]) -> None:
        going = [(index, each) for index, each in enumerate(prepared) if each.write is not None]
        writes = [each.write for _, each in going if each.write is not None]
        if not writes:
            return
        if any(write.pending for write in writes):
            await self._store_by_reconciler(going)
        else:
            outcomes = await self._context.writer.write_together(writes)
            for (index, each), outcome in zip(going, outcomes, strict=True):
                self._check(index, each, outcome)
            await self._context.mirror.fresh()
        for _, each in going:
            self._show(each)

    def _show(self, each: PreparedItem) -> None:
        """Answer the object as it was stored; if it was deleted since, as it was sent."""
        entry = self._context.mirror.by_uid(each.obj.metadata.uid or "")
        if entry is not None:
            each.result.entry = self._context.forms.shown(each.kind, entry)

    async def _store_by_reconciler(self, going: Sequence[tuple[int, PreparedItem]]) -> None:
        uid = new_uid()
        writes = [each.write for _, each in going if each.write is not None]
        items = [
            BulkItem(write.action, write.kind, msgspec.Raw(write.body), write.expected_revision)
            for write in writes
            if write.action != "publish"
        ]
        meta = ObjectMeta(name=uid, uid=uid, creation_timestamp=self._context.cluster().now)
        bulk = BulkApply(bulk_apply.API_VERSION, bulk_apply.KIND, meta, BulkSpec(items))
        body = await asyncio.to_thread(encode_body, bulk)
        confidential = any(write.confidential for write in writes)
        write = Write(
            "create", BULK_APPLY_KEY, "", uid, uid, body, published=False, pending=True, confidential=confidential
        )
        outcome = await self._context.writer.write(write)
        if not isinstance(outcome, Committed):
            raise Timeout("the objects could not be handed over to a reconciler; nothing was stored")
        entry = await self._context.mirror.wait_for(uid, _ALLOCATION_SECONDS)
        if entry is None:
            await self._withdraw(write)
            return
        found = msgspec.json.decode(entry.wire, type=BulkApply).status.refusal
        if found is not None:
            self._raise(found, going)

    async def _withdraw(self, write: Write) -> None:
        """Take back the BulkApply, unless its items were stored a moment ago."""
        outcome = await self._context.writer.write(replace(write, action="delete", published=True, pending=False))
        if isinstance(outcome, Committed) and outcome.revision is None:
            seconds = f"{_ALLOCATION_SECONDS:g} seconds"
            raise Timeout(f"no reconciler allocated for the objects within {seconds}; nothing was stored")
        raise Timeout("this process did not learn in time whether the objects are stored; read them to find out")

    def _check(self, index: int, each: PreparedItem, outcome: Outcome) -> None:
        if isinstance(outcome, Committed | Aborted):
            return
        meta = each.obj.metadata
        holder = unseen_holder(self._context, Target(each.kind, meta.namespace, meta.name), outcome)
        if holder is not None or isinstance(outcome, NameTaken | Stale | Missing):
            raise _StaleError(holder)
        raise refused(located(index, refusal(each.kind, meta.namespace or "", meta.name, outcome)))

    def _raise(self, found: BulkRefusal, going: Sequence[tuple[int, PreparedItem]]) -> None:
        index, each = going[found.index]
        if found.outcome is not None:
            self._check(index, each, read_outcome(found.outcome))
        raise refused([Cause("FieldValueInvalid", f"items[{index}]", text) for text in found.shortages or []])
