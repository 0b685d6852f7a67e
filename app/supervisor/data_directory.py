"""The directory that holds everything a server keeps, and the lock that gives it one owner."""

import fcntl
import os
from pathlib import Path

from app.supervisor.errors import DataDirectoryUnusableError


class DataDirectory:
    """A directory owned by at most one running process.

    The lock is the kernel's (flock(2)): it goes when its holder does, even by SIGKILL, so it is never stale.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    def acquire(self) -> None:
        """Creates the directory where it is missing and takes its lock; without effect when it is held already.

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
        """Gives the lock back; without effect when it is not held."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
