"""Network namespaces of a test's own: machines with addresses of their own, on one machine."""

import contextlib
import ctypes
import itertools
import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

_NEW_NETWORK = 0x40000000
_numbers = itertools.count()

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can make network namespaces: run the tests as root"
)


def ip(*words):
    subprocess.run(["/usr/sbin/ip", *words], check=True, capture_output=True, text=True)


class Namespace:
    """A network namespace, in which nothing but its loopback interface exists at first."""

    def __init__(self, word):
        self.name = f"fl-{os.getpid()}-{next(_numbers)}-{word}"
        self.command = ("/usr/sbin/ip", "netns", "exec", self.name)

    def __enter__(self):
        ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        ip("netns", "del", self.name)

    def ip(self, *words):
        """Run `ip` in it."""
        ip("-n", self.name, *words)

    def join(self, other, network):
        """Lay a cable to another one: this end has the address `network`.1, the other `network`.2."""
        number = next(_numbers)
        ends = [f"fl{os.getpid() % 10_000}n{number}{side}" for side in "ab"]
        ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for namespace, end, last in ((self, ends[0], 1), (other, ends[1], 2)):
            ip("link", "set", end, "netns", namespace.name)
            namespace.ip("address", "add", f"{network}.{last}/24", "dev", end)
            namespace.ip("link", "set", end, "up")
        return ends[0]

    def do(self, work):
        """Answer what a function answers that runs in it. Sockets that it makes stay in the namespace."""
        with ThreadPoolExecutor(1, initializer=self._enter) as thread:
            return thread.submit(work).result()

    def _enter(self):
        """Move this thread, and no other, into the namespace."""
        with Path(f"/run/netns/{self.name}").open() as found:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(found.fileno(), _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), "setns")

    def listening(self, address, port=0):
        """A TCP socket that listens in it."""
        return self.do(lambda: socket.create_server((address, port), backlog=128))

    def heard(self, address, port, source=None, says=b""):
        """What a server says to a client in it until it closes or pauses; None when nobody takes the connection."""
        return self.do(lambda: _heard(address, port, source, says))


def _heard(address, port, source, says):
    try:
        connection = socket.create_connection((address, port), 5, source_address=(source, 0) if source else None)
    except OSError:
        return None
    with connection, contextlib.suppress(OSError):
        connection.sendall(says)
        return connection.recv(1000).decode().strip()
    return ""
