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
    """Start a program that gets `death_signal` as soon as its parent dies, for whatever reason.

    The kernel ties a child to the thread that forked it (prctl(2), PR_SET_PDEATHSIG): call this from the main thread.
    The child leads a process group of its own: Ctrl-C in a terminal reaches the parent alone, which then stops its
    children in order.

    Args:
        command: The program and its arguments.
        death_signal: The signal that the kernel sends when the parent is gone.
        user: (uid, gid) to run as; only root can choose another user than itself.
        cwd: The working directory. It is entered before the user changes, so that user needs no access to it.
        env: The whole environment; None inherits the parent's.
        stdin: DEVNULL, which has nothing to read, or PIPE.
        output: Where stdout and stderr go: a file or PIPE; None inherits the parent's.
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
    """Set the signals of the child. It runs there, between fork and exec."""
    # SIGHUP asks for files to be read again. A program that has just started reads them anyway: it may ignore SIGHUP
    # until it has a handler.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # the parent died before prctl was called, so no signal will come
        os._exit(1)
