"""API processes and reconcilers on one Postgres, as an operator runs them; each can be paused and killed."""

import os
import signal
import socket
import sys

import asyncpg
import httpx

from app.settings import ENVIRONMENT_PREFIX
from app.store.migrating import migrate
from app.supervisor.children import spawn
from tests.e2e.waiting import until

NAMESPACE = "load"


async def create_database(postgres, name):
    """A database of a module's own; answers its URL."""
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
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
    """

    health_url: str

    def __init__(self, command, environment, log, pass_fds=()):
        self._command = [sys.executable, "-m", "app.cli", *command]
        self._environment = environment
        self._pass_fds = pass_fds
        self.log = log
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self._process = spawn(self._command, env=self._environment, output=log, pass_fds=self._pass_fds)

    def is_ready(self):
        try:
            return httpx.get(f"{self.health_url}/readyz", timeout=2).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def stop(self):
        """Have it end in order."""
        self._process.terminate()
        self._process.wait(15)


class Api(Process):
    """Listens on a socket that stays, so that it has the same address after a restart."""

    def __init__(self, environment, log):
        self._listener = socket.create_server(("127.0.0.1", 0))
        fd = self._listener.fileno()
        super().__init__(["api", "--fd", str(fd)], environment, log, (fd,))
        self.url = self.health_url = _url(self._listener)

    def close(self):
        self.kill()
        self._listener.close()


class Reconciler(Process):
    def __init__(self, environment, log):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.health_url = _url(free)
        super().__init__(["reconciler", "--health-port", self.health_url.rpartition(":")[2]], environment, log)

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
        settings: As in the environment, without the prefix: `allocation_wait="1"`.
    """

    def __init__(self, database_url, directory, *, apis=2, reconcilers=2, **settings):
        migrate(database_url)
        ours = {ENVIRONMENT_PREFIX + name.upper(): value for name, value in settings.items()}
        others = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
        environment = others | ours | {f"{ENVIRONMENT_PREFIX}DATABASE_URL": database_url}
        self.database_url = database_url
        self.apis = [Api(environment, directory / f"api-{number}.log") for number in range(apis)]
        self.reconcilers = [
            Reconciler(environment, directory / f"reconciler-{number}.log") for number in range(reconcilers)
        ]

    def __enter__(self):
        self.wait()
        create_namespace(self.apis[0].url)
        return self

    def __exit__(self, *_):
        for process in [*self.apis, *self.reconcilers]:
            process.close()

    def wait(self):
        """Wait until every process is ready."""
        until(lambda: all(process.is_ready() for process in [*self.apis, *self.reconcilers]), timeout=120)

    @property
    def urls(self):
        return [api.url for api in self.apis]
