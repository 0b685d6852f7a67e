"""One controller at work: its lease, its queue and its retries."""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from app.controllers.controller import Controller
from app.domain.errors import ApiError, Requeue, RetryError, Temporary
from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.reconciler.failures import FailureReports, Failures
from app.reconciler.ownership import RENEWAL_SECONDS, while_owned
from app.reconciler.work_queue import WorkQueue
from app.store.leases import Leases
from app.store.notifications import Notifications
from app.store.writes import LeaseGuard
from app.telemetry.metrics import FAILURES, QUEUE_ADDS, QUEUE_DEPTH, QUEUE_RETRIES, WORK_SECONDS

_KEYS_AT_ONCE = 512

_REST_SECONDS_A_KEY, _LONGEST_REST_SECONDS = 0.001, 0.02
"""How long a controller rests after each batch, so that what changes meanwhile makes one batch and not many small
ones. The more there is to do, the longer: a change that comes alone hardly waits. One that listens to a channel has
somebody waiting for it, and does not rest."""

_IDLE_SECONDS = 0.5
"""How long a controller without work waits before it looks whether changes were missed."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What all workers of a process share.

    Attributes:
        mirror: Shows what is stored.
        leases: Say which process owns a concern.
        notifications: Hints.
        reports: Shows failures on objects.
        holder: Names this process in leases.
    """

    mirror: Mirror
    leases: Leases
    notifications: Notifications
    reports: FailureReports
    holder: str


class Worker:
    """Runs one controller whenever this process can have its lease.

    It follows the mirror from its construction until it is closed.

    Attributes:
        lease: Names the lease.
    """

    def __init__(self, controller: Controller[Any], lease: str, context: WorkerContext) -> None:
        self._controller = controller
        self.lease = lease
        self._context = context
        self._queue: WorkQueue[Any] = WorkQueue()
        self._failures = Failures(controller)
        self._measured = 0
        self._owner = False
        # Whether the controller has to learn: it has not yet, or changes were missed since.
        self._stale = True
        self._longest_rest = 0.0 if controller.channels else _LONGEST_REST_SECONDS
        context.mirror.subscribe(self._changed, self._reloaded, controller.kinds)

    def close(self) -> None:
        """Follow the mirror no more."""
        self._context.mirror.unsubscribe(self._changed)

    def _changed(self, changes: Sequence[Change]) -> None:
        """Tell the controller what changed, and queue the keys that this concerns if this process is the owner."""
        try:
            self._controller.observe(changes)
            if self._owner:
                self._queue.add(self._controller.keys_of(changes))
        except Exception:  # noqa: BLE001 - a defect of one controller must not keep changes from the others
            _log.exception("controller failed at a change", controller=self.lease)
            self._stale = True

    def _reloaded(self) -> None:
        """The mirror was read anew, so changes were missed."""
        self._stale = True

    def _hinted(self, channel: str, message: str) -> None:
        if self._owner:
            self._queue.add(self._controller.hinted(channel, message))

    async def run(self) -> None:
        """Work whenever the lease can be had, until cancelled."""
        hinted = [(channel, partial(self._hinted, channel)) for channel in self._controller.channels]
        for channel, callback in hinted:
            self._context.notifications.subscribe(channel, callback)
        try:
            while True:
                # A process that stands by learns beforehand, so that it can work at once when it takes over.
                await self._guarded(self._learn())
                await while_owned(self._context.leases, self.lease, self._context.holder, self._own)
                await asyncio.sleep(RENEWAL_SECONDS)
        finally:
            for channel, callback in hinted:
                self._context.notifications.unsubscribe(channel, callback)

    async def _own(self, guard: LeaseGuard) -> None:
        # From here on changes reach the queue, so that none falls between the full pass and the first take.
        self._owner = True
        try:
            await self._guarded(self._work(guard))
        finally:
            self._owner = False
            self._queue.clear()
            self._failures.clear()
            self._measure()
            await self._guarded(self._controller.let_go())

    async def _guarded(self, step: Awaitable[None]) -> None:
        """Let a step of the controller fail without harm to other controllers; `run` begins it anew after a while."""
        try:
            await step
        except ApiError as error:
            _log.warning("controller interrupted", controller=self.lease, error=error.message)
        except Exception:  # noqa: BLE001 - a defect of one controller must not stop the others
            _log.exception("controller failed", controller=self.lease)

    async def _learn(self) -> None:
        if not self._stale:
            return
        self._stale = False
        try:
            await self._controller.learn()
        except BaseException:
            self._stale = True
            raise

    async def _work(self, guard: LeaseGuard) -> None:
        taken_over = False
        next_pass = 0.0
        while True:
            if self._stale or not taken_over:
                await self._context.mirror.fresh()
                await self._learn()
                await self._controller.take_over()
                taken_over, next_pass = True, 0.0
            now = time.monotonic()
            if now >= next_pass:
                self._queue.add(self._controller.all_keys())
                next_pass = now + self._controller.resync
            keys = await self._queue.take(_KEYS_AT_ONCE, min(next_pass - now, _IDLE_SECONDS))
            if keys:
                await self._reconcile(keys, guard)
                await asyncio.sleep(min(self._longest_rest, len(keys) * _REST_SECONDS_A_KEY))

    async def _reconcile(self, keys: Sequence[Any], guard: LeaseGuard) -> None:
        name = self._controller.name
        with WORK_SECONDS.labels(name).time():
            failures = await self._attempt(keys, guard)
        QUEUE_ADDS.labels(name).inc(len(keys))
        for key in keys:
            failure = failures.get(key)
            if failure is None:
                self._queue.succeeded(key)
            else:
                self._failed(key, failure)
        self._measure()
        findings = self._failures.findings(keys, failures, time.monotonic())
        if findings:
            await self._context.reports.show(self._controller, findings, guard)

    async def _attempt(self, keys: Sequence[Any], guard: LeaseGuard) -> Mapping[Any, RetryError]:
        try:
            return await self._controller.reconcile(keys, guard)
        except ApiError as error:
            return dict.fromkeys(keys, Requeue(error.message, error.retry_after))
        except Exception as error:  # noqa: BLE001 - a defect in one key's work must not stop the others'
            if len(keys) > 1:
                failures: dict[Any, RetryError] = {}
                for key in keys:
                    failures.update(await self._attempt([key], guard))
                return failures
            _log.exception("controller failed", controller=self.lease, key=self._described(keys[0]))
            text = f"an error in the controller {self._controller.name} ({type(error).__name__}); the log says more"
            return {keys[0]: Temporary(text)}

    def _failed(self, key: Any, failure: RetryError) -> None:
        QUEUE_RETRIES.labels(self._controller.name).inc()
        if not isinstance(failure, Requeue):
            FAILURES.labels(self._controller.name).inc()
        delay = self._queue.failed(key, failure)
        # Nothing is wrong where something is only waited for, and a thousand objects may wait at once.
        log = _log.debug if isinstance(failure, Requeue) else _log.warning
        event = "will not retry" if delay is None else "will retry"
        log(event, controller=self.lease, key=self._described(key), error=str(failure), delay=delay)

    def _described(self, key: Any) -> str:
        entry = self._controller.object_of(key)
        return str(key) if entry is None else f"{entry.kind} {entry.namespace}/{entry.name}"

    def _measure(self) -> None:
        depth = len(self._queue)
        # Added to what the other targets of the concern have waiting.
        QUEUE_DEPTH.labels(self._controller.name).inc(depth - self._measured)
        self._measured = depth
