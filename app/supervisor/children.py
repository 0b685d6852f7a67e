"""Child processes that cannot outlive the process that started them."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def spawn(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals = signal.SIGKILL,
    user: tuple[int, int] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    output: IO[bytes] | int | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts a program that gets `death_signal` the moment its parent dies, however it dies.

    The kernel ties a child to the thread that forked it (prctl(2), PR_SET_PDEATHSIG): call this from the main thread.
    The child leads a process group of its own, so that a terminal's Ctrl-C reaches the parent alone, which then stops
    its children in order.

    Args:
        command: The program and its arguments.
        death_signal: What the kernel sends when the parent is gone.
        user: (uid, gid) to run as; only root can ask for another than its own.
        cwd: Entered before the user changes, so it may lie where that user could not go.
        env: The whole environment; None inherits the parent's.
        stdin: Nothing to read, or subprocess.PIPE.
        output: Receives stdout and stderr: a file, or subprocess.PIPE; None inherits the parent's.
        pass_fds: File descriptors that the child inherits under the same numbers.

    Raises:
        OSError: The program cannot be run.
    """
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=output,
        stderr=output,
        user=None if user is None else user[0],
        group=None if user is None else user[1],
        extra_groups=None if user is None else (),
        cwd=cwd,
        env=env,
        pass_fds=pass_fds,
        process_group=0,
        preexec_fn=partial(_tie_to_parent, os.getpid(), death_signal),  # noqa: PLW1509 - a changed uid clears the death signal, so it must be set after that and before exec
    )


def _tie_to_parent(parent: int, death_signal: signal.Signals) -> None:
    """Runs in the child between fork and exec."""
    # Until the program says what SIGHUP means to it, it means nothing: one that has just started has read all files.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before the tie was made, and no signal will come
        os._exit(1)
