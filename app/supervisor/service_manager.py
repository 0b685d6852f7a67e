"""What the service manager of the system is told (sd_notify(3)): one datagram to a Unix socket that it names."""

import contextlib
import os
import socket
import time


class ServiceManager:
    """Tells the service manager that started this process how it is; tells nobody if none did.

    The variables are taken out of the environment, so that no child speaks for this process.
    """

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        own = os.environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        timeout = os.environ.pop("WATCHDOG_USEC", "")
        # Told twice as often as is asked for, as sd_watchdog_enabled(3) recommends.
        self._interval = int(timeout) / 2e6 if own and timeout.isdecimal() else 0.0
        self._alive_at = 0.0

    def ready(self) -> None:
        """All processes answer; also after files were read again."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Files are read again; `ready` follows."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The processes are asked to end."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """This process works. Call it as often as you like."""
        now = time.monotonic()
        if self._interval and now - self._alive_at >= self._interval:
            self._alive_at = now
            self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # An address that begins with @ is in the abstract namespace (unix(7)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # Without a service manager that listens, everything else works as well.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel,
        ):
            channel.sendto("\n".join(lines).encode(), address)
