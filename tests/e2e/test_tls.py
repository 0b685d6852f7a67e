"""TLS: the way in for kubectl, which sends no token without it."""

import json
import re
import shutil
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import trustme

from app.credentials.certificates import client_context, server_context
from app.supervisor.errors import UntrustedCertificateError
from app.supervisor.probe import Probe
from tests.clients.kubectl import Kubectl
from tests.e2e.serving import Serving
from tests.e2e.test_serve import with_token
from tests.e2e.waiting import until

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def issue(tmp_path, *names, **validity):
    issued = trustme.CA().issue_cert(*names, **validity)
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return certificate, key


def test_kubectl_gets_in_with_its_token(tmp_path):
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("there is no kubectl on this machine")
    certificate, key = issue(tmp_path, "fairlead.example.org")
    tls = ["--tls-cert-file", certificate, "--tls-private-key-file", key]
    with Serving(tmp_path / "data", *with_token(tmp_path, "the-secret"), *tls) as serving:
        kubectl = Kubectl(program, "1.32", tmp_path, serving.data_dir / "kubeconfig", "default")
        kubectl("create", "service", "clusterip", "over-tls", "--tcp=80")
        with kubectl.start("get", "services", "--watch", "--output=name") as watching:
            assert {watching.stdout.readline() for _ in range(2)} == {"service/kubernetes\n", "service/over-tls\n"}
            watching.terminate()
        kubectl("get", "services", "--token=wrong", status=1)
        assert "Unauthorized" in kubectl.errors
        for _ in range(20):  # a connection each, so that each worker gets some
            assert httpx.get(f"{serving.url}/readyz", verify=client_context(certificate)).text == "ok"
        for stranger in (serving.url, serving.url.replace("https", "http")):
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{stranger}/readyz")


def test_with_tokens_everything_that_is_said_at_the_start_works(tmp_path):
    """Without a certificate of the user's: kubectl by the kubeconfig, curl as it is written there."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("there is no kubectl on this machine")
    data, flags = tmp_path / "data", with_token(tmp_path, "the-secret")
    with Serving(data, *flags) as serving:
        assert serving.url.startswith("https://127.0.0.1:")
        assert "the-secret" not in serving.said + serving.errors.read_text()
        run_what_is_said(serving)
        kubectl = Kubectl(program, "1.32", tmp_path, data / "kubeconfig", "default")
        assert "service/hello" in kubectl("get", "services", "--output=name").split()
        for name in ("localhost", "127.0.0.1"):
            server = f"--server={serving.url.replace('127.0.0.1', name)}"
            assert kubectl("get", "--raw", "/readyz", server) == "ok"
        shown = ["get", "configmap", "kube-root-ca.crt", "--ignore-not-found", "--output=jsonpath={.data.ca\\.crt}"]
        assert until(lambda: kubectl(*shown)) == (data / "tls" / "ca.crt").read_text()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{serving.url}/readyz")
        kubeconfig = (data / "kubeconfig").read_bytes()
        port = serving.url.rpartition(":")[2]
    (data / "tls" / "server.pem").unlink()
    with Serving(data, *flags, "--port", port):
        assert (data / "kubeconfig").read_bytes() == kubeconfig, "the authority stays, whatever it issues"
        assert "service/hello" in kubectl("get", "services", "--output=name").split()


def run_what_is_said(serving):
    """Run the command that creates a Service, as somebody would who copies it into a shell."""
    command = re.search(r"create a Service:\n(.+?)\n\n", serving.said, re.DOTALL)[1]
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["metadata"]["name"] == "hello", ran.stdout


def test_tokens_go_over_plain_http_where_that_is_asked_for(tmp_path):
    with Serving(tmp_path / "data", *with_token(tmp_path, "the-secret"), "--insecure-http") as serving:
        assert serving.url.startswith("http://")
        assert "kubectl sends tokens over TLS only" in serving.said
        run_what_is_said(serving)
        assert not (tmp_path / "data" / "tls").exists()


@contextmanager
def answering(certificate, key, times):
    """The URL of a server with a certificate, which answers so many connections."""
    context = server_context(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:

        def answer():
            for _ in range(times):
                connection, _ = listener.accept()
                with suppress(ssl.SSLError, ConnectionError), context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(65536)
                    tls.sendall(HELLO)

        answered = thread.submit(answer)
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        answered.result(10)


@pytest.mark.parametrize(
    ("names", "other"),
    [
        (("127.0.0.1",), None),
        (("localhost", "127.0.0.1", "::1"), None),
        (("fairlead.example.org", "10.0.0.1"), "fairlead.example.org"),
        (("*.example.org",), "fairlead.example.org"),
    ],
)
def test_the_probe_tells_by_which_name_clients_have_to_check(tmp_path, names, other):
    files = issue(tmp_path, *names)
    with answering(*files, times=1) as url:
        probe = Probe(url, files[0])
        assert probe.answers()
    assert probe.other_name == other


def test_a_certificate_that_no_client_accepts_ends_the_start(tmp_path):
    files = issue(tmp_path, "127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
    with answering(*files, times=1) as url, pytest.raises(UntrustedCertificateError, match="certificate has expired"):
        Probe(url, files[0]).answers()
