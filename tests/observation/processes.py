"""One process of each kind on one database, as an operator runs them, each with a log in JSON."""

import json
import os

import httpx

from app.settings.base import ENVIRONMENT_PREFIX
from app.store.migrating import migrate
from tests.e2e.ensemble import Process
from tests.e2e.waiting import until
from tests.ports import free_port


class Processes:
    """Starts them; `settings` are as in the environment, without the prefix.

    Attributes:
        by_command: The processes.
        ports: Of what each offers, and of its health.
    """

    def __init__(self, database_url, directory, **settings):
        migrate(database_url)
        ours = {ENVIRONMENT_PREFIX + name.upper(): value for name, value in settings.items()}
        others = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
        environment = others | ours | {"FAIRLEAD_DATABASE_URL": database_url, "FAIRLEAD_LOG_FORMAT": "json"}
        offers = {"api": "port", "reconciler": "health-port", "dns": "dns-port", "xds": "xds-port"}
        self.ports = {command: {flag: free_port()} for command, flag in offers.items()}
        for command in ("dns", "xds"):
            self.ports[command]["health-port"] = free_port()
        self.by_command = {}
        for command, ports in self.ports.items():
            flags = [text for flag, port in ports.items() for text in (f"--{flag}", str(port))]
            process = Process([command, *flags], environment, directory / f"{command}.log")
            process.health_url = f"http://127.0.0.1:{ports.get('health-port', ports.get('port'))}"
            self.by_command[command] = process
        self.url = self.by_command["api"].health_url

    def __enter__(self):
        until(lambda: all(process.is_ready() for process in self.by_command.values()), timeout=120)
        return self

    def __exit__(self, *_):
        for process in self.by_command.values():
            process.kill()

    def lines(self, command):
        """What a process has logged."""
        return [json.loads(line) for line in self.by_command[command].log.read_text().splitlines()]

    def metrics(self, command):
        """What a process answers to a scrape."""
        return httpx.get(f"{self.by_command[command].health_url}/metrics", timeout=30).text
