import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from app.credentials.certificates import client_context
from tests.e2e.pausing import suspend
from tests.e2e.serving import Serving, all_gone
from tests.e2e.waiting import until

SERVICES = "/api/v1/namespaces/default/services"
SERVICE = {"metadata": {"name": "kept"}, "spec": {"ports": [{"port": 80}]}}


def serve_again(data_dir, port):
    return subprocess.run(
        [sys.executable, "-m", "app.cli", "serve", "--data-dir", data_dir, "--port", str(port), "--dns-port", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def connect(url):
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=15)


def request(url, text):
    """Sends a request by hand, and leaves its connection open."""
    connection = connect(url)
    connection.sendall(text.replace("\n", "\r\n").encode())
    return connection


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A data directory that outlives the servers on it."""
    return tmp_path_factory.mktemp("kept") / "data"


def test_first_steps_and_a_stop_with_everything_open(kept, tmp_path):
    with Serving(kept, data_plane="envoy") as serving:
        # How to begin comes before the log.
        assert not re.search("migrated|connected|was made", serving.errors.read_text())
        assert httpx.post(serving.url + SERVICES, json=SERVICE).status_code == 201
        assert f"{serving.url}/docs" in serving.said
        kubeconfig = Path(re.findall(r"KUBECONFIG=(\S+)", serving.said)[0])
        assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600
        config = yaml.safe_load(kubeconfig.read_text())
        assert config["clusters"][0]["cluster"]["server"] == serving.url

        again = serve_again(kept, urlsplit(serving.url).port)
        assert again.returncode == 1
        assert f"already in use by process {serving.process.pid}" in again.stderr
        again = serve_again(tmp_path / "other", urlsplit(serving.url).port)
        assert again.returncode == 1
        assert "Address already in use" in again.stderr
        assert "Traceback" not in again.stderr
        assert serving.is_ready()

        idle = request(serving.url, "GET /healthz HTTP/1.1\nHost: localhost\n\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        unfinished = request(serving.url, f"POST {SERVICES} HTTP/1.1\nHost: localhost\nContent-Length: 9\n")
        watches = [request(serving.url, f"GET {SERVICES}?watch=true HTTP/1.1\nHost: localhost\n\n") for _ in range(8)]
        for watch in watches:
            assert watch.recv(65536).startswith(b"HTTP/1.1 200")
        assert serving.stop(signal.SIGINT) == 0
        for watch in watches:
            assert read_to_end(watch).endswith(b"0\r\n\r\n"), (
                "a watch ends as an answer does, not as a broken connection"
            )
        for connection in (idle, unfinished, *watches):
            connection.close()


def read_to_end(connection):
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def test_a_restart_finds_everything_and_a_kill_leaves_nothing_behind(kept, tmp_path):
    with Serving(kept) as serving:
        found = httpx.get(f"{serving.url}{SERVICES}/kept")
        assert found.status_code == 200
        one_scrape_speaks_for_all_workers(serving)
        what_dies_is_started_again(serving)
        until(
            lambda: serving.is_ready() and httpx.get(f"{serving.url}{SERVICES}/kept", timeout=5).json() == found.json()
        )

        descendants = serving.descendants()
        assert len(descendants) > 5
        serving.process.kill()
        serving.process.wait()
        port = str(urlsplit(serving.url).port)
        with Serving(kept, *with_token(tmp_path, "first-secret"), "--workers", "1", "--port", port) as restarted:
            assert all_gone(descendants)
            only_those_who_know_a_token_get_in(restarted, found.json())


def one_scrape_speaks_for_all_workers(serving):
    assert len(serving.children("api")) == 2
    before = counted(serving.url)
    for _ in range(40):  # a connection each, so that both workers get some
        httpx.get(f"{serving.url}{SERVICES}")
    assert counted(serving.url) - before >= 40


def counted(url):
    """Requests for Services that any worker answered, as one of them tells."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    counts = (line.split(" ") for line in lines if line.startswith("apiserver_request_total{"))
    return sum(float(count) for labels, count in counts if "services" in labels)


def what_dies_is_started_again(serving):
    for word in ("api", "reconciler", "postgres"):
        victim = serving.child(word)
        victim.send_signal(signal.SIGKILL)
        until(lambda word=word, victim=victim: (found := serving.child(word)) and found != victim)


def with_token(tmp_path, token):
    tokens = tmp_path / "tokens.csv"
    tokens.write_text(f'{token},admin,1,"system:masters"\n')
    return ["--host", "0.0.0.0", "--token-file", tokens]  # noqa: S104 - what a token permits


def only_those_who_know_a_token_get_in(serving, service):
    path, trust = f"{serving.url}{SERVICES}/kept", client_context(serving.data_dir / "tls" / "ca.crt")
    assert httpx.get(path, verify=trust).status_code == 403
    config = yaml.safe_load((serving.data_dir / "kubeconfig").read_text())
    token = config["users"][0]["user"]["token"]
    assert token == "first-secret"
    assert httpx.get(path, headers={"Authorization": f"Bearer {token}"}, verify=trust).json() == service
    assert token not in serving.said + serving.errors.read_text()


def test_a_stop_while_it_starts(tmp_path):
    with Serving(tmp_path / "data", wait=False) as serving:
        until((tmp_path / "data" / "lock").exists)
        assert serving.stop() == 0


def test_a_stop_while_postgres_is_frozen_and_a_write_waits_for_it(tmp_path):
    with Serving(tmp_path / "data") as serving:
        frozen = [each for each in serving.descendants() if each.name() == "postgres"]
        assert frozen
        suspend(frozen)
        body = '{"metadata": {"name": "waits"}, "spec": {"ports": [{"port": 80}]}}'
        head = f"POST {SERVICES} HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
        with request(serving.url, f"{head}Content-Length: {len(body)}\n\n{body}"):
            assert serving.stop() == 0
        assert all_gone(frozen)
