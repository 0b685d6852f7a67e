"""The embedded Postgres. This process creates, starts, restarts and stops it, and it ends when this process does."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil

from app.supervisor.binaries import binaries, unprivileged_user
from app.supervisor.children import spawn
from app.supervisor.cluster_version import check_cluster
from app.supervisor.data_directory import DataDirectory
from app.supervisor.errors import PostgresFailedError
from app.supervisor.log_files import rotate
from app.supervisor.private_directories import make_private, socket_directory
from app.supervisor.wal_archive import WalArchive, quoted

_ROLE = _DATABASE = "fairlead"
# The child enters the cluster's directory before it becomes the unprivileged user, and then names it through /proc. So
# that user needs no access to the directories above (proc(5), /proc/self/cwd).
_HERE = "/proc/self/cwd"
# Postgres' processes end by themselves when their parent is gone; after _EXIT_SECONDS they are killed.
_EXIT_SECONDS = 2.0
_KILL_SECONDS = 5.0
_STATUS_LINE = 7  # of postmaster.pid, counted from 0

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    # A write is on the disk before it is acknowledged.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # Statements are short and touch few rows: parallel or compiled plans would only make them slower.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "random_page_cost": "1.1",
    # The log of changes grows and is trimmed all the time.
    "autovacuum_naptime": "10s",
    # When a client is gone, its locks are released at once, not when its statement ends.
    "client_connection_check_interval": "1s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "log_min_duration_statement": "1s",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


class EmbeddedPostgres:
    """One Postgres cluster in `<data directory>/postgres`, with a socket that only its owner can open.

    It must not be used from several threads. Call `spawn` and `start` in the main thread: Postgres ends with the thread
    that started it.

    Args:
        data_dir: The directory of the cluster, its log and the lock; created if it is missing.
        wal_archive: Where its write-ahead log is archived, None for nowhere.
        programs: Of the major version that made the cluster, if that is not the one that is run.
    """

    def __init__(self, data_dir: Path, wal_archive: Path | None = None, programs: Path | None = None) -> None:
        self._programs = programs
        self._wal_archive = None if wal_archive is None else WalArchive(wal_archive)
        self.directory = DataDirectory(data_dir)
        self._cluster = self.directory.path / "postgres"
        self._log = self.directory.path / "postgres.log"
        self.socket_dir = socket_directory("fairlead", self.directory.path)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = _DATABASE) -> str:
        """The connection URL of one of its databases. It holds no secret: Postgres asks the socket who connects."""
        return f"postgresql://{_ROLE}@/{quote(database)}?host={quote(str(self.socket_dir), safe='')}"

    @property
    def pid(self) -> int | None:
        """The process id of the running postmaster."""
        return None if self._process is None else self._process.pid

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, timeout: float = 60) -> None:
        """Start Postgres, and wait until it accepts connections.

        Args:
            timeout: Seconds; recovery after a crash is part of a start.

        Raises:
            PostgresFailedError: It ended, or was not ready in time.
            DataDirectoryUnusableError: The directory is in use by another process, or not usable.
            BinariesMissingError: Postgres' programs cannot be found or run.
        """
        self.spawn()
        deadline = time.monotonic() + timeout
        while not self.ready(deadline):
            time.sleep(0.02)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Lock the data directory, create the cluster if there is none, and start the postmaster.

        Call it again when the postmaster has ended or is ending.

        Raises:
            PostgresFailedError: The cluster could not be created.
            DataDirectoryUnusableError: The directory is in use by another process, or not usable.
            WalArchiveUnusableError: Postgres cannot write to the archive.
            BinariesMissingError: Postgres' programs cannot be found or run.
            OtherPostgresError: Another major version of Postgres made the cluster, or an upgrade has not ended.
        """
        self.directory.acquire()
        if self._process is not None:
            self._process.wait()
        user = unprivileged_user(self._cluster)
        programs = self._programs or binaries(user)
        if self._programs is None:
            check_cluster(self.directory.path)
        self._end_earlier_processes()
        make_private(self.socket_dir, user)
        if not self._cluster.is_dir():
            self._initialise(programs, user)
        self._configure(user)
        self.rotate_log()
        # SIGQUIT is Postgres' immediate shutdown: its backends and its shared memory go with it.
        with self._log.open("ab") as log:
            self._process = spawn(
                [programs / "postgres", "-D", _HERE],
                death_signal=signal.SIGQUIT,
                user=user,
                cwd=self._cluster,
                env=_environment(),
                output=log,
            )
        return self._process

    def ready(self, deadline: float) -> bool:
        """Whether the postmaster that was started accepts connections.

        Args:
            deadline: In seconds of `time.monotonic`; if it does not accept connections by then, that is an error.

        Raises:
            PostgresFailedError: It ended, or is not ready at the deadline.
        """
        if self._accepts_connections():
            return True
        if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
            raise PostgresFailedError(f"Postgres did not start; the end of {self._log}:\n{self._log_tail()}")
        return False

    def _accepts_connections(self) -> bool:
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > _STATUS_LINE and int(lines[0]) == self.pid and lines[_STATUS_LINE].strip() == "ready"

    def stop(self, timeout: float = 10) -> None:
        """Stop Postgres, and release the data directory.

        Postgres ends its connections and writes a checkpoint. If that takes more than `timeout` seconds, it is killed
        and recovers at the next start. Nothing that was committed is lost.
        """
        self.halt(timeout)
        self.directory.release()

    def halt(self, timeout: float = 10) -> None:
        """Stop Postgres as `stop` does, and keep the data directory locked."""
        deadline = time.monotonic() + timeout
        for signum, share in ((signal.SIGINT, 0.7), (signal.SIGQUIT, 0.2), (signal.SIGKILL, 0.1)):
            if self._process is None or self._process.poll() is not None:
                break
            self._process.send_signal(signum)
            try:
                self._process.wait(min(share * timeout, max(deadline - time.monotonic(), 0.1)))
            except subprocess.TimeoutExpired:
                continue
        if self._process is not None:
            # What does not obey its parent, because it is frozen perhaps, does not leave by itself either.
            obeyed = self._process.poll() is not None and self._process.returncode >= 0
            self._process = None
            self._end_earlier_processes(_EXIT_SECONDS if obeyed else 0.0)
            shutil.rmtree(self.socket_dir)

    def rotate_log(self) -> None:
        """Keep the log short. The postmaster has it open for appending."""
        rotate(self._log)

    def _log_tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-10:])

    def _end_earlier_processes(self, exit_seconds: float = _EXIT_SECONDS) -> None:
        """End the processes of a postmaster whose parent was killed, and remove its lock file.

        This process has locked the directory, so nobody else needs them. They are found by their working directory: the
        process id in a stale lock file may belong to another program by now, and then Postgres would refuse to start.
        """
        if not self._processes_end_within(exit_seconds):
            for process in self._processes_in_cluster():
                process.kill()
            if not self._processes_end_within(_KILL_SECONDS):
                raise PostgresFailedError(
                    f"processes of an earlier Postgres still use {self._cluster}, although they were killed"
                )
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _processes_end_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._processes_in_cluster():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _processes_in_cluster(self) -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["name", "cwd"])
            if process.info["name"] == "postgres" and process.info["cwd"] == str(self._cluster.resolve())
        ]

    def _initialise(self, programs: Path, user: tuple[int, int] | None) -> None:
        """Create the cluster under another name and rename it, so that an unfinished one is never used."""
        unfinished = self._cluster.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if user is not None:
            os.chown(unfinished, *user)
        locale = ("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8")
        initdb = (programs / "initdb", "-D", _HERE, "--username", _ROLE, "--auth", "peer", *locale)
        single = (programs / "postgres", "--single", "-D", _HERE, "postgres")
        self._run(initdb, user, unfinished)
        self._run(single, user, unfinished, statement=f"CREATE DATABASE {_DATABASE}")
        unfinished.rename(self._cluster)

    def _run(
        self, command: Sequence[str | Path], user: tuple[int, int] | None, cwd: Path, *, statement: str = ""
    ) -> None:
        process = spawn(command, user=user, cwd=cwd, env=_environment(), stdin=subprocess.PIPE, output=subprocess.PIPE)
        _, complaint = process.communicate(statement.encode())
        if process.returncode != 0:
            raise PostgresFailedError(f"{command[0]} failed: {complaint.decode(errors='replace').strip()}")

    def _configure(self, user: tuple[int, int] | None) -> None:
        """Write the settings at each start, so that those of a new version apply; ALTER SYSTEM overrides them."""
        settings = _SETTINGS | {"unix_socket_directories": str(self.socket_dir)}
        if self._wal_archive is not None:
            self._wal_archive.prepare(user)
            settings |= self._wal_archive.settings()
        me = pwd.getpwuid(os.geteuid()).pw_name
        files = {
            "postgresql.conf": "".join(f"{name} = {quoted(value)}\n" for name, value in settings.items()),
            "pg_hba.conf": "local all,replication all peer map=fairlead\n",
            "pg_ident.conf": f'fairlead "{me}" {_ROLE}\n',
        }
        for name, content in files.items():
            path = self._cluster / name
            path.write_text(content)
            if user is not None:
                os.chown(path, *user)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
