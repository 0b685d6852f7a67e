"""What a process says of its own life: where it is listening, when it is ready, and when it is stopping."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from app.api.health import Readiness
from app.telemetry.metrics import MULTIPROCESS_VARIABLE

_LEVEL = logging.DEBUG if MULTIPROCESS_VARIABLE in os.environ else logging.INFO
"""Under `serve`, which tells people when everything is ready, the lines of its processes are for debugging."""

_LOOK_SECONDS = 0.2

_log = structlog.stdlib.get_logger(__name__)


class Lifecycle:
    """Logs one line for each step, with the name of the process as `process`.

    Args:
        process: Its command, such as `api`.
        ready: The checks of its `/readyz`.
    """

    def __init__(self, process: str, ready: Readiness) -> None:
        self._process = process
        self._ready = ready
        self._awaited = 0

    def listening(self, purpose: str, where: socket.socket | None) -> Callable[[], None]:
        """What says that somebody is listening.

        Args:
            purpose: What for, such as `dns`.
            where: A bound socket; None says nothing.
        """
        if where is None:
            return lambda: None
        address, port = where.getsockname()[:2]
        self._awaited += 1

        def say() -> None:
            self._awaited -= 1
            self.listening_at(purpose, address, port)

        return say

    def listening_at(self, purpose: str, address: str, port: int) -> None:
        """Say that somebody is listening at an address."""
        self._say("listening", purpose=purpose, address=address, port=port)

    def listening_on(self, purpose: str, path: Path) -> None:
        """Say that somebody is listening on a Unix socket."""
        self._say("listening", purpose=purpose, path=str(path))

    async def run(self, stopping: asyncio.Event) -> None:
        """Say `ready` when it is listening everywhere and every check passes, `stopping` when it begins to stop."""
        ready = asyncio.create_task(self._tell_when_ready(), name="ready")
        await stopping.wait()
        ready.cancel()
        with suppress(asyncio.CancelledError):
            await ready
        self._say("stopping")

    async def _tell_when_ready(self) -> None:
        while True:
            if not self._awaited and await self._passes():
                return self._say("ready")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _passes(self) -> bool:
        try:
            for check in self._ready.values():
                await check()
        except Exception:  # noqa: BLE001 - whatever the reason, `/readyz` tells it
            return False
        return True

    def _say(self, event: str, **more: str | int) -> None:
        _log.log(_LEVEL, event, process=self._process, **more)
