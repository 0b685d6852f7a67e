"""An Envoy of one's own on another machine: the bootstrap of the documents, and `fairlead xds` over mutual TLS."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
import trustme
import yaml

from app.supervisor.envoy import envoy_program
from tests.dataplane.namespaces import Namespace, needs_root
from tests.e2e.serving import Serving
from tests.e2e.waiting import until

pytestmark = needs_root

DOCUMENT = Path("docs/data-planes.md")
NAME = "fairlead.example.org"
POOL = "203.0.113.0/24"
SERVICES = "/api/v1/namespaces/default/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
PLANE = "/apis/fairlead.io/v1/dataplanes/edge-1"


def bootstrap(address):
    """The documents' own, but for the address of the server, which no DNS knows here, and a shorter wait."""
    (text,) = (
        each for each in re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL) if "ads_config" in each
    )
    text = text.replace(f"{{address: {NAME},", f"{{address: {address},").replace(
        "{interval: 10s, timeout: 5s}", "{interval: 1s, timeout: 1s}"
    )
    assert address in text
    assert yaml.safe_load(text)["node"]["id"] == "edge-1"
    return text


def certificates(directory):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.crt")
    for name, host in (("server", NAME), ("envoy", "edge-1.example.org")):
        issued = authority.issue_cert(host)
        (directory / f"{name}.crt").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(directory / f"{name}.key")


@contextlib.contextmanager
def running(command, directory, word):
    with (directory / f"{word}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log, process_group=0)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(20)


class Member:
    """Says its name to whoever connects, in a namespace."""

    def __init__(self, namespace, address, name):
        self._socket = namespace.listening(address)
        self._name = name
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)  # so that `accept` returns
        self._socket.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    connection.sendall(self._name.encode() + b"\n")


@pytest.fixture
def machines():
    with Namespace("edge") as edge, Namespace("control") as control, Namespace("far") as far:
        edge.cable = edge.join(control, "10.78.1")
        edge.join(far, "10.78.2")
        far.ip("route", "add", "default", "via", "10.78.2.1")
        edge.ip("route", "add", "local", POOL, "dev", "lo")
        yield edge, control, far


@pytest.fixture
def serving(tmp_path):
    with Serving(tmp_path / "data", "--external-pool", POOL) as serving:
        yield serving


def make(serving, name, port):
    spec = {"type": "LoadBalancer", "ports": [{"port": 80, "targetPort": port}]}
    made = httpx.post(serving.url + SERVICES, json={"metadata": {"name": name}, "spec": spec}, timeout=30)
    assert made.status_code == 201, made.text
    document = {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.78.2.2"]}],
        "ports": [{"name": "", "port": port}],
    }
    assert httpx.post(serving.url + SLICES, json=document, timeout=30).status_code == 201
    return made.json()["status"]["loadBalancer"]["ingress"][0]["ip"]


def connected(serving):
    found = httpx.get(serving.url + PLANE, timeout=30)
    conditions = found.json()["status"]["conditions"] if found.is_success else []
    return next((each["status"] for each in conditions if each["type"] == "Connected"), "")


def test_the_bootstrap_of_the_documents_works_over_mutual_tls_and_outlives_a_cut_off(serving, machines, tmp_path):
    edge, control, far = machines
    certificates(tmp_path)
    (tmp_path / "edge.yaml").write_text(bootstrap("10.78.1.2"))
    files = ("--xds-cert-file", "server.crt", "--xds-private-key-file", "server.key", "--xds-client-ca-file", "ca.crt")
    xds = (
        *(*control.command, sys.executable, "-m", "app.cli", "xds", "--database-url", serving.database_url),
        *(
            "--external-pool",
            POOL,
            "--xds-host",
            "10.78.1.2",
            "--health-port",
            "0",
            *files,
            "--encryption-key-file",
            serving.data_dir / "encryption-keys",
        ),
    )
    envoy = (*edge.command, envoy_program(), "-c", "edge.yaml", "--disable-hot-restart", "--log-level", "warning")
    with (
        Member(far, "10.78.2.2", "one") as one,
        running(xds, tmp_path, "xds"),
        running(envoy, tmp_path, "envoy"),
    ):
        until(lambda: connected(serving) == "True", timeout=60)
        first = make(serving, "first", one.port)
        until(lambda: far.heard(first, 80) == "one", timeout=60)

        edge.ip("link", "set", edge.cable, "down")
        until(lambda: connected(serving) == "False", timeout=60)
        second = make(serving, "second", one.port)
        assert far.heard(first, 80) == "one", "it goes on with what it has"
        assert far.heard(second, 80) is None
        edge.ip("link", "set", edge.cable, "up")
        until(lambda: far.heard(second, 80) == "one", timeout=60)
        until(lambda: connected(serving) == "True", timeout=60)
