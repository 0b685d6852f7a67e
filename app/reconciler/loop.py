"""The only loop: it owns the queues, the leases and the retries of all controllers."""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from app.controllers.controller import Controller
from app.domain.errors import ApiError, RetryError, Temporary
from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.reconciler.ownership import RENEWAL_SECONDS, owned
from app.reconciler.work_queue import WorkQueue
from app.store.leases import Leases
from app.store.notifications import Notifications
from app.store.writes import LeaseGuard
from app.telemetry.metrics import QUEUE_ADDS, QUEUE_DEPTH, QUEUE_RETRIES, WORK_SECONDS

_BATCH = 512

_REST_SECONDS = 0.02
"""How long a controller rests after each batch, so that what changes meanwhile makes one batch and not many small
ones. One that listens to a channel has somebody waiting for it, and does not rest."""

_IDLE_SECONDS = 0.5
"""How long a controller without work waits before it looks whether changes were missed."""

_log = structlog.stdlib.get_logger(__name__)


class Reconciler:
    """Runs controllers, each under its own lease, until cancelled."""

    def __init__(
        self,
        controllers: Sequence[Controller[Any]],
        mirror: Mirror,
        leases: Leases,
        notifications: Notifications,
        holder: str,
    ) -> None:
        self._workers = [_Worker(controller, mirror, leases, notifications, holder) for controller in controllers]
        mirror.subscribe(self._changed, self._reloaded)

    async def run(self) -> None:
        """Run all controllers until cancelled."""
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.run(), name=f"controller {worker.controller.name}")

    def _changed(self, changes: Sequence[Change]) -> None:
        for worker in self._workers:
            worker.changed(changes)

    def _reloaded(self) -> None:
        for worker in self._workers:
            worker.reloaded()


class _Worker:
    """One controller with its queue."""

    def __init__(
        self, controller: Controller[Any], mirror: Mirror, leases: Leases, notifications: Notifications, holder: str
    ) -> None:
        self.controller = controller
        self._mirror = mirror
        self._leases = leases
        self._holder = holder
        self._queue: WorkQueue[Any] = WorkQueue()
        self._owner = False
        # Whether the controller has to learn: it has not yet, or changes were missed since.
        self._stale = True
        self._rest = 0.0 if controller.channels else _REST_SECONDS
        for channel in controller.channels:
            notifications.subscribe(channel, partial(self._hinted, channel))

    def changed(self, changes: Sequence[Change]) -> None:
        """Tell the controller what changed, and queue the keys that this concerns if this process is the owner."""
        try:
            self.controller.observe(changes)
            if self._owner:
                self._queue.add(self.controller.keys_of(changes))
        except Exception:  # noqa: BLE001 - a defect of one controller must not keep changes from the others
            _log.exception("controller failed at a change", controller=self.controller.name)
            self._stale = True

    def reloaded(self) -> None:
        """The mirror was read anew, so changes were missed."""
        self._stale = True

    def _hinted(self, channel: str, _payload: str) -> None:
        if self._owner:
            self._queue.add(self.controller.hinted(channel))

    async def run(self) -> None:
        """Work whenever the lease can be had, until cancelled."""
        while True:
            # Whoever owns the lease is waited for with everything learnt, so as to work at once after a take-over.
            await self._guarded(self._learn())
            async with owned(self._leases, self.controller.name, self._holder) as lease:
                await self._own(lease)
            await asyncio.sleep(RENEWAL_SECONDS)

    async def _own(self, lease: LeaseGuard) -> None:
        # From here on changes reach the queue, so that none falls between the full pass and the first take.
        self._owner = True
        try:
            await self._guarded(self._work(lease))
        finally:
            self._owner = False
            self._queue.clear()
            await self._guarded(self.controller.let_go())

    async def _guarded(self, step: Awaitable[None]) -> None:
        """Let a controller's step fail without harm to other controllers: it is begun anew after a while."""
        try:
            await step
        except ApiError as error:
            _log.warning("controller interrupted", controller=self.controller.name, error=error.message)
        except Exception:  # noqa: BLE001 - a defect of one controller must not stop the others
            _log.exception("controller failed", controller=self.controller.name)

    async def _learn(self) -> None:
        if not self._stale:
            return
        self._stale = False
        try:
            await self.controller.learn()
        except BaseException:
            self._stale = True
            raise

    async def _work(self, lease: LeaseGuard) -> None:
        next_pass = -float("inf")
        taken_over = False
        while True:
            if self._stale or not taken_over:
                await self._mirror.fresh()
                await self._learn()
                await self.controller.take_over()
                taken_over, next_pass = True, -float("inf")
            now = time.monotonic()
            if now >= next_pass:
                self._queue.add(self.controller.all_keys())
                next_pass = now + self.controller.resync
            keys = await self._queue.take(_BATCH, min(next_pass - now, _IDLE_SECONDS))
            if keys:
                await self._reconcile(keys, lease)
                await asyncio.sleep(self._rest)

    async def _reconcile(self, keys: Sequence[Any], lease: LeaseGuard) -> None:
        name = self.controller.name
        with WORK_SECONDS.labels(name).time():
            failures = await self._attempt(keys, lease)
        QUEUE_ADDS.labels(name).inc(len(keys))
        QUEUE_DEPTH.labels(name).set(len(self._queue))
        for key in keys:
            failure = failures.get(key)
            if failure is None:
                self._queue.succeeded(key)
            else:
                self._failed(key, failure)

    async def _attempt(self, keys: Sequence[Any], lease: LeaseGuard) -> Mapping[Any, RetryError]:
        try:
            return await self.controller.reconcile(keys, lease)
        except ApiError as error:
            return dict.fromkeys(keys, Temporary(error.message, error.retry_after))
        except Exception as error:  # noqa: BLE001 - a defect in one key's work must not stop the others'
            if len(keys) > 1:
                failures: dict[Any, RetryError] = {}
                for key in keys:
                    failures.update(await self._attempt([key], lease))
                return failures
            _log.exception("controller failed", controller=self.controller.name, key=str(keys[0]))
            return {keys[0]: Temporary(f"{type(error).__name__}: {error}")}

    def _failed(self, key: Any, failure: RetryError) -> None:
        QUEUE_RETRIES.labels(self.controller.name).inc()
        delay = self._queue.failed(key, failure)
        _log.warning("will retry", controller=self.controller.name, key=str(key), error=str(failure), delay=delay)
