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

from app.reloading import Reloads, log_level
from app.settings import ENVIRONMENT_PREFIX, ServeSettings
from app.supervisor.child import Child
from app.supervisor.children import spawn
from app.supervisor.data_directory import DataDirectory
from app.supervisor.errors import CannotListenError, ChildFailedError
from app.supervisor.kubeconfig import Kubeconfig
from app.supervisor.listening import reserve, share, url
from app.supervisor.own_certificate import OwnCertificate
from app.supervisor.postgres import EmbeddedPostgres
from app.supervisor.signals import Signals, StopRequested
from app.supervisor.welcome import welcome
from app.telemetry.metrics import MULTIPROCESS_VARIABLE, forget_process

_log = structlog.stdlib.get_logger(__name__)

_TICK = 0.5
_PORT_WAIT = 2.0
_POSTGRES_START = 300.0  # recovery after a crash included
# Together less than the ten seconds within which everything is gone.
_WORKERS_STOP = 5.5
_RECONCILER_STOP = 1.5
_POSTGRES_STOP = 2.5


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
        self._own = OwnCertificate(self._path / "tls", settings) if settings.needs_own_certificate else None
        self._trusted = self._own.authority if self._own else settings.tls_cert_file
        self._workers: list[Child] = []
        self._reconciler: Child | None = None
        self._signals = Signals()

    def run(self) -> None:
        """Serves until SIGTERM, SIGINT or the end of the terminal; SIGHUP is passed on, for files to be read again.

        Raises:
            CannotStartError: What stands in the way; nothing is left running.
        """
        try:
            kubeconfig = self._announce(self._start())
            reloads = Reloads(*log_level(self._settings), *kubeconfig.sources())
            while True:
                self._tend()
                reloads.check()
                kubeconfig.keep_up()
                if self._own is not None:
                    self._own.keep_up()
                if self._signals.pause(_TICK):
                    self._reload(reloads)
        except StopRequested:
            _log.info("stopping")
        finally:
            self._stop()

    def _start(self) -> socket.socket:
        """Starts everything, and returns the socket that holds the port."""
        self._directory.acquire()
        if self._own is not None:
            self._own.prepare()
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
                self._signals.pause(0.05)

    def _start_database(self) -> None:
        if self._postgres is None or self._database is None:
            return
        self._database.start()
        deadline = time.monotonic() + _POSTGRES_START
        while not self._postgres.ready(deadline):
            self._signals.pause(0.05)

    def _migrate(self) -> None:
        migration = self._spawn("migrate")
        while (status := migration.poll()) is None:
            self._signals.pause(_TICK)
        if status != 0:
            raise ChildFailedError("the database could not be migrated; the reason is in the lines above")

    def _spawn(self, command: str, *flags: str, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        environment = {
            name: value for name, value in os.environ.items() if not name.upper().startswith(ENVIRONMENT_PREFIX)
        }
        environment |= self._settings.environment() | {MULTIPROCESS_VARIABLE: str(self._metrics)}
        if self._postgres is not None:
            environment[f"{ENVIRONMENT_PREFIX}DATABASE_URL"] = self._postgres.url()
        if self._own is not None:
            for setting in ("TLS_CERT_FILE", "TLS_PRIVATE_KEY_FILE"):
                environment[f"{ENVIRONMENT_PREFIX}{setting}"] = str(self._own.path)
        return spawn([sys.executable, "-m", "app.cli", command, *flags], env=environment, pass_fds=pass_fds)

    def _spawn_worker(self, reserved: socket.socket) -> subprocess.Popen[bytes]:
        with share(reserved) as listener:
            return self._spawn("api", "--fd", str(listener.fileno()), pass_fds=(listener.fileno(),))

    def _announce(self, reserved: socket.socket) -> Kubeconfig:
        """Waits until requests are answered, and tells what to do now.

        Raises:
            ChildFailedError: A process ended with an error before that.
            UntrustedCertificateError: No client would accept the certificate.
        """
        server = url(self._settings.host, reserved.getsockname()[1], "http" if self._trusted is None else "https")
        kubeconfig = Kubeconfig(self._path / "kubeconfig", server, self._settings, self._trusted)
        while not kubeconfig.write():
            for child in self._children():
                if (status := child.poll()) is not None and status > 0:
                    raise ChildFailedError(f"{child.name} ended with status {status}; the reason is in the lines above")
            self._tend()
            self._signals.pause(0.1)
        print(welcome(server, kubeconfig.path, self._settings.token_file, self._trusted), flush=True)  # noqa: T201 - for the person at the terminal
        return kubeconfig

    def _reload(self, reloads: Reloads) -> None:
        """Reads files again, and has the children do so."""
        reloads.everything()
        for child in (self._reconciler, *self._workers):
            if child is not None:
                child.send_signal(signal.SIGHUP)

    def _children(self) -> list[Child]:
        return [child for child in (self._database, self._reconciler, *self._workers) if child is not None]

    def _tend(self) -> None:
        for child in self._children():
            child.tend()
        if self._postgres is not None:
            self._postgres.rotate_log()

    def _stop(self) -> None:
        """Ends everything in the order in which it is needed: requests, what they wait for, the database."""
        _end(self._workers, _WORKERS_STOP, self._signals)
        _end([self._reconciler] if self._reconciler else [], _RECONCILER_STOP, self._signals)
        if self._postgres is not None:
            self._postgres.stop(_POSTGRES_STOP)


def _end(children: Sequence[Child], patience: float, signals: Signals) -> None:
    """Asks children to end, and kills those that have not within `patience` seconds, or at a second request to stop."""
    for child in children:
        child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + patience
    try:
        while time.monotonic() < deadline and not all(child.has_ended() for child in children):
            signals.pause(0.05)
    except StopRequested:
        _log.warning("stopping at once")
    for child in children:
        if not child.has_ended():
            _log.warning("killed", process=child.name)
            child.send_signal(signal.SIGKILL)
