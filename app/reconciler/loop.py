"""The only loop: it owns the queues, the leases and the retries of all controllers."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from app.controllers.controller import Controller, Key
from app.domain.errors import ApiError, RetryError, Temporary
from app.mirror.entry import Change
from app.mirror.mirror import Mirror
from app.reconciler.ownership import Ownership, owned
from app.reconciler.work_queue import WorkQueue
from app.store.leases import Leases
from app.store.notifications import Notifications
from app.telemetry.metrics import QUEUE_ADDS, QUEUE_DEPTH, QUEUE_RETRIES, WORK_SECONDS

BATCH = 512

_BREATH = 0.02
"""Seconds that a controller rests after each batch, so that what changes meanwhile makes one batch and not many small
ones. One that listens to a channel has somebody waiting for it, and does not rest."""

_log = structlog.stdlib.get_logger(__name__)


class Reconciler:
    """Runs controllers, each under its own lease, until cancelled."""

    def __init__(
        self,
        controllers: Sequence[Controller],
        mirror: Mirror,
        leases: Leases,
        notifications: Notifications,
        holder: str,
    ) -> None:
        self._workers = [_Worker(controller, leases, notifications, holder) for controller in controllers]
        for worker in self._workers:
            mirror.subscribe(worker.changed, worker.reloaded)

    async def run(self) -> None:
        """Run all controllers until cancelled."""
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.run(), name=f"controller {worker.controller.name}")


class _Worker:
    """One controller with its queue."""

    def __init__(self, controller: Controller, leases: Leases, notifications: Notifications, holder: str) -> None:
        self.controller = controller
        self._leases = leases
        self._holder = holder
        self._queue = WorkQueue()
        self._owner = False
        self._stale = True
        self._next_pass = 0.0
        self._rest = 0.0 if controller.channels else _BREATH
        for channel in controller.channels:
            notifications.subscribe(channel, partial(self._hinted, channel))

    def changed(self, changes: Sequence[Change]) -> None:
        """Note what changed; the controller sees every change, its queue only fills while it is the owner's."""
        try:
            keys = self.controller.keys_of(changes)
            if self._owner:
                self._queue.add(keys)
        except Exception:  # noqa: BLE001 - a defect of one controller must not keep changes from the others
            _log.exception("controller failed at a change", controller=self.controller.name)
            self._stale = True

    def reloaded(self) -> None:
        """The mirror was read anew, so changes were missed: start over as after a take-over."""
        self._stale = True

    def _hinted(self, channel: str, _payload: str) -> None:
        if self._owner:
            self._queue.add(self.controller.hinted(channel))

    async def run(self) -> None:
        while True:
            async with owned(self._leases, self.controller.name, self._holder) as ownership:
                try:
                    await self._work(ownership)
                except ApiError as error:
                    _log.warning("controller interrupted", controller=self.controller.name, error=error.message)
                finally:
                    self._owner = False
                    self._queue.clear()

    async def _work(self, ownership: Ownership) -> None:
        # From here on changes reach the queue, so that none falls between the full pass and the first take.
        self._owner = self._stale = True
        while not ownership.lost.is_set():
            if self._stale:
                self._stale = False
                await self.controller.take_over()
                self._next_pass = 0.0
            now = time.monotonic()
            if now >= self._next_pass:
                self._queue.add(self.controller.all_keys())
                self._next_pass = now + self.controller.resync
            keys = await self._queue.take(BATCH, min(self._next_pass - now, 0.5))
            if keys:
                await self._reconcile(keys, ownership)
                await asyncio.sleep(self._rest)

    async def _reconcile(self, keys: Sequence[Key], ownership: Ownership) -> None:
        name = self.controller.name
        with WORK_SECONDS.labels(name).time():
            failures = await self._attempt(keys, ownership)
        QUEUE_ADDS.labels(name).inc(len(keys))
        QUEUE_DEPTH.labels(name).set(len(self._queue))
        for key in keys:
            failure = failures.get(key)
            if failure is None:
                self._queue.succeeded(key)
            else:
                self._failed(key, failure)

    async def _attempt(self, keys: Sequence[Key], ownership: Ownership) -> Mapping[Key, RetryError]:
        try:
            return await self.controller.reconcile(keys, ownership.guard)
        except ApiError as error:
            return dict.fromkeys(keys, Temporary(error.message, error.retry_after))
        except Exception as error:  # noqa: BLE001 - a defect in one key's work must not stop the others'
            if len(keys) > 1:
                failures: dict[Key, RetryError] = {}
                for key in keys:
                    failures.update(await self._attempt([key], ownership))
                return failures
            _log.exception("controller failed", controller=self.controller.name, key="/".join(keys[0]))
            return {keys[0]: Temporary(f"{type(error).__name__}: {error}")}

    def _failed(self, key: Key, failure: RetryError) -> None:
        QUEUE_RETRIES.labels(self.controller.name).inc()
        delay = self._queue.failed(key, failure)
        _log.warning("will retry", controller=self.controller.name, key="/".join(key), error=str(failure), delay=delay)
