"""Publishing: objects that API processes stored for nobody to see get what they ask for, and are shown."""

import asyncio
from collections.abc import Iterable, Sequence

from app.controllers.allocation.attempts import AllocationKey, Attempt, Attempts
from app.controllers.allocation.bulk import BulkAllocation
from app.controllers.allocation.memory import PoolMemory
from app.domain.documents.encoding import decode_object
from app.domain.errors import ApiError
from app.domain.kinds.bulk_apply import BULK_APPLY_KEY
from app.domain.pools.allocated_kinds import ALLOCATED
from app.mirror.mirror import Mirror
from app.store.reader import Reader
from app.store.rows import ObjectRow
from app.store.writes import LeaseGuard
from app.telemetry import tracing

_ROWS_AT_ONCE = 512

_TURN_SECONDS = 0.25
"""How long publishing goes on before other keys, and the lease, are looked at."""


class Publishing:
    """Takes unpublished rows in the order they came, batch after batch."""

    def __init__(
        self, reader: Reader, mirror: Mirror, memory: PoolMemory, attempts: Attempts, bulk: BulkAllocation
    ) -> None:
        self._reader = reader
        self._mirror = mirror
        self._memory = memory
        self._attempts = attempts
        self._bulk = bulk
        self._more = asyncio.Event()
        self._broken: set[str] = set()

    def hint(self) -> None:
        """Something more was stored that is not published."""
        self._more.set()

    def forget(self) -> None:
        """Drop what only an owner needs to know."""
        self._broken.clear()

    async def publish_all(self, lease: LeaseGuard) -> bool:
        """Allocate for unpublished objects and publish them; answers whether none has to be picked for again.

        What is stored meanwhile is picked for while the batch before it is on its way to the disk.

        Raises:
            ApiError: The store cannot be reached.
        """
        await self._bulk.sweep(lease)
        loop = asyncio.get_running_loop()
        end = loop.time() + _TURN_SECONDS
        storing: set[asyncio.Task[list[AllocationKey]]] = set()
        last = 0
        try:
            async with asyncio.TaskGroup() as group:
                more = True
                # A hint has put the key into the queue, too, so that another turn follows.
                while more and not (self._more.is_set() and loop.time() > end):
                    self._more.clear()
                    rows = await self._reader.unpublished(_ROWS_AT_ONCE, last)
                    if rows:
                        last = rows[-1].ordinal
                        storing.add(group.create_task(self._attempts.store(await self._first_attempts(rows, lease))))
                    for row in rows:
                        if row.kind == BULK_APPLY_KEY:
                            with tracing.span("allocate", row.trace or ""):
                                await self._bulk.settle(row, lease)
                    more = len(rows) == _ROWS_AT_ONCE or await self._hinted_before(storing)
        except ExceptionGroup as errors:
            # One reason is enough to try again later.
            raise errors.exceptions[0] from None
        return not any(task.result() for task in storing)

    async def _hinted_before(self, storing: Iterable[asyncio.Task[list[AllocationKey]]]) -> bool:
        """Whether more is stored unpublished before all batches on their way have arrived."""
        while not self._more.is_set() and (left := [task for task in storing if not task.done()]):
            hinted = asyncio.ensure_future(self._more.wait())
            await asyncio.wait({hinted, *left}, return_when="FIRST_COMPLETED")
            hinted.cancel()
        return self._more.is_set()

    async def _first_attempts(self, rows: Sequence[ObjectRow], lease: LeaseGuard) -> list[Attempt]:
        """Pick for objects; nobody is told of a shortage that was over when the object was stored."""
        allocated = [row for row in rows if row.kind in ALLOCATED and row.uid not in self._broken]
        if self._memory.chooses_namespaces:
            # Whoever takes a namespace's label away and is answered has seen to it that nothing more is given to it.
            await self._mirror.fresh()
        attempts = [attempt for row in allocated if (attempt := self._first_attempt(row, lease))]
        short = {attempt.write.uid for attempt in attempts if attempt.picks.shortages}
        if not short:
            return attempts
        for attempt in attempts:
            if attempt.write.uid in short:
                self._memory.give_back(attempt.picks)
        try:
            await self._mirror.fresh()
        except ApiError:
            # What was picked for the others is not stored, and not given back.
            self._memory.known = False
            raise
        again = [self._first_attempt(row, lease) for row in allocated if row.uid in short]
        return [*(each for each in attempts if each.write.uid not in short), *(each for each in again if each)]

    def _first_attempt(self, row: ObjectRow, lease: LeaseGuard) -> Attempt | None:
        obj = decode_object(ALLOCATED[row.kind], row.body)
        self._memory.observe(None, obj)
        attempt = self._attempts.make(obj, "publish", None, lease, trace=row.trace)
        if attempt is None:
            self._broken.add(row.uid)
        elif attempt.picks.awaited:
            # It does not hold any more what it asks for and cannot have.
            self._memory.observe(decode_object(ALLOCATED[row.kind], row.body), obj)
        return attempt
