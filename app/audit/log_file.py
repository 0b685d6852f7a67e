"""The file of the audit log. Several processes write to it, and any of them rotates it."""

import fcntl
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

_LOOK_SECONDS = 1.0
"""How often it is looked whether another process, or logrotate, has put another file in its place."""
_TRY_AGAIN_SECONDS = 60.0
"""After a rotation that failed."""
_READABLE_BY_OWNER = 0o600

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rotation:
    """When another file begins, and which of the former ones are kept.

    Attributes:
        max_bytes: Size from which on another file begins.
        max_age: Age at which a former file is removed; zero keeps them.
        max_backups: How many former files are kept; zero keeps all.
    """

    max_bytes: int = 100 * 1024 * 1024
    max_age: timedelta = timedelta(0)
    max_backups: int = 0


class LogFile:
    """Appends to a file.

    A write of the kernel to the end of a file is one piece, so lines of several processes do not mix. A former file is
    named `audit-2026-01-02T03-04-05.678901.log`.

    Args:
        path: The file; made when it is first written.
        rotation: When another one begins.
        clock: Monotonic seconds.

    Attributes:
        place: The path.
    """

    def __init__(self, path: Path, rotation: Rotation, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self.place = str(path)
        self._rotation = rotation
        self._clock = clock
        self._file: int | None = None
        self._looked_at = float("-inf")
        self._rotates_from = float("-inf")

    def append(self, lines: bytes) -> int:
        """Append whole lines; answers how many bytes were written, which are fewer only where the disk is full.

        Raises:
            OSError: Nothing could be written.
        """
        file = self._opened()
        written = os.write(file, lines)
        # At the end of what this process has appended, which is the size of the file or a little less.
        if os.lseek(file, 0, os.SEEK_CUR) >= self._rotation.max_bytes and self._clock() >= self._rotates_from:
            self._rotate()
        return written

    def tail(self, most: int) -> bytes:
        """The end of the file, without those before it; nothing where there is none yet.

        Raises:
            OSError: It cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - most))
                return file.read(most)
        except FileNotFoundError:
            return b""

    def close(self) -> None:
        """Close the file, which is opened again when it is written."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is not None and self._clock() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = self._clock()
            if not self._is_in_place():
                self.close()
        if self._file is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._file = os.open(self._path, flags, _READABLE_BY_OWNER)
            self._looked_at = self._clock()
        return self._file

    def _is_in_place(self) -> bool:
        """Whether the file that is open is the one at the path."""
        if self._file is None:
            return False
        try:
            found = self._path.stat()
        except OSError:
            return False
        opened = os.fstat(self._file)
        return (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)

    def _rotate(self) -> None:
        """Give the file another name, unless another process has done it; a failure leaves it as it is."""
        try:
            with self._alone():
                if self._is_in_place() and self._path.stat().st_size >= self._rotation.max_bytes:
                    now = datetime.now(UTC)
                    former = f"{self._path.stem}-{now:%Y-%m-%dT%H-%M-%S.%f}{self._path.suffix}"
                    self._path.rename(self._path.with_name(former))
                    self._remove_former(now)
        except OSError as error:
            self._rotates_from = self._clock() + _TRY_AGAIN_SECONDS
            _log.error("the audit log is not rotated; it goes on growing", file=str(self._path), error=str(error))
        self.close()

    def _remove_former(self, now: datetime) -> None:
        former = sorted(self._path.parent.glob(f"{self._path.stem}-*T*{self._path.suffix}"), reverse=True)
        for number, path in enumerate(former):
            is_old = self._rotation.max_age and path.stat().st_mtime < (now - self._rotation.max_age).timestamp()
            if is_old or (self._rotation.max_backups and number >= self._rotation.max_backups):
                path.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


class StandardOutput:
    """Appends to standard output, where whoever started the process takes it.

    It may be a pipe that several processes write to, and up to `PIPE_BUF` bytes do not mix there. So a write has whole
    lines of no more than that, or one longer line.

    Attributes:
        place: What it is called.
    """

    place = "standard output"

    def tail(self, most: int) -> None:
        """Nothing can be read back from there."""

    def append(self, lines: bytes) -> int:
        """Write lines; answers how many bytes were written.

        Raises:
            OSError: Nothing could be written.
        """
        written = 0
        while written < len(lines):
            piece = lines[written : _whole_lines(lines, written)]
            try:
                written += (count := os.write(1, piece))
            except OSError:
                if not written:
                    raise
                break
            if count < len(piece):
                break
        return written

    def close(self) -> None:
        """Leave it as it is."""


def _whole_lines(lines: bytes, start: int) -> int:
    """Where the lines end that one write to a pipe takes."""
    end = start + select.PIPE_BUF
    if end >= len(lines):
        return len(lines)
    return (lines.rfind(b"\n", start, end) + 1) or (lines.find(b"\n", end) + 1) or len(lines)
