"""The logs of programs that are not ours."""

import os
import shutil
from pathlib import Path

_LIMIT_BYTES = 8 * 1024 * 1024


def rotate(log: Path) -> None:
    """Copy a log of more than 8 MiB to a file with `.1` at its end, which it replaces, and empty it.

    The program has the file open for appending, so it cannot be renamed.
    """
    if log.is_file() and log.stat().st_size > _LIMIT_BYTES:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
