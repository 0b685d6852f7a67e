"""Processes of every kind on one Postgres, as an operator runs them; each can be paused and killed."""

import os
import signal
import socket
import subprocess
import sys

import asyncpg
import httpx

from app.settings.base import ENVIRONMENT_PREFIX
from app.store.migrating import migrate
from app.supervisor.children import spawn
from tests.e2e.waiting import until
from tests.ports import free_port

NAMESPACE = "load"


async def create_database(postgres, name):
    """A database of a test's or a module's own, which is empty even if the test is tried again; answers its URL."""
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return postgres.url(name)


def create_namespace(url):
    """Make the namespace of the tests, in which nobody else has anything."""
    reply = httpx.post(f"{url}/api/v1/namespaces", json={"metadata": {"name": NAMESPACE}}, timeout=30)
    assert reply.status_code == httpx.codes.CREATED, reply.text


class Process:
    """One process of the product, which dies with the test.

    Attributes:
        health_url: Where it tells whether it is ready.
        log: What it has said.
        tree: Where its program is, None for the one that is tested: a start after it was changed is of another version.
    """

    health_url: str

    def __init__(self, command, environment, log, pass_fds=(), tree=None):
        self._command = [sys.executable, "-m", "app.cli", *command]
        self._environment = environment
        self._pass_fds = pass_fds
        self.log = log
        self.tree = tree
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self._process = spawn(
                self._command, env=self._environment, output=log, pass_fds=self._pass_fds, cwd=self.tree
            )

    def is_ready(self):
        try:
            return httpx.get(f"{self.health_url}/readyz", timeout=2).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    @property
    def has_ended(self):
        """Whether it has ended by itself, or was killed and not started again."""
        return self._process.poll() is not None

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def stop(self):
        """Have it end in order; answers its status."""
        self._process.terminate()
        return self._process.wait(15)


class Api(Process):
    """Listens on a socket that stays, so that it has the same address after a restart."""

    def __init__(self, environment, log, tree=None):
        self._listener = socket.create_server(("127.0.0.1", 0))
        fd = self._listener.fileno()
        super().__init__(["api", "--fd", str(fd)], environment, log, (fd,), tree)
        self.url = self.health_url = _url(self._listener)

    def close(self):
        self.kill()
        self._listener.close()


class Worker(Process):
    """A process that tells of its health on a port that was free.

    Args:
        command: Its command, with what it needs beside that port.
        environment: Of the process.
        log: Where it says things.
        tree: As any process has it.
    """

    def __init__(self, command, environment, log, tree=None):
        port = free_port()
        self.health_url = f"http://127.0.0.1:{port}"
        super().__init__([*command, "--health-port", str(port)], environment, log, tree=tree)

    def close(self):
        self.kill()


def _url(listener):
    return "http://{}:{}".format(*listener.getsockname())


class Ensemble:
    """Everything on one database, which is migrated first.

    Args:
        database_url: Where.
        directory: For the logs.
        apis: How many API processes.
        reconcilers: How many reconcilers.
        xds: How many servers for Envoys, each at a socket of its own.
        dns: How many DNS servers.
        tree: Where the program of all of them is, which then also migrates; None for the one that is tested.
        settings: As in the environment, without the prefix: `allocation_wait="1"`.

    Attributes:
        xds_sockets: Where Envoys find their servers.
        dns_ports: Where queries are answered.
    """

    def __init__(self, database_url, directory, *, apis=2, reconcilers=2, xds=0, dns=0, tree=None, **settings):
        ours = {ENVIRONMENT_PREFIX + name.upper(): value for name, value in settings.items()}
        others = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
        environment = others | ours | {f"{ENVIRONMENT_PREFIX}DATABASE_URL": database_url}
        self.database_url = database_url
        if tree is None:
            migrate(database_url)
        else:
            subprocess.run([sys.executable, "-m", "app.cli", "migrate"], cwd=tree, env=environment, check=True)
        self.apis = [Api(environment, directory / f"api-{number}.log", tree) for number in range(apis)]
        self.xds_sockets = [directory / f"xds-{number}.socket" for number in range(xds)]
        self.dns_ports = [free_port() for _ in range(dns)]
        commands = [
            *(["reconciler"] for _ in range(reconcilers)),
            *(["xds", "--xds-port", "0", "--xds-socket", str(each)] for each in self.xds_sockets),
            *(["dns", "--dns-port", str(each)] for each in self.dns_ports),
        ]
        workers = [
            Worker(command, environment, directory / f"{command[0]}-{number}.log", tree)
            for number, command in enumerate(commands)
        ]
        self.reconcilers = workers[:reconcilers]
        self.processes = [*self.apis, *workers]

    def __enter__(self):
        try:
            self.wait()
            create_namespace(self.apis[0].url)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.close()

    def wait(self):
        """Wait until every process is ready."""
        until(lambda: all(process.is_ready() for process in self.processes), timeout=120)

    @property
    def urls(self):
        return [api.url for api in self.apis]
