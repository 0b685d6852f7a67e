"""The signals that the supervisor waits for; they are blocked, so they never interrupt it."""

import signal

from app.reloading import Terminal

_STOP = frozenset({signal.SIGTERM, signal.SIGINT})


class StopRequested(Exception):  # noqa: N818 - a request, not an error
    """SIGTERM or SIGINT arrived, or the terminal was closed."""


class Signals:
    """Waits for SIGTERM, SIGINT, SIGHUP and the end of a child, and blocks them at all other times."""

    def __init__(self) -> None:
        self._terminal = Terminal()
        self._awaited = _STOP | {signal.SIGHUP, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, self._awaited)

    def pause(self, seconds: float) -> bool:
        """Sleep until a signal comes, for `seconds` at most.

        Returns:
            Whether the signal was SIGHUP, which asks for files to be read again.

        Raises:
            StopRequested: SIGTERM or SIGINT came, or the terminal was closed.
        """
        received = signal.sigtimedwait(self._awaited, seconds)
        if received is None or received.si_signo == signal.SIGCHLD:
            return False
        if received.si_signo in _STOP or self._terminal.is_gone():
            raise StopRequested
        return True
