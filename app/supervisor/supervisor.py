"""`fairlead serve`: starts all processes, keeps them running, and stops them in order."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from app.credentials.cookie_secrets import ensure_cookie_secrets
from app.credentials.encryption_keys import ensure_keys, ensure_session_keys
from app.reloading import Reloads, log_level
from app.settings.base import ENVIRONMENT_PREFIX
from app.settings.serve import ServeSettings
from app.supervisor.child import Child
from app.supervisor.children import spawn
from app.supervisor.data_directory import DataDirectory
from app.supervisor.envoy import EmbeddedEnvoy
from app.supervisor.errors import CannotListenError, ChildFailedError, DataDirectoryUnusableError
from app.supervisor.kubeconfig import Kubeconfig
from app.supervisor.listening import check_dns, reachable, reserve, share, url
from app.supervisor.own_certificate import OwnCertificate
from app.supervisor.postgres import EmbeddedPostgres
from app.supervisor.private_directories import make_private, memory_directory
from app.supervisor.probe import answers_dns
from app.supervisor.service_manager import ServiceManager
from app.supervisor.signals import Signals, StopRequested
from app.supervisor.welcome import own_program, welcome
from app.telemetry.metrics import MULTIPROCESS_VARIABLE, forget_process

_log = structlog.stdlib.get_logger(__name__)

_CHECK_SECONDS = 0.5
_PORT_WAIT_SECONDS = 2.0
_POSTGRES_START_SECONDS = 300.0  # recovery after a crash included
# A stop takes less than ten seconds, whatever hangs. What the others leave of the time is for the database.
_STOP_SECONDS = 8.5
_WORKERS_STOP_SECONDS = 5.0
_RECONCILER_STOP_SECONDS = 1.5

T = TypeVar("T")


class Supervisor:
    """The parent of every other process.

    It has one thread and no event loop. It blocks signals and waits for them: so forking is safe, and no signal is
    missed.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._path = settings.data_dir.absolute()
        self._metrics = memory_directory("fairlead-metrics", self._path)
        self._postgres = None if settings.database_url else EmbeddedPostgres(self._path, settings.wal_archive)
        self._directory = self._postgres.directory if self._postgres else DataDirectory(self._path)
        self._database = Child("postgres", self._postgres.spawn) if self._postgres else None
        self._own_certificate = OwnCertificate(self._path / "tls", settings) if settings.needs_own_certificate else None
        self._trusted = self._own_certificate.authority if self._own_certificate else settings.tls_cert_file
        self._secrets = dict(self._own_secrets())
        self._envoy = EmbeddedEnvoy(self._path, settings) if settings.data_plane == "envoy" else None
        self._data_plane: list[Child] = []
        own = self._own_certificate
        is_trusted = own is not None and (settings.client_ca_file or own.authority).absolute() == own.authority
        self._issue = own.issue_for_administrator if own is not None and is_trusted else None
        self._workers: list[Child] = []
        self._dns: list[Child] = []
        self._reconciler: Child | None = None
        self._signals = Signals()
        self._service_manager = ServiceManager()

    def _own_secrets(self) -> Iterator[tuple[str, tuple[Path, Callable[[Path], None]]]]:
        """The files with secrets that are made where no setting names one: the setting, the file, what makes it."""
        # Only for the embedded database. With a database of your own, bring the keys for it, too.
        if self._postgres is not None and not self._settings.encryption_key_file:
            yield "encryption_key_file", (self._path / "encryption-keys", ensure_keys)
        if not self._settings.dns_cookie_secret_file:
            yield "dns_cookie_secret_file", (self._path / "dns-cookie-secrets", ensure_cookie_secrets)
        if not self._settings.console_key_file:
            yield "console_key_file", (self._path / "console-keys", ensure_session_keys)

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or the end of the terminal. At SIGHUP all processes read their files again.

        Raises:
            CannotStartError: It cannot start; the message says why. No process is left running.
        """
        try:
            kubeconfig = self._announce(self._start())
            self._service_manager.ready()
            reloads = Reloads(*log_level(self._settings), *kubeconfig.sources())
            while True:
                self._service_manager.alive()
                self._restart_ended()
                reloads.check()
                kubeconfig.keep_up()
                if self._own_certificate is not None:
                    self._own_certificate.keep_up()
                if self._signals.pause(min(_CHECK_SECONDS, *(child.restarts_in for child in self._children()))):
                    self._reload(reloads)
        except StopRequested:
            _log.info("stopping")
            self._service_manager.stopping()
        finally:
            self._stop()

    def _start(self) -> socket.socket:
        """Start all processes; returns the socket that reserves the port."""
        where = "the database of --database-url" if self._postgres is None else f"a Postgres in {self._path}"
        print(f"starting Fairlead with {where}, which takes some seconds ...", flush=True)  # noqa: T201 - as below
        self._directory.acquire()
        if self._own_certificate is not None:
            self._own_certificate.prepare()
        for path, make in self._secrets.values():
            _ensure(make, path)
        if self._envoy is not None:
            self._envoy.prepare()
        reserved = self._reserve()
        answers_dns = self._can_answer_dns()
        self._start_database()
        make_private(self._metrics, None)
        self._migrate()
        ended = partial(forget_process, directory=self._metrics)
        self._reconciler = Child("reconciler", partial(self._spawn, "reconciler", "--health-port", "0"), ended)
        self._workers = [
            Child(f"api-{number}", partial(self._spawn_worker, reserved), ended)
            for number in range(1, self._settings.workers + 1)
        ]
        self._dns = [
            Child(f"dns-{number}", partial(self._spawn, "dns", "--health-port", "0"), ended)
            for number in range(1, self._settings.dns_workers + 1 if answers_dns else 1)
        ]
        if self._envoy is not None:
            flags = ("xds", "--xds-port", "0", "--health-port", "0", "--xds-socket", str(self._envoy.server_socket))
            self._data_plane = [
                Child("xds", partial(self._spawn, *flags), ended),
                Child("envoy", self._envoy.spawn),
            ]
        for child in (self._reconciler, *self._workers, *self._dns, *self._data_plane):
            child.start()
        return reserved

    def _reserve(self) -> socket.socket:
        """Reserve the port."""
        return self._patiently(partial(reserve, self._settings.host, self._settings.port))

    def _can_answer_dns(self) -> bool:
        """Whether DNS queries are to be answered, and the port for that is free.

        The default port may be in use by multicast DNS or by another server: then this one does without.
        """
        if not self._settings.dns_port:
            return False
        try:
            self._patiently(partial(check_dns, self._settings.dns_host, self._settings.dns_port))
        except CannotListenError as error:
            if "dns_port" in self._settings.model_fields_set:
                raise
            _log.warning("DNS queries are not answered", error=str(error))
            return False
        return True

    def _patiently(self, listen: Callable[[], T]) -> T:
        """Try again for a moment: workers of a supervisor that was just killed may still listen."""
        deadline = time.monotonic() + _PORT_WAIT_SECONDS
        while True:
            try:
                return listen()
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
            if self._settings.client_ca_file is None:
                environment[f"{ENVIRONMENT_PREFIX}CLIENT_CA_FILE"] = str(self._own_certificate.authority)
        if self._trusted is not None:
            environment[f"{ENVIRONMENT_PREFIX}ROOT_CA_FILE"] = str(self._trusted.absolute())
        for setting, (path, _) in self._secrets.items():
            environment[ENVIRONMENT_PREFIX + setting.upper()] = str(path)
        return spawn([sys.executable, "-m", "app.cli", command, *flags], env=environment, pass_fds=pass_fds)

    def _spawn_worker(self, reserved: socket.socket) -> subprocess.Popen[bytes]:
        with share(reserved) as listener:
            return self._spawn("api", "--fd", str(listener.fileno()), pass_fds=(listener.fileno(),))

    def _announce(self, reserved: socket.socket) -> Kubeconfig:
        """Wait until the API and the DNS server answer, and print what the user can do next.

        Raises:
            ChildFailedError: A process ended with an error before that.
            UntrustedCertificateError: No client would accept the certificate.
        """
        server = url(self._settings.host, reserved.getsockname()[1], "http" if self._trusted is None else "https")
        host, port, domain = self._settings.dns_host, self._settings.dns_port, self._settings.cluster_domain
        kubeconfig = Kubeconfig(self._path / "kubeconfig", server, self._settings, self._trusted, self._issue)
        while not (kubeconfig.write() and (not self._dns or answers_dns(host, port, domain))):
            for child in self._children():
                if (status := child.poll()) is not None and status > 0:
                    raise ChildFailedError(f"{child.name} ended with status {status}; the lines above say why")
            self._restart_ended()
            self._signals.pause(0.1)
        dig = f"dig @{reachable(host)} -p {port} hello.default.svc.{domain}" if self._dns else ""
        console = f"{server}/console/" if not self._settings.no_console else ""
        pools = self._settings.chosen_pools if self._envoy is not None else None
        tokens = self._settings.token_file
        by_kubectl = self._settings.authenticates and tokens is None
        text = welcome(
            server,
            kubeconfig.path,
            tokens,
            self._trusted,
            dig,
            console,
            pools,
            by_kubectl=by_kubectl,
            program=own_program(),
        )
        print(text, flush=True)  # noqa: T201 - for the person at the terminal
        return kubeconfig

    def _reload(self, reloads: Reloads) -> None:
        """Read the files again, here and in the children."""
        self._service_manager.reloading()
        reloads.everything()
        # Envoy has no files to read again.
        for child in (self._reconciler, *self._workers, *self._dns, *self._data_plane[:1]):
            if child is not None:
                child.send_signal(signal.SIGHUP)
        self._service_manager.ready()

    def _children(self) -> list[Child]:
        every = (self._database, self._reconciler, *self._workers, *self._dns, *self._data_plane)
        return [child for child in every if child is not None]

    def _restart_ended(self) -> None:
        for child in self._children():
            child.restart_if_ended()
        if self._postgres is not None:
            self._postgres.rotate_log()

    def _stop(self) -> None:
        """Stop first the API, then the reconciler that its requests wait for, then the database that both need.

        The data plane takes traffic as long as the API answers.
        """
        deadline = time.monotonic() + _STOP_SECONDS
        _stop_children([*self._workers, *self._dns], _WORKERS_STOP_SECONDS, self._signals)
        rest = [*([self._reconciler] if self._reconciler else []), *self._data_plane]
        _stop_children(rest, _RECONCILER_STOP_SECONDS, self._signals)
        if self._envoy is not None:
            self._envoy.remove()
        if self._postgres is not None:
            self._postgres.stop(deadline - time.monotonic())
        shutil.rmtree(self._metrics, ignore_errors=True)


def _ensure(make: Callable[[Path], None], path: Path) -> None:
    try:
        make(path)
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
