"""Files that hold secrets: what their permissions let others do."""

import stat
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


def refuse_if_writable(path: Path) -> None:
    """Refuse a file that others than its owner may change, and so put secrets of their own into it.

    Raises:
        ValueError: They may; the message says what to do.
        OSError: It is not there.
    """
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) and mode & _OTHERS_WRITE:
        raise ValueError(f"{path} can be changed by others than its owner: run chmod go-w {path}")


def others_can_read(path: Path) -> bool:
    """Whether others than its owner may read a file.

    Raises:
        OSError: It is not there.
    """
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) and bool(mode & _OTHERS_READ)
