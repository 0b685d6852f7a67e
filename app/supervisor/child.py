"""A program that the supervisor keeps running."""

import math
import signal
import subprocess
import time
from collections.abc import Callable

import structlog

from app.supervisor.errors import CannotStartError

_log = structlog.stdlib.get_logger(__name__)

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 10.0
_STABLE_SECONDS = 30.0
"""A program that ran for so long has ended for a new reason, so the first delay applies again."""


class Child:
    """A program that is started again whenever it ends. When it keeps ending, the time between its starts grows.

    Args:
        name: For the log.
        start: Starts the program.
        ended: Called with the process id of each process that has ended.
    """

    def __init__(
        self, name: str, start: Callable[[], subprocess.Popen[bytes]], ended: Callable[[int], None] = lambda _pid: None
    ) -> None:
        self.name = name
        self._start = start
        self._ended = ended
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._restart_at = 0.0
        self._delay = 0.0

    def start(self) -> None:
        """Start the program.

        Raises:
            CannotStartError: It cannot start; the message says why.
            OSError: It cannot be run.
        """
        self._started_at = time.monotonic()
        self._process = self._start()
        _log.debug("started", process=self.name, pid=self._process.pid)

    def poll(self) -> int | None:
        """The exit status of the process if it has ended, None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def restarts_in(self) -> float:
        """Seconds until it may be started again; infinite while it runs."""
        return math.inf if self._process is not None else max(0.0, self._restart_at - time.monotonic())

    def restart_if_ended(self) -> None:
        """Start the program again if it has ended and the delay is over."""
        if self._process is not None and (status := self._process.poll()) is not None:
            _log.warning("ended", process=self.name, pid=self._process.pid, status=_describe(status))
            self._ended(self._process.pid)
            self._process = None
            self._delay_restart()
        if self._process is None and time.monotonic() >= self._restart_at:
            try:
                self.start()
            except (CannotStartError, OSError) as error:
                _log.error("cannot be started again", process=self.name, error=str(error))
                self._delay_restart()

    def _delay_restart(self) -> None:
        now = time.monotonic()
        was_stable = now - self._started_at > _STABLE_SECONDS
        self._delay = (
            _FIRST_DELAY_SECONDS
            if was_stable
            else min(max(2 * self._delay, _FIRST_DELAY_SECONDS), _LONGEST_DELAY_SECONDS)
        )
        # Between two starts, so that one that did its work for a while is back at once.
        self._restart_at = max(now + _FIRST_DELAY_SECONDS, self._started_at + self._delay)

    def send_signal(self, signum: signal.Signals) -> None:
        """Send a signal to the process, unless it has ended."""
        if self._process is not None:
            self._process.send_signal(signum)

    def has_ended(self) -> bool:
        """Whether no process of the program runs."""
        return self._process is None or self._process.poll() is not None


def _describe(status: int) -> str:
    return str(status) if status >= 0 else signal.Signals(-status).name
