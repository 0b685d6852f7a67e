"""Files that a process reads again while it runs: when they change, and at SIGHUP."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.settings.base import LoggingSettings
from app.telemetry.logs import set_level

_log = structlog.stdlib.get_logger(__name__)

_Version = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Source:
    """Something that is read from files.

    Attributes:
        name: Its name for the log.
        paths: The files.
        read: Reads the files and puts their content to use. If it cannot, it raises a ValueError that shows no secret,
            and the content that was in use stays in use.
    """

    name: str
    paths: tuple[Path, ...]
    read: Callable[[], None]


class Reloads:
    """Reads sources again.

    Args:
        sources: All were read at the start. The first `check` reads them again, since they may have changed meanwhile.
            A pipe is left alone: it can be read only once.
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


def log_level(settings: LoggingSettings) -> Iterator[Source]:
    """The source for the level of the log, if a file has it."""
    if settings.log_level_file is not None:
        yield Source("log level", (settings.log_level_file,), lambda: set_level(settings.level))


def _version(path: Path) -> _Version:
    """A value that changes when the file is written or replaced, None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


class Terminal:
    """The terminal that this process was started from, if any.

    A terminal that closes sends SIGHUP, too. A process that was started with nohup outlives its terminal.
    """

    def __init__(self) -> None:
        self._was_there = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()

    def is_gone(self) -> bool:
        """Whether there was a terminal, and it is closed."""
        return self._was_there and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
