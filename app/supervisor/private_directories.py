"""Directories beside the data directory that only one user can open: for Unix sockets, and for shared memory."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from app.supervisor.errors import PrivateDirectoryUnusableError

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the directory in it is private


def socket_directory(prefix: str, data_dir: Path) -> Path:
    """The directory for the sockets of a data directory.

    The path of a socket may have 107 bytes (unix(7)); that of a data directory is often longer.

    Args:
        prefix: Of its name.
        data_dir: The data directory.
    """
    return Path(tempfile.gettempdir()) / _name(prefix, data_dir)


def memory_directory(prefix: str, data_dir: Path) -> Path:
    """The directory for files that processes of a data directory map into their memory.

    A process ends with SIGBUS when it writes to such a file and the disk has no room for that, so they are in shared
    memory (shm_overview(7)) where the system has it.

    Args:
        prefix: Of its name.
        data_dir: The data directory.
    """
    root = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    return root / _name(prefix, data_dir)


def _name(prefix: str, data_dir: Path) -> str:
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    return f"{prefix}-{os.geteuid()}-{digest}"


def make_private(directory: Path, user: tuple[int, int] | None) -> None:
    """Create a directory, or empty the one that is there; one of another user is refused.

    Args:
        directory: Its parent exists.
        user: (uid, gid) of the owner; None for this process's own.

    Raises:
        PrivateDirectoryUnusableError: Others can use what is there.
    """
    owner, group = user or (os.geteuid(), os.getegid())
    try:
        directory.mkdir(mode=0o700)
        os.chown(directory, owner, group)
    except FileExistsError:
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
            raise PrivateDirectoryUnusableError(
                f"{directory} is not a directory that only one user can use: remove it"
            ) from None
        for left in directory.iterdir():
            left.unlink()
