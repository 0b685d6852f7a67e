"""A real Prometheus that scrapes what a test runs."""

import json
import shutil
import subprocess

import httpx
import pytest

from app.supervisor.children import spawn
from tests.e2e.waiting import until
from tests.ports import free_port


class Prometheus:
    """Scrapes each second while entered.

    Args:
        directory: For what it stores.
        target: URL of the server.
        token, authority: With which the server lets it in, and the file by which it is known.
    """

    def __init__(self, directory, target, token, authority):
        if shutil.which("prometheus") is None:
            pytest.skip("prometheus is missing: apt-get install prometheus")
        scheme, _, address = target.partition("://")
        job = {
            "job_name": "fairlead",
            "scheme": scheme,
            "static_configs": [{"targets": [address]}],
            "authorization": {"credentials": token},
            "tls_config": {"ca_file": str(authority)},
        }
        settings = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]}
        self._file = directory / "prometheus.yml"
        self._file.write_text(json.dumps(settings))
        self._directory = directory
        self._port = free_port()
        self._server = f"http://127.0.0.1:{self._port}"
        self._url = f"{self._server}/api/v1"

    def __enter__(self):
        command = [
            *("prometheus", f"--config.file={self._file}", f"--storage.tsdb.path={self._directory / 'data'}"),
            *(f"--web.listen-address=127.0.0.1:{self._port}", "--enable-feature=exemplar-storage"),
        ]
        with (self._directory / "prometheus.log").open("ab") as log:
            self._process = spawn(command, output=log)
        try:
            until(self._scrapes, timeout=60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def query(self, expression):
        """What an expression is now: the labels and the value of each series."""
        found = self._asked("query", query=expression)["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def query_range(self, expression, start, end, step):
        """The same over time: the labels, and pairs of time and value."""
        found = self._asked("query_range", query=expression, start=start, end=end, step=step)["result"]
        return [(each["metric"], [(when, float(value)) for when, value in each["values"]]) for each in found]

    def exemplars(self, expression, start, end):
        """The examples of the series that an expression names."""
        return self._asked("query_exemplars", query=expression, start=start, end=end)

    def _asked(self, path, **parameters):
        reply = httpx.post(f"{self._url}/{path}", data=parameters, timeout=30)
        assert reply.status_code == httpx.codes.OK, f"{parameters}: {reply.text}"
        return reply.json()["data"]

    def _scrapes(self):
        try:
            return httpx.get(f"{self._server}/-/ready", timeout=2).is_success and self.query("up == 1")
        except httpx.TransportError:
            return False
