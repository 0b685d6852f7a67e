"""Files that are read again while a process runs: when they change, and when the process is told to (SIGHUP)."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.settings import DatabaseSettings
from app.telemetry.logs import set_level

_log = structlog.stdlib.get_logger(__name__)

_Version = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Source:
    """What is read from some files.

    Attributes:
        name: What it is, for the log.
        paths: The files.
        read: Reads them and puts what they hold to use. When it cannot, it raises a ValueError that shows no secret,
            and what was in use stays so.
    """

    name: str
    paths: tuple[Path, ...]
    read: Callable[[], None]


class Reloads:
    """Reads sources again.

    Args:
        sources: What was read before, at the start; the first `check` reads it again, since it may have changed. What
            came from a pipe is left alone: it can be read once.
    """

    def __init__(self, *sources: Source) -> None:
        regular = (source for source in sources if all(path.is_file() for path in source.paths))
        self._versions: dict[Source, tuple[_Version, ...]] = dict.fromkeys(regular, ())

    def check(self) -> None:
        """Read the sources that have changed."""
        for source, read in self._versions.items():
            if tuple(map(_version, source.paths)) != read:
                self._read(source)

    def everything(self) -> None:
        """Read all sources."""
        for source in self._versions:
            self._read(source)

    def _read(self, source: Source) -> None:
        is_first = not self._versions[source]
        self._versions[source] = tuple(map(_version, source.paths))
        try:
            source.read()
        except (OSError, ValueError) as error:
            _log.error("not reloaded; what was read before stays in use", source=source.name, error=str(error))
        else:
            if not is_first:
                _log.info("reloaded", source=source.name)


def log_level(settings: DatabaseSettings) -> Iterator[Source]:
    """The level of the log, where it is in a file."""
    if settings.log_level_file is not None:
        yield Source("log level", (settings.log_level_file,), lambda: set_level(settings.level))


def _version(path: Path) -> _Version:
    """What differs once a file was written or replaced, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


class Terminal:
    """The terminal that this process was started from, if any.

    A terminal that is closed sends SIGHUP, too. Where it was started with nohup, it shall outlive the terminal.
    """

    def __init__(self) -> None:
        self._was_there = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()

    def is_gone(self) -> bool:
        """Whether there was one, and it is closed."""
        return self._was_there and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
