"""`fairlead serve`: starts everything, keeps it running, and ends it in order."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial

import structlog

from app.settings import ENVIRONMENT_PREFIX, ServeSettings
from app.supervisor.child import Child
from app.supervisor.children import spawn
from app.supervisor.data_directory import DataDirectory
from app.supervisor.errors import CannotListenError, ChildFailedError
from app.supervisor.kubeconfig import Trust, write_kubeconfig
from app.supervisor.listening import reserve, share, url
from app.supervisor.postgres import EmbeddedPostgres
from app.supervisor.probe import Probe
from app.supervisor.welcome import welcome
from app.telemetry.metrics import MULTIPROCESS_VARIABLE, forget_process

_log = structlog.stdlib.get_logger(__name__)

_STOP = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_TICK = 0.5
_PORT_WAIT = 2.0
_POSTGRES_START = 300.0  # recovery after a crash included
# Together less than the ten seconds within which everything is gone.
_WORKERS_STOP = 5.5
_RECONCILER_STOP = 1.5
_POSTGRES_STOP = 2.5


class StopRequested(Exception):  # noqa: N818 - a request, not an error
    """SIGTERM, SIGINT or SIGHUP arrived."""


class Supervisor:
    """The parent of every other process.

    It has one thread and no event loop: signals are blocked and waited for, which makes forking safe and leaves no
    moment in which one is missed.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._path = settings.data_dir.absolute()
        self._metrics = self._path / "metrics"
        self._postgres = None if settings.database_url else EmbeddedPostgres(self._path)
        self._directory = self._postgres.directory if self._postgres else DataDirectory(self._path)
        self._database = Child("postgres", self._postgres.spawn) if self._postgres else None
        self._workers: list[Child] = []
        self._reconciler: Child | None = None

    def run(self) -> None:
        """Serves until SIGTERM, SIGINT or SIGHUP.

        Raises:
            CannotStartError: What stands in the way; nothing is left running.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP | {signal.SIGCHLD})
        try:
            self._announce(self._start())
            while True:
                self._tend()
                _pause(_TICK)
        except StopRequested:
            _log.info("stopping")
        finally:
            self._stop()

    def _start(self) -> socket.socket:
        """Starts everything, and returns the socket that holds the port."""
        self._directory.acquire()
        reserved = self._reserve()
        self._start_database()
        shutil.rmtree(self._metrics, ignore_errors=True)
        self._metrics.mkdir()
        self._migrate()
        ended = partial(forget_process, directory=self._metrics)
        self._reconciler = Child("reconciler", partial(self._spawn, "reconciler", "--health-port", "0"), ended)
        self._workers = [
            Child(f"api-{number}", partial(self._spawn_worker, reserved), ended)
            for number in range(1, self._settings.workers + 1)
        ]
        for child in (self._reconciler, *self._workers):
            child.start()
        return reserved

    def _reserve(self) -> socket.socket:
        """Takes the port, which the workers of a supervisor that was just killed may hold for a moment longer."""
        deadline = time.monotonic() + _PORT_WAIT
        while True:
            try:
                return reserve(self._settings.host, self._settings.port)
            except CannotListenError:
                if time.monotonic() > deadline:
                    raise
                _pause(0.05)

    def _start_database(self) -> None:
        if self._postgres is None or self._database is None:
            return
        self._database.start()
        deadline = time.monotonic() + _POSTGRES_START
        while not self._postgres.ready(deadline):
            _pause(0.05)

    def _migrate(self) -> None:
        migration = self._spawn("migrate")
        while (status := migration.poll()) is None:
            _pause(_TICK)
        if status != 0:
            raise ChildFailedError("the database could not be migrated; the reason is in the lines above")

    def _spawn(self, command: str, *flags: str, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        environment = {
            name: value for name, value in os.environ.items() if not name.upper().startswith(ENVIRONMENT_PREFIX)
        }
        environment |= self._settings.environment() | {MULTIPROCESS_VARIABLE: str(self._metrics)}
        if self._postgres is not None:
            environment[f"{ENVIRONMENT_PREFIX}DATABASE_URL"] = self._postgres.url()
        return spawn([sys.executable, "-m", "app.cli", command, *flags], env=environment, pass_fds=pass_fds)

    def _spawn_worker(self, reserved: socket.socket) -> subprocess.Popen[bytes]:
        with share(reserved) as listener:
            return self._spawn("api", "--fd", str(listener.fileno()), pass_fds=(listener.fileno(),))

    def _announce(self, reserved: socket.socket) -> None:
        """Waits until requests are answered, and tells what to do now.

        Raises:
            ChildFailedError: A process ended with an error before that.
            UntrustedCertificateError: No client would accept the certificate.
        """
        certificate = self._settings.tls_cert_file
        server = url(self._settings.host, reserved.getsockname()[1], "http" if certificate is None else "https")
        probe = Probe(server, certificate)
        while not probe.answers():
            for child in self._children():
                if (status := child.poll()) is not None and status > 0:
                    raise ChildFailedError(f"{child.name} ended with status {status}; the reason is in the lines above")
            self._tend()
            _pause(0.1)
        kubeconfig = self._path / "kubeconfig"
        tokens = self._settings.tokens
        trust = None if certificate is None else Trust(certificate.read_bytes(), probe.other_name)
        write_kubeconfig(kubeconfig, server, tokens[0].secret if tokens else None, trust)
        print(welcome(server, kubeconfig, self._settings.token_file, certificate), flush=True)  # noqa: T201 - for the person at the terminal

    def _children(self) -> list[Child]:
        return [child for child in (self._database, self._reconciler, *self._workers) if child is not None]

    def _tend(self) -> None:
        for child in self._children():
            child.tend()
        if self._postgres is not None:
            self._postgres.rotate_log()

    def _stop(self) -> None:
        """Ends everything in the order in which it is needed: requests, what they wait for, the database."""
        _end(self._workers, _WORKERS_STOP)
        _end([self._reconciler] if self._reconciler else [], _RECONCILER_STOP)
        if self._postgres is not None:
            self._postgres.stop(_POSTGRES_STOP)


def _pause(seconds: float) -> None:
    """Sleeps, but not beyond the end of a child.

    Raises:
        StopRequested: At the signal to stop.
    """
    received = signal.sigtimedwait(_STOP | {signal.SIGCHLD}, seconds)
    if received is not None and received.si_signo in _STOP:
        raise StopRequested


def _end(children: Sequence[Child], patience: float) -> None:
    """Asks children to end, and kills those that have not within `patience` seconds, or at a second request to stop."""
    for child in children:
        child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + patience
    try:
        while time.monotonic() < deadline and not all(child.has_ended() for child in children):
            _pause(0.05)
    except StopRequested:
        _log.warning("stopping at once")
    for child in children:
        if not child.has_ended():
            _log.warning("killed", process=child.name)
            child.send_signal(signal.SIGKILL)
