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


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that only its owner may change.

    Raises:
        ValueError: Others may change it, or it cannot be read; the message says so and holds nothing of the file.
    """
    try:
        refuse_if_writable(path)
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} cannot be read: it is not UTF-8 text") from error


def others_can_read(path: Path) -> bool:
    """Whether others than its owner may read a file.

    Raises:
        OSError: It is not there.
    """
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) and bool(mode & _OTHERS_READ)
