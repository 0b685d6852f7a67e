"""The one write path: concurrent writes of a process are committed together, one batch after the other."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from app.domain.errors import ApiError, InternalError, ServiceUnavailable, TooManyRequests
from app.store.batch import Independence, clash
from app.store.commit import Committer, RefusedError, refused
from app.store.database import Database
from app.store.writes import Aborted, ClaimHeld, Committed, Outcome, Write
from app.telemetry.metrics import COMMIT_QUEUE

BATCH_WRITES = 512
"""Writes in a batch at most, so that none holds the lock for long."""

BATCH_BYTES = 8 * 2**20
"""Bytes of bodies in a batch, but for its last member."""

BULK_DEADLINE = 30.0
"""Seconds that writes which go together may take."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Member:
    """A write that waits for its outcome."""

    write: Write
    until: float
    future: asyncio.Future[Outcome]
    retried: bool = False


@dataclass(slots=True, eq=False)
class _Group:
    """Writes that wait to be stored together."""

    writes: Sequence[Write]
    until: float
    future: asyncio.Future[Sequence[Outcome]]


@dataclass(slots=True)
class _Batch:
    """Members that are committed by one call."""

    members: list[_Member] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return len(self.members) >= BATCH_WRITES or self.size >= BATCH_BYTES

    def add(self, member: _Member) -> None:
        self.members.append(member)
        self.size += len(member.write.body)


class Writer:
    """Gathers what is waiting while a batch is on its way, and commits it as the next one.

    Every method raises TooManyRequests when too much is waiting, ServiceUnavailable when the database cannot be reached
    (in both cases certainly nothing was stored), Timeout when the deadline passed with the outcome unknown, and
    InternalError when Postgres refuses the write itself.

    Args:
        database: Where.
        deadline: Seconds a write may take, waiting included.
        queue_limit: Writes that may wait.
        queue_bytes: Bytes of bodies that may wait.
    """

    def __init__(
        self, database: Database, *, deadline: float = 5.0, queue_limit: int = 4096, queue_bytes: int = 64 * 2**20
    ) -> None:
        self._committer = Committer(database)
        self._deadline = deadline
        self._limits = (queue_limit, queue_bytes)
        self._queue: deque[_Member | _Group] = deque()
        self._waiting = 0
        self._waiting_bytes = 0
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        """Begin committing."""
        self._task = asyncio.create_task(self._run(), name="writer")

    async def close(self) -> None:
        """Commit what is waiting, and stop."""
        self._closing = True
        self._bell.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._committer.close()

    async def write(self, write: Write) -> Outcome:
        """Store one write with the next batch."""
        return await self._join([write])[0]

    async def write_all(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Store writes that need not go together, each with its own outcome.

        Those that touch the same object, claim or namespace are stored in the order given.
        """
        if not writes:
            return []
        futures = self._join(writes)
        await asyncio.wait(futures)
        return [future.result() for future in futures]

    async def write_together(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Store writes all or nothing: when one is refused, the outcome of the others is `Aborted`.

        They may pass claims on among themselves, and create a Namespace together with its content.

        Args:
            writes: One an object, at most some ten thousand.

        Raises:
            ValueError: An object is in it twice.
        """
        if len({(write.kind, write.namespace, write.name) for write in writes}) < len(writes):
            raise ValueError("writes that go together have to be of different objects")
        if not writes:
            return []
        if found := clash(writes):
            position, held = found
            return [held if at == position else Aborted() for at in range(len(writes))]
        self._admit(writes)
        loop = asyncio.get_running_loop()
        group = _Group(writes, loop.time() + BULK_DEADLINE, loop.create_future())
        self._enqueue(group, writes)
        return await group.future

    def _join(self, writes: Sequence[Write]) -> list[asyncio.Future[Outcome]]:
        self._admit(writes)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._deadline
        members = [_Member(write, until, loop.create_future()) for write in writes]
        for member in members:
            self._enqueue(member, (member.write,))
        return [member.future for member in members]

    def _admit(self, writes: Sequence[Write]) -> None:
        """Refuse what makes the queue too long; what is larger than all of it is let in alone."""
        if self._closing:
            raise ServiceUnavailable("this process is stopping", retry_after=1)
        limit, limit_bytes = self._limits
        full = self._waiting + len(writes) > limit
        if self._waiting and (full or self._waiting_bytes + _size(writes) > limit_bytes):
            raise TooManyRequests("too many writes are waiting to be stored", retry_after=1)

    def _enqueue(self, item: _Member | _Group, writes: Sequence[Write]) -> None:
        self._queue.append(item)
        self._count(len(writes), _size(writes))
        self._bell.set()

    def _count(self, writes: int, size: int) -> None:
        self._waiting += writes
        self._waiting_bytes += size
        COMMIT_QUEUE.set(self._waiting)

    async def _run(self) -> None:
        while self._queue or not self._closing:
            if not self._queue:
                self._bell.clear()
                await self._bell.wait()
                continue
            if isinstance(self._queue[0], _Group):
                group = self._queue.popleft()
                self._count(-len(group.writes), -_size(group.writes))  # type: ignore[union-attr]  # checked above
                await self._commit_group(group)  # type: ignore[arg-type]  # checked above
            else:
                batch = self._next_batch()
                self._count(-len(batch.members), -batch.size)
                await self._commit(batch.members)

    def _next_batch(self) -> _Batch:
        """Take what may go together from the head of the queue; what has to go after it stays, in its order."""
        batch, independence = _Batch(), Independence()
        deferred: list[_Member | _Group] = []
        while self._queue and not batch.full and len(deferred) < BATCH_WRITES:
            item = self._queue.popleft()
            if isinstance(item, _Group):
                deferred.append(item)
                break
            if independence.admit(item.write):
                batch.add(item)
            else:
                deferred.append(item)
        self._queue.extendleft(reversed(deferred))
        return batch

    async def _commit(self, members: Sequence[_Member]) -> None:
        """Commit a batch. If Postgres refuses it as a whole, each member goes alone: none harms another."""
        try:
            outcomes = await self._committer.commit(
                [member.write for member in members], min(member.until for member in members)
            )
        except RefusedError as error:
            if len(members) == 1:
                _fail(members, refused(error))
                return
            for member in members:
                await self._commit([member])
        except ApiError as error:
            _fail(members, error)
        except Exception as error:
            log.exception("batch failed")
            _fail(members, InternalError(f"the write failed: {error!r}"))
        else:
            self._answer(members, outcomes)

    def _answer(self, members: Sequence[_Member], outcomes: Sequence[Outcome]) -> None:
        """Tell the outcomes. Who wanted a claim of another member, which may just have released it, tries again."""
        stored = {
            (member.write.kind, member.write.namespace, member.write.name)
            for member, outcome in zip(members, outcomes, strict=True)
            if isinstance(outcome, Committed)
        }
        again: list[_Member] = []
        for member, outcome in zip(members, outcomes, strict=True):
            if not member.retried and isinstance(outcome, ClaimHeld):
                holder = (outcome.owner_kind, outcome.owner_namespace, outcome.owner_name)
                if holder in stored:
                    member.retried = True
                    again.append(member)
                    continue
            if not member.future.done():
                member.future.set_result(outcome)
        self._queue.extendleft(reversed(again))
        self._count(len(again), _size([member.write for member in again]))

    async def _commit_group(self, group: _Group) -> None:
        try:
            outcomes = await self._committer.commit(group.writes, group.until, together=True)
        except RefusedError as error:
            _fail([group], refused(error))
        except ApiError as error:
            _fail([group], error)
        except Exception as error:
            log.exception("writes that go together failed")
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
