"""Files with secrets, and what their permissions allow others."""

import os
import stat
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


def refuse_if_writable(path: Path) -> None:
    """Refuse a file that others than its owner may change: they could put secrets of their own into it.

    Raises:
        ValueError: Others may change the file. The message says what to do.
        OSError: The file is missing.
    """
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) and mode & _OTHERS_WRITE:
        raise ValueError(f"{path} can be changed by others than its owner: run chmod go-w {path}")


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file that only its owner may change.

    Raises:
        ValueError: Others may change the file, or it cannot be read. The message shows nothing of its content.
    """
    try:
        refuse_if_writable(path)
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} cannot be read: it is not UTF-8 text") from error


def others_can_read(path: Path) -> bool:
    """Whether others than the owner may read a file.

    Raises:
        OSError: The file is missing.
    """
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) and bool(mode & _OTHERS_READ)


def ensure_file(path: Path, text: str) -> None:
    """Make a file where there is none; only its owner can read it. The file appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    if path.exists():
        return
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
