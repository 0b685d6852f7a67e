"""The product as a user starts it, and what its processes use."""

import time

import psutil

from tests.e2e.serving import Serving

FLAGS = ("--service-cidrs", "10.0.0.0/12", "--node-port-range", "10000-60000", "--external-pool", "100.64.0.0/12",
         "--internal-pool", "172.16.0.0/16")  # fmt: skip
"""Room for everything that is measured; durability is as it always is."""


class Processes:
    """What the processes of a server use: one process, and all that descend from it.

    Args:
        pid: The first process.
    """

    def __init__(self, pid):
        self._first = psutil.Process(pid)

    def cpu_seconds(self):
        """CPU used so far by all its processes that are alive."""
        return sum(_measured(each, lambda p: sum(p.cpu_times()[:2])) for each in self._all())

    def memory(self):
        """Bytes by role, a shared page counted in equal parts where it is shared."""
        used = {}
        for each in self._all():
            role = _measured(each, _role) or "gone"
            used[role] = used.get(role, 0) + _measured(each, lambda p: p.memory_full_info().pss)
        return used

    def _all(self):
        return [self._first, *self._first.children(recursive=True)]


class Product(Serving, Processes):
    """`fairlead serve` on a data directory of its own."""

    def __init__(self, data_dir, *flags):
        self.started = time.time()
        Serving.__init__(self, data_dir, *FLAGS, *flags)
        Processes.__init__(self, self.process.pid)

    def until_ready(self, timeout):
        """Seconds until it answers; it is started without waiting for that."""
        started = time.monotonic()
        while not self.is_ready():
            assert time.monotonic() < started + timeout, self.errors.read_text()[-2000:]
            time.sleep(0.05)
        return time.monotonic() - started


def _role(process):
    command = process.cmdline()
    for word in ("api", "reconciler", "serve"):
        if word in command:
            return word
    return "postgres"


def _measured(process, ask):
    try:
        return ask(process)
    except psutil.Error:  # it has just ended
        return 0
