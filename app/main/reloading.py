"""Reading files again while a process runs."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from app.certificates import RootCertificates, ServedCertificate
from app.reloading import Reloads, Source, Terminal
from app.secret_files import others_can_read
from app.telemetry.logs import mask
from app.tokens import TokenUsers, read_tokens

_CHECK_SECONDS = 2.0

_log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def reloading(stop: Callable[[], None], *sources: Source) -> AsyncIterator[None]:
    """While entered, and after: SIGHUP does not end the process. While entered, files are read again.

    Args:
        stop: Stops the process; called at SIGHUP if the terminal that it was started from is gone.
        sources: What is read again, at SIGHUP and when it changes.
    """
    told, terminal = asyncio.Event(), Terminal()

    def hang_up() -> None:
        if terminal.is_gone():
            stop()
        else:
            told.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hang_up)
    task = asyncio.create_task(_reload(Reloads(*sources), told), name="reload")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _reload(reloads: Reloads, told: asyncio.Event) -> None:
    while True:
        reloads.check()
        with suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), _CHECK_SECONDS)
        if told.is_set():
            told.clear()
            reloads.everything()


def tokens(path: Path | None, users: TokenUsers | None) -> Iterator[Source]:
    """The users by their tokens, where there are any."""
    if path is None or users is None:
        return

    def read() -> None:
        found = read_tokens(path)
        users.replace(found)
        mask(token.secret for token in found)
        warn_if_exposed(path)

    yield Source("tokens", (path,), read)


def certificate(served: ServedCertificate | None) -> Iterator[Source]:
    """The certificate, where TLS is served."""
    if served is None:
        return

    def read() -> None:
        served.reload()
        warn_if_exposed(served.private_key)

    yield Source("certificate", (served.certificate, served.private_key), read)


def root_certificates(roots: RootCertificates | None) -> Iterator[Source]:
    """The certificates by which clients know the API, where they are known."""
    if roots is not None:
        yield Source("root certificates", (roots.path,), roots.reload)


def warn_if_exposed(path: Path) -> None:
    """Say so when others can read a file of secrets."""
    if others_can_read(path):
        _log.warning("a file of secrets can be read by others than its owner: chmod go-r", path=str(path))
