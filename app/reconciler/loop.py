"""The only loop: it runs a worker for each controller and, as long as there is such a target, for each target."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog

from app.controllers.controller import Controller, Targets
from app.reconciler.worker import Worker, WorkerContext

_log = structlog.stdlib.get_logger(__name__)


class Reconciler:
    """Runs controllers, each under its own lease, until cancelled."""

    def __init__(
        self, controllers: Sequence[Controller[Any]], context: WorkerContext, targets: Sequence[Targets] = ()
    ) -> None:
        """Prepare; nothing runs before `run`.

        Args:
            controllers: What runs all the time.
            context: What the workers share.
            targets: Concerns that are divided among targets.
        """
        self._context = context
        self._targets = targets
        self._changes = asyncio.Event()
        self._fixed = [Worker(controller, controller.name, context) for controller in controllers]
        # Tasks of targets by name, and those of them that are being ended.
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ending: set[str] = set()
        kinds = {kind for each in targets for kind in each.kinds}
        context.mirror.subscribe(lambda _: self._changes.set(), self._changes.set, kinds)

    async def run(self) -> None:
        """Run all controllers until cancelled."""
        async with asyncio.TaskGroup() as group:
            for worker in self._fixed:
                group.create_task(worker.run(), name=f"controller {worker.lease}")
            while True:
                self._changes.clear()
                try:
                    self._follow_targets(group)
                except Exception:  # noqa: BLE001 - a defect of one concern must not stop the others
                    _log.exception("targets cannot be followed")
                await self._changes.wait()

    def _follow_targets(self, group: asyncio.TaskGroup) -> None:
        """Begin with targets that have appeared, and end what belongs to those that have disappeared."""
        present = {name: targets for targets in self._targets for name in targets.names()}
        for name in self._running.keys() - present.keys() - self._ending:
            self._ending.add(name)
            self._running[name].cancel()
        for name in present.keys() - self._running.keys():
            worker = Worker(present[name].controller(name), name, self._context)
            task = self._running[name] = group.create_task(worker.run(), name=f"controller {name}")
            task.add_done_callback(partial(self._ended, name, worker))

    def _ended(self, name: str, worker: Worker, _task: asyncio.Task[None]) -> None:
        worker.close()
        del self._running[name]
        self._ending.discard(name)
        # A target of the same name may have appeared meanwhile: it waited for the former one's end.
        self._changes.set()
