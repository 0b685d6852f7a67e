"""One program that is kept running."""

import signal
import subprocess
import time
from collections.abc import Callable

import structlog

from app.supervisor.errors import CannotStartError

_log = structlog.stdlib.get_logger(__name__)

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0
_STEADY_AFTER = 30.0  # seconds of life after which an end is a new accident, not the last one again


class Child:
    """A program that is started again whenever it ends, at growing intervals when it keeps ending.

    Args:
        name: For the log.
        start: Starts the program.
        ended: Told the process id of each process that has ended.
    """

    def __init__(
        self, name: str, start: Callable[[], subprocess.Popen[bytes]], ended: Callable[[int], None] = lambda _pid: None
    ) -> None:
        self.name = name
        self._start = start
        self._ended = ended
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._due = 0.0
        self._delay = 0.0

    def start(self) -> None:
        """Starts the program.

        Raises:
            CannotStartError: What stands in its way.
            OSError: It cannot be run.
        """
        self._started = time.monotonic()
        self._process = self._start()
        _log.info("started", process=self.name, pid=self._process.pid)

    def poll(self) -> int | None:
        """The exit status of a process that has ended, None while it runs."""
        return None if self._process is None else self._process.poll()

    def tend(self) -> None:
        """Notices that the program has ended, and starts it again once its delay is over."""
        if self._process is not None and (status := self._process.poll()) is not None:
            _log.warning("ended", process=self.name, pid=self._process.pid, status=_describe(status))
            self._ended(self._process.pid)
            self._process = None
            self._postpone()
        if self._process is None and time.monotonic() >= self._due:
            try:
                self.start()
            except (CannotStartError, OSError) as error:
                _log.error("cannot be started again", process=self.name, error=str(error))
                self._postpone()

    def _postpone(self) -> None:
        now = time.monotonic()
        steady = now - self._started > _STEADY_AFTER
        self._delay = _FIRST_DELAY if steady else min(max(2 * self._delay, _FIRST_DELAY), _LONGEST_DELAY)
        self._due = now + self._delay

    def send_signal(self, signum: signal.Signals) -> None:
        """Signals the process, unless it has ended."""
        if self._process is not None:
            self._process.send_signal(signum)

    def has_ended(self) -> bool:
        """Whether no process of it runs."""
        return self._process is None or self._process.poll() is not None


def _describe(status: int) -> str:
    return str(status) if status >= 0 else signal.Signals(-status).name
