"""`fairlead serve`: starts all processes, keeps them running, and stops them in order."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import structlog

from app.encryption_keys import ensure_keys
from app.reloading import Reloads, log_level
from app.settings import ENVIRONMENT_PREFIX, ServeSettings
from app.supervisor.child import Child
from app.supervisor.children import spawn
from app.supervisor.data_directory import DataDirectory
from app.supervisor.errors import CannotListenError, ChildFailedError, DataDirectoryUnusableError
from app.supervisor.kubeconfig import Kubeconfig
from app.supervisor.listening import reserve, share, url
from app.supervisor.own_certificate import OwnCertificate
from app.supervisor.postgres import EmbeddedPostgres
from app.supervisor.signals import Signals, StopRequested
from app.supervisor.welcome import welcome
from app.telemetry.metrics import MULTIPROCESS_VARIABLE, forget_process

_log = structlog.stdlib.get_logger(__name__)

_CHECK_SECONDS = 0.5
_PORT_WAIT_SECONDS = 2.0
_POSTGRES_START_SECONDS = 300.0  # recovery after a crash included
# A stop takes less than ten seconds, whatever hangs. What the others leave of the time is for the database.
_STOP_SECONDS = 8.5
_WORKERS_STOP_SECONDS = 5.0
_RECONCILER_STOP_SECONDS = 1.5


class Supervisor:
    """The parent of every other process.

    It has one thread and no event loop. It blocks signals and waits for them: so forking is safe, and no signal is
    missed.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._path = settings.data_dir.absolute()
        self._metrics = self._path / "metrics"
        self._postgres = None if settings.database_url else EmbeddedPostgres(self._path)
        self._directory = self._postgres.directory if self._postgres else DataDirectory(self._path)
        self._database = Child("postgres", self._postgres.spawn) if self._postgres else None
        self._own_certificate = OwnCertificate(self._path / "tls", settings) if settings.needs_own_certificate else None
        self._trusted = self._own_certificate.authority if self._own_certificate else settings.tls_cert_file
        # Only for the embedded database. With a database of your own, bring the keys for it, too.
        self._keys = self._path / "encryption-keys" if self._postgres and not settings.encryption_key_file else None
        self._workers: list[Child] = []
        self._reconciler: Child | None = None
        self._signals = Signals()

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or the end of the terminal. At SIGHUP all processes read their files again.

        Raises:
            CannotStartError: It cannot start; the message says why. No process is left running.
        """
        try:
            kubeconfig = self._announce(self._start())
            reloads = Reloads(*log_level(self._settings), *kubeconfig.sources())
            while True:
                self._restart_ended()
                reloads.check()
                kubeconfig.keep_up()
                if self._own_certificate is not None:
                    self._own_certificate.keep_up()
                if self._signals.pause(_CHECK_SECONDS):
                    self._reload(reloads)
        except StopRequested:
            _log.info("stopping")
        finally:
            self._stop()

    def _start(self) -> socket.socket:
        """Start all processes; returns the socket that reserves the port."""
        self._directory.acquire()
        if self._own_certificate is not None:
            self._own_certificate.prepare()
        if self._keys is not None:
            _ensure_keys(self._keys)
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
        """Reserve the port. Workers of a supervisor that was just killed may still listen on it for a moment."""
        deadline = time.monotonic() + _PORT_WAIT_SECONDS
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
        deadline = time.monotonic() + _POSTGRES_START_SECONDS
        while not self._postgres.ready(deadline):
            self._signals.pause(0.05)

    def _migrate(self) -> None:
        migration = self._spawn("migrate")
        while (status := migration.poll()) is None:
            self._signals.pause(_CHECK_SECONDS)
        if status != 0:
            raise ChildFailedError("the database could not be migrated; the lines above say why")

    def _spawn(self, command: str, *flags: str, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        environment = {
            name: value for name, value in os.environ.items() if not name.upper().startswith(ENVIRONMENT_PREFIX)
        }
        environment |= self._settings.environment() | {MULTIPROCESS_VARIABLE: str(self._metrics)}
        if self._postgres is not None:
            environment[f"{ENVIRONMENT_PREFIX}DATABASE_URL"] = self._postgres.url()
        if self._own_certificate is not None:
            for setting in ("TLS_CERT_FILE", "TLS_PRIVATE_KEY_FILE"):
                environment[f"{ENVIRONMENT_PREFIX}{setting}"] = str(self._own_certificate.path)
        if self._trusted is not None:
            environment[f"{ENVIRONMENT_PREFIX}ROOT_CA_FILE"] = str(self._trusted.absolute())
        if self._keys is not None:
            environment[f"{ENVIRONMENT_PREFIX}ENCRYPTION_KEY_FILE"] = str(self._keys)
        return spawn([sys.executable, "-m", "app.cli", command, *flags], env=environment, pass_fds=pass_fds)

    def _spawn_worker(self, reserved: socket.socket) -> subprocess.Popen[bytes]:
        with share(reserved) as listener:
            return self._spawn("api", "--fd", str(listener.fileno()), pass_fds=(listener.fileno(),))

    def _announce(self, reserved: socket.socket) -> Kubeconfig:
        """Wait until the API answers, and print what the user can do next.

        Raises:
            ChildFailedError: A process ended with an error before that.
            UntrustedCertificateError: No client would accept the certificate.
        """
        server = url(self._settings.host, reserved.getsockname()[1], "http" if self._trusted is None else "https")
        kubeconfig = Kubeconfig(self._path / "kubeconfig", server, self._settings, self._trusted)
        while not kubeconfig.write():
            for child in self._children():
                if (status := child.poll()) is not None and status > 0:
                    raise ChildFailedError(f"{child.name} ended with status {status}; the lines above say why")
            self._restart_ended()
            self._signals.pause(0.1)
        print(welcome(server, kubeconfig.path, self._settings.token_file, self._trusted), flush=True)  # noqa: T201 - for the person at the terminal
        return kubeconfig

    def _reload(self, reloads: Reloads) -> None:
        """Read the files again, here and in the children."""
        reloads.everything()
        for child in (self._reconciler, *self._workers):
            if child is not None:
                child.send_signal(signal.SIGHUP)

    def _children(self) -> list[Child]:
        return [child for child in (self._database, self._reconciler, *self._workers) if child is not None]

    def _restart_ended(self) -> None:
        for child in self._children():
            child.restart_if_ended()
        if self._postgres is not None:
            self._postgres.rotate_log()

    def _stop(self) -> None:
        """Stop first the API, then the reconciler that its requests wait for, then the database that both need."""
        deadline = time.monotonic() + _STOP_SECONDS
        _stop_children(self._workers, _WORKERS_STOP_SECONDS, self._signals)
        _stop_children([self._reconciler] if self._reconciler else [], _RECONCILER_STOP_SECONDS, self._signals)
        if self._postgres is not None:
            self._postgres.stop(deadline - time.monotonic())


def _ensure_keys(path: Path) -> None:
    try:
        ensure_keys(path)
    except OSError as error:
        raise DataDirectoryUnusableError(f"{path} cannot be written: {error.strerror}") from error


def _stop_children(children: Sequence[Child], seconds: float, signals: Signals) -> None:
    """Ask children to stop, and kill those that run after `seconds`, or when a second request to stop comes."""
    for child in children:
        child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline and not all(child.has_ended() for child in children):
            signals.pause(0.05)
    except StopRequested:
        _log.warning("stopping immediately")
    for child in children:
        if not child.has_ended():
            _log.warning("killed", process=child.name)
            child.send_signal(signal.SIGKILL)
