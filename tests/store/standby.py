"""A real standby of an embedded Postgres: streaming replication on this machine, from the same programs."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil

from app.supervisor.binaries import binaries, unprivileged_user
from app.supervisor.children import spawn
from app.supervisor.postgres import EmbeddedPostgres
from tests.e2e.pausing import resume, suspend

NAME = "standby"
"""What the primary calls it in `synchronous_standby_names`."""

_START_SECONDS = 30


class Standby:
    """Copied from a primary that runs, and then fed by it.

    Args:
        primary: Must let the standby's user replicate.
        directory: For its files; a short path, as its socket is there, too.
    """

    def __init__(self, primary: EmbeddedPostgres, directory: Path) -> None:
        self._user = unprivileged_user(directory / "none")
        self._programs = binaries(self._user)
        self._cluster = directory / "data"
        self._log = directory / "postgres.log"
        self.socket_dir = directory
        self._copy(primary)
        self.start()

    def _copy(self, primary: EmbeddedPostgres) -> None:
        origin = f"host={primary.socket_dir} user=fairlead application_name={NAME}"
        subprocess.run(
            [self._programs / "pg_basebackup", "-d", origin, "-D", self._cluster, "-c", "fast", "-X", "stream"],
            check=True,
            capture_output=True,
        )
        with (self._cluster / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{origin}'\n")
        (self._cluster / "standby.signal").touch()
        for path in [self.socket_dir, self._cluster, *self._cluster.rglob("*")]:
            shutil.chown(path, *(self._user or (os.geteuid(), os.getegid())))
        self._cluster.chmod(0o700)

    def start(self) -> None:
        settings = ("-c", f"unix_socket_directories={self.socket_dir}")
        with self._log.open("ab") as log:
            self._process = spawn(
                [self._programs / "postgres", "-D", "/proc/self/cwd", *settings],
                death_signal=signal.SIGQUIT,
                user=self._user,
                cwd=self._cluster,
                output=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while "ready" not in self._status():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def _status(self) -> str:
        pid_file = self._cluster / "postmaster.pid"
        return (pid_file.read_text().splitlines() or [""])[-1] if pid_file.exists() else ""

    def url(self) -> str:
        return f"postgresql://fairlead@/fairlead?host={quote(str(self.socket_dir), safe='')}"

    def pause(self) -> None:
        """Have it take nothing any more, with its connection open."""
        suspend(self._processes())

    def resume(self) -> None:
        resume(self._processes())

    def restart(self) -> None:
        """Lose what was on its way to it."""
        for process in self._processes():
            process.kill()
        self._process.wait()
        (self._cluster / "postmaster.pid").unlink()
        self.start()

    def promote(self) -> None:
        """Have it become a primary."""
        (self._cluster / "promote").touch()
        self._process.send_signal(signal.SIGUSR1)

    def close(self) -> None:
        self.resume()
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(10)

    def _processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(self._process.pid)
        return [postmaster, *postmaster.children(recursive=True)]
