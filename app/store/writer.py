"""The one write path: concurrent writes of a process are committed together, in one batch after the other."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from app.domain.errors import ApiError, InternalError, ServiceUnavailable, TooManyRequests
from app.store.batch import Independence, clash, shows
from app.store.commit import Committer, RefusedBatchError, refused
from app.store.database import Database
from app.store.write_spans import WriteSpans
from app.store.writes import Aborted, ClaimHeld, Committed, Outcome, Write
from app.telemetry.metrics import COMMIT_QUEUE

BATCH_WRITES = 512
"""Writes in a batch at most, so that none holds the lock for long."""

BATCH_BYTES = 8 * 2**20
"""Bytes of bodies in a batch, but for its last member."""

BULK_DEADLINE = 20.0
"""Seconds that storing writes which go together may take."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Member:
    """A write that waits for its outcome."""

    write: Write
    until: float
    future: asyncio.Future[Outcome]

    @property
    def writes(self) -> Sequence[Write]:
        return (self.write,)


@dataclass(slots=True, eq=False)
class _Group:
    """Writes that wait to be stored together."""

    writes: Sequence[Write]
    future: asyncio.Future[Sequence[Outcome]]


class Writer:
    """Gathers the writes that arrive while a batch is being committed, and commits them as the next batch.

    Every method raises TooManyRequests when too many writes wait, ServiceUnavailable when the database cannot be
    reached (in both cases nothing was stored), Timeout when the deadline has passed and the outcome is unknown, and
    InternalError when Postgres refuses the write itself.

    Args:
        database: Where.
        deadline: Seconds that a write may wait for its batch; the batch may take as many again. The time that other
            writes take, of this process or of others, does not count: all get their turn.
        queue_limit: The most writes that may wait.
        queue_bytes: The most bytes of bodies that may wait.
        ceiling: The most objects that a namespace may have; None if there is no limit.

    Attributes:
        newest: The newest revision that a write has got here; 0 before the first.
    """

    def __init__(
        self,
        database: Database,
        *,
        deadline: float = 3.0,
        queue_limit: int = 4096,
        queue_bytes: int = 64 * 2**20,
        ceiling: int | None = None,
    ) -> None:
        self.ceiling = ceiling
        self.newest = 0
        self._committer = Committer(database, lock_timeout=deadline / 3, ceiling=ceiling)
        self._deadline = deadline
        self._limits = (queue_limit, queue_bytes)
        self._queue: deque[_Member | _Group] = deque()
        self._waiting_bytes = 0
        self._wake_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._storing = True

    async def start(self) -> None:
        """Begin committing."""
        self._task = asyncio.create_task(self._run(), name="writer")

    async def close(self) -> None:
        """Commit the writes that wait, and stop."""
        self._closing = True
        self._wake_up.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._committer.close()

    async def write(self, write: Write) -> Outcome:
        """Store one write with the next batch."""
        return await self._join([write])[0]

    async def write_all(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Store writes that need not go together, each with its own outcome.

        Writes that name the same object, claim or namespace are stored in the given order. A write does not name the
        claims that it releases, so another write of the same call may or may not get them.
        """
        if not writes:
            return []
        outcomes = await asyncio.gather(*self._join(writes), return_exceptions=True)
        # Several batches may have failed, each for its own reason. The first reason is told.
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]

    async def write_together(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Store all writes or none. If one is refused, the outcome of the others is `Aborted`.

        One may claim what another releases, and one may create the Namespace of others.

        Args:
            writes: At most one for each object, about ten thousand at most.

        Raises:
            ValueError: Two writes are of one object.
        """
        if len({(write.kind, write.namespace, write.name) for write in writes}) < len(writes):
            raise ValueError("writes that go together have to be of different objects")
        if not writes:
            return []
        if found := clash(writes):
            position, held = found
            return [held if at == position else Aborted() for at in range(len(writes))]
        self._admit(1, _size(writes))
        spans = WriteSpans(writes, together=True)
        group = _Group(spans.writes, asyncio.get_running_loop().create_future())
        spans.end_with([group.future])
        self._enqueue(group)
        return await group.future

    def _join(self, writes: Sequence[Write]) -> list[asyncio.Future[Outcome]]:
        self._admit(len(writes), _size(writes))
        loop = asyncio.get_running_loop()
        until = loop.time() + self._deadline
        spans = WriteSpans(writes)
        members = [_Member(write, until, loop.create_future()) for write in spans.writes]
        for member in members:
            self._enqueue(member)
        futures = [member.future for member in members]
        spans.end_with(futures)
        return futures

    def _admit(self, items: int, size: int) -> None:
        """Refuse writes that make the queue too long. Writes that are larger than the whole queue may wait alone."""
        if self._closing:
            raise ServiceUnavailable("this process is stopping", retry_after=1)
        limit, limit_bytes = self._limits
        full = len(self._queue) + items > limit or self._waiting_bytes + size > limit_bytes
        if self._queue and full:
            raise TooManyRequests("too many writes are waiting to be stored", retry_after=1)

    def _enqueue(self, item: _Member | _Group) -> None:
        self._queue.append(item)
        self._waiting_bytes += _size(item.writes)
        self._wake_up.set()

    async def _run(self) -> None:
        while self._queue or not self._closing:
            if not self._queue:
                self._wake_up.clear()
                await self._wake_up.wait()
                continue
            await self._gather()
            COMMIT_QUEUE.set(len(self._queue))
            head = self._queue[0]
            if isinstance(head, _Group):
                self._waiting_bytes -= _size(self._queue.popleft().writes)
                await self._commit_group(head)
            else:
                await self._commit(self._next_batch())

    async def _gather(self) -> None:
        """Let in the requests that have reached this process: turns of the event loop cost less than another batch."""
        length = 0
        while length < len(self._queue) < BATCH_WRITES:
            length = len(self._queue)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def _next_batch(self) -> Sequence[_Member]:
        """Take the writes from the head of the queue that may share a batch. The others stay, in their order."""
        batch: list[_Member] = []
        size, independence, now = 0, Independence(), asyncio.get_running_loop().time()
        deferred: list[_Member | _Group] = []
        while self._queue and len(batch) < BATCH_WRITES and size < BATCH_BYTES and len(deferred) < BATCH_WRITES:
            item = self._queue.popleft()
            if isinstance(item, _Group):
                deferred.append(item)
                break
            if item.until < now and not self._storing:
                self._waiting_bytes -= len(item.write.body)
                _fail([item], ServiceUnavailable("the database did not store it in time", retry_after=1))
            elif independence.admit(item.write):
                batch.append(item)
                size += len(item.write.body)
            else:
                deferred.append(item)
        self._queue.extendleft(reversed(deferred))
        self._waiting_bytes -= size
        return batch

    async def _commit(self, members: Sequence[_Member]) -> None:
        """Commit a batch. If Postgres refuses all of it, commit each member alone, so that none harms another."""
        if not members:
            return
        until = asyncio.get_running_loop().time() + self._deadline
        try:
            self._answer(members, await self._commit_by([member.write for member in members], until))
        except RefusedBatchError as error:
            if len(members) == 1:
                _fail(members, refused(error))
                return
            for member in members:
                await self._commit([member])
        except ApiError as error:
            _fail(members, error)
        except Exception as error:  # noqa: BLE001 - a defect must not stop all writing; it is told to the callers
            _log.exception("batch failed")
            _fail(members, InternalError(f"the write failed: {error!r}"))

    async def _commit_by(self, writes: Sequence[Write], until: float, *, together: bool = False) -> Sequence[Outcome]:
        """Commit a batch, and note whether the database can store. While it can, writes wait for their turn."""
        try:
            outcomes = await self._committer.commit(writes, until, together=together)
        except ApiError:
            self._storing = False
            raise
        self._storing = True
        revisions = (each.revision or 0 for each in outcomes if isinstance(each, Committed))
        self.newest = max(self.newest, *revisions, 0)
        return outcomes

    def _answer(self, members: Sequence[_Member], outcomes: Sequence[Outcome]) -> None:
        """Tell the outcomes, except to writes that asked for a claim which an earlier member has just released.

        Those go into the next batch: in the order of the queue they come after the release.
        """
        earlier: dict[tuple[str, str, str], Write] = {}
        again: list[_Member] = []
        for member, outcome in zip(members, outcomes, strict=True):
            write = member.write
            if isinstance(outcome, ClaimHeld):
                holder = earlier.get((outcome.owner_kind, outcome.owner_namespace, outcome.owner_name))
                if holder is not None and not shows(holder, outcome.claim):
                    again.append(member)
                    earlier[write.kind, write.namespace, write.name] = write
                    continue
            elif isinstance(outcome, Committed):
                earlier[write.kind, write.namespace, write.name] = write
            if not member.future.done():
                member.future.set_result(outcome)
        self._queue.extendleft(reversed(again))
        self._waiting_bytes += _size([member.write for member in again])

    async def _commit_group(self, group: _Group) -> None:
        until = asyncio.get_running_loop().time() + BULK_DEADLINE
        try:
            outcomes = await self._commit_by(group.writes, until, together=True)
        except RefusedBatchError as error:
            _fail([group], refused(error))
        except ApiError as error:
            _fail([group], error)
        except Exception as error:  # noqa: BLE001 - as above
            _log.exception("writes that go together failed")
            _fail([group], InternalError(f"the write failed: {error!r}"))
        else:
            if not group.future.done():
                group.future.set_result(outcomes)


def _size(writes: Sequence[Write]) -> int:
    return sum(len(write.body) for write in writes)


def _fail(members: Sequence[_Member] | Sequence[_Group], error: ApiError) -> None:
    for member in members:
        if not member.future.done():
            member.future.set_exception(error)
