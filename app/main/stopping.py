"""The request to stop a process, which is heeded from its first moment on."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class _StoppedEarlyError(Exception):
    """The process was asked to stop while it started."""


@asynccontextmanager
async def stop_signals() -> AsyncIterator[asyncio.Event]:
    """Gives the event that SIGTERM and SIGINT set. A start that was given up for it ends here without an error.

    The signals have no other effect from here on. The first process of a container would not end by them otherwise.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    with suppress(_StoppedEarlyError):
        yield stopping


@asynccontextmanager
async def unless_stopped(stopping: asyncio.Event) -> AsyncIterator[None]:
    """While entered, `stopping` gives up what goes on, and everything up to `stop_signals`."""

    async def expire() -> None:
        await stopping.wait()
        scope.reschedule(asyncio.get_running_loop().time())

    try:
        async with asyncio.timeout(None) as scope:
            watch = asyncio.create_task(expire(), name="stop while starting")
            try:
                yield
            finally:
                watch.cancel()
    except TimeoutError as error:
        if scope.expired():
            raise _StoppedEarlyError from error
        raise
