"""The signals that the supervisor waits for; they are blocked, so they never interrupt it."""

import signal
import time

from app.reloading import Terminal

_STOP = frozenset({signal.SIGTERM, signal.SIGINT})

_SAME_REQUEST_SECONDS = 1.0
"""A request to stop that follows another one so soon is the same: `timeout`, terminals and people send it twice."""


class StopRequested(Exception):  # noqa: N818 - a request, not an error
    """SIGTERM or SIGINT arrived, or the terminal was closed."""


class Signals:
    """Waits for SIGTERM, SIGINT, SIGHUP and the end of a child, and blocks them at all other times."""

    def __init__(self) -> None:
        self._terminal = Terminal()
        self._awaited = _STOP | {signal.SIGHUP, signal.SIGCHLD}
        self._asked_at = float("-inf")
        signal.pthread_sigmask(signal.SIG_BLOCK, self._awaited)

    def pause(self, seconds: float) -> bool:
        """Sleep until a signal comes, for `seconds` at most.

        Returns:
            Whether the signal was SIGHUP, which asks for files to be read again.

        Raises:
            StopRequested: SIGTERM or SIGINT came, or the terminal was closed, and not just before, too.
        """
        received = signal.sigtimedwait(self._awaited, seconds)
        if received is None or received.si_signo == signal.SIGCHLD:
            return False
        if received.si_signo not in _STOP and not self._terminal.is_gone():
            return True
        asked_at, self._asked_at = self._asked_at, time.monotonic()
        if self._asked_at - asked_at < _SAME_REQUEST_SECONDS:
            return False
        raise StopRequested
