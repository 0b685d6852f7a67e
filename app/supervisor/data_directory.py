"""The data directory, and the lock that lets only one server use it."""

import fcntl
import os
from pathlib import Path

from app.supervisor.errors import DataDirectoryUnusableError


class DataDirectory:
    """A directory that at most one running process uses.

    The kernel keeps the lock (flock(2)) and releases it when the process ends, even by SIGKILL. So it is never stale.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    def acquire(self) -> None:
        """Create the directory if it is missing, and lock it. If this process has the lock already, nothing happens.

        Raises:
            DataDirectoryUnusableError: Another process holds the lock, or the directory cannot be created or written.
        """
        if self._lock is not None:
            return
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataDirectoryUnusableError(f"data directory {self.path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(lock, 32, 0).decode(errors="replace").strip()
            os.close(lock)
            raise DataDirectoryUnusableError(
                f"data directory {self.path} is already in use by process {holder or 'unknown'}: "
                "stop that one, or choose another directory with --data-dir"
            ) from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    def release(self) -> None:
        """Release the lock. If this process does not have it, nothing happens."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
