"""How far long work has come: a line at a terminal that is written over, else a line of the log now and then."""

import sys
import time
from collections.abc import Iterable, Iterator

import structlog

_TERMINAL_SECONDS, _LOG_SECONDS = 0.2, 10.0
_MIB = 2**20

_log = structlog.stdlib.get_logger(__name__)


def told(pieces: Iterable[bytes], total: int | None, what: str) -> Iterator[bytes]:
    """The pieces, while it is told how many of the bytes they have been.

    Args:
        pieces: What is worked on, in their order.
        total: Bytes of all pieces, about; None if nobody knows.
        what: The work, such as `restoring`.
    """
    terminal = sys.stderr.isatty()
    pause = _TERMINAL_SECONDS if terminal else _LOG_SECONDS
    done, again = 0, time.monotonic() + pause
    for piece in pieces:
        yield piece
        done += len(piece)
        if time.monotonic() >= again:
            again = time.monotonic() + pause
            _tell(what, done, total, terminal=terminal)
    if terminal:
        print(f"\r{what}: the last steps    ", file=sys.stderr)  # noqa: T201 - for the person at the terminal


def _tell(what: str, done: int, total: int | None, *, terminal: bool) -> None:
    if total is None:
        if terminal:
            print(f"\r{what}: {done // _MIB} MiB", end="", file=sys.stderr, flush=True)  # noqa: T201 - as below
        else:
            _log.info(what, mib=done // _MIB)
        return
    percent = min(99, 100 * done // max(total, 1))
    if terminal:
        bar = "#" * (percent // 4)
        line = f"\r{what}: [{bar:<25}] {percent} % of {total // _MIB} MiB"
        print(line, end="", file=sys.stderr, flush=True)  # noqa: T201 - for the person at the terminal
    else:
        _log.info(what, percent=percent, mib=total // _MIB)
