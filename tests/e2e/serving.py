"""A `fairlead serve` of a test's own, driven as a user would drive it."""

import os
import re
import signal
import subprocess
import sys

import httpx
import psutil

from app.supervisor.postgres import EmbeddedPostgres
from tests.e2e.waiting import until


class Serving:
    """Starts it on a free port and waits until it says that it is ready.

    Most tests need no data plane and no DNS, so there is none unless they ask for it; `dns_port=None` leaves it to the
    product. `within` is a command that begins it, such as one that gives it mounts of its own; `program` is the
    program that is run, if it is not the one of this environment.
    """

    PROGRAM = (sys.executable, "-m", "app.cli")

    def __init__(
        self, data_dir, *flags, wait=True, data_plane="none", dns_port="0", within=(), program=PROGRAM, cwd=None
    ):
        self.data_dir = data_dir
        self.database_url = EmbeddedPostgres(data_dir).url()
        self.errors = data_dir.with_name(f"{data_dir.name}.log")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [
                    *within,
                    *(*program, "serve", "--data-dir", data_dir, "--port", "0"),
                    *(() if dns_port is None else ("--dns-port", dns_port)),
                    *("--data-plane", data_plane, *flags),
                ],
                cwd=cwd,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.said = ""
        if wait:
            self.wait()

    def wait(self):
        while not (ready := re.search(r"ready at (\S+)", self.said)):
            line = self.process.stdout.readline()
            assert line, self.errors.read_text()
            self.said += line
        self.url = ready[1]
        while "Ctrl-C" not in self.said:
            self.said += self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        descendants = self.descendants()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(15)
        finally:
            for process in [*descendants, self.process]:
                if process.is_running() if isinstance(process, psutil.Process) else process.poll() is None:
                    process.kill()
            self.process.stdout.close()

    def descendants(self):
        """Every process that it started, and those that these started."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def child(self, word):
        """Its child whose command line has `word`."""
        return next(iter(self.children(word)), None)

    def children(self, word):
        """Its children whose command lines have `word`."""
        own = psutil.Process(self.process.pid).children()
        return [each for each in own if any(part == word or part.endswith(f"/{word}") for part in _command(each))]

    def stop(self, signum=signal.SIGTERM, within=30.0):
        """Asks it to end; that it does so by itself is part of what it promises, sooner than this waits."""
        descendants = self.descendants()
        self.process.send_signal(signum)
        status = self.process.wait(within)
        until(lambda: all_gone(descendants), timeout=2)
        return status

    def is_ready(self):
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def all_gone(processes):
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)
