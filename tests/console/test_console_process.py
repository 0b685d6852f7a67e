"""The console as a process of its own: a client of an API that comes and goes."""

import os
import re
import ssl
import subprocess
import sys
from base64 import b64encode

import httpx
import pytest
import trustme

from tests.console.conftest import ROOT
from tests.console.looking import is_shown, opened, text
from tests.e2e.serving import Serving
from tests.e2e.waiting import until
from tests.ports import free_port


class Console:
    """A `fairlead console` on free ports, which it tells in its log."""

    def __init__(self, api_url, log, *flags, scheme="http", verify=True):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
        command = [sys.executable, "-m", "app.cli", "console", "--api-url", api_url, "--port", "0", *flags]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, "--health-port", str(free_port())], env=environment, stdout=output, stderr=output
            )
        self.health = f"http://127.0.0.1:{self.process.args[-1]}"
        found = until(
            lambda: re.search(
                r"listening.*port=\D*(\d+).*purpose=\D*console", re.sub(r"\x1b\[[\d;]*m", "", log.read_text())
            )
        )
        self.url = f"{scheme}://127.0.0.1:{found[1]}"
        until(lambda: answers(self.url, verify))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(10) == 0


def answers(url, verify=True):
    try:
        return httpx.get(url, verify=verify).status_code == 303
    except httpx.TransportError:
        return False


@pytest.fixture
def alone(tmp_path):
    port = free_port()
    api = Serving(tmp_path / "data", "--workers", "1", "--port", str(port), "--no-console")
    with api, Console(api.url, tmp_path / "console.log") as console:
        yield console, api, port


def test_an_api_that_stops_is_noticed_and_its_return_heals_the_page(browser, alone, tmp_path):
    console, api, port = alone
    assert httpx.get(f"{console.health}/readyz").status_code == 200
    assert "fairlead" in httpx.get(f"{console.health}/metrics").text
    assert httpx.get(f"{console.url}/console/", headers={"Host": "evil.example"}).status_code == 403
    opened(browser, console, "list/services")
    until(lambda: "kubernetes" in text(browser, "#rows"))
    api.stop()
    until(lambda: is_shown(browser, "#offline"), timeout=30)
    assert httpx.get(f"{console.health}/readyz").status_code == 503
    gone = httpx.get(f"{console.url}/console/list/services")
    assert gone.status_code == 503
    assert "cannot be reached" in gone.text
    with Serving(tmp_path / "data", "--workers", "1", "--port", str(port), "--no-console") as again:
        until(lambda: not is_shown(browser, "#offline"), timeout=60)
        body = {"metadata": {"name": "afterwards"}, "spec": {"ports": [{"port": 80}]}}
        assert httpx.post(f"{again.url}{ROOT}/services", json=body, timeout=30).status_code == 201
        until(lambda: "afterwards" in text(browser, "#rows"))


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    """An API with TLS and tokens, the flags for its certificate and key, and what clients trust."""
    directory = tmp_path_factory.mktemp("console-tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(directory / "both.pem")
    (directory / "tokens.csv").write_text('good-token,ann,1,"system:masters"\n')
    (directory / "keys").write_text(b64encode(os.urandom(32)).decode() + "\n")
    for secret in ("both.pem", "tokens.csv", "keys"):
        (directory / secret).chmod(0o600)
    tls = ("--tls-cert-file", directory / "both.pem", "--tls-private-key-file", directory / "both.pem")
    flags = ("--workers", "1", "--no-console", "--token-file", directory / "tokens.csv")
    with Serving(directory / "data", *flags, *tls) as api:
        yield api, directory, tls, ssl.create_default_context(cafile=directory / "ca.pem")


def test_a_console_with_tls_on_both_sides_lets_a_user_log_in(encrypted, tmp_path):
    api, directory, tls, trust = encrypted
    flags = (*tls, "--api-ca-file", directory / "ca.pem", "--console-key-file", directory / "keys")
    console = Console(api.url, tmp_path / "console.log", *flags, scheme="https", verify=trust)
    with console, httpx.Client(base_url=console.url, verify=trust, timeout=30) as visitor:
        assert visitor.get("/console/list/services").headers["location"].startswith("/console/login")
        entered = visitor.post("/console/login", data={"token": "good-token", "next": "/console/about"})
        assert entered.headers["location"] == "/console/about"
        assert "Secure" in entered.headers["set-cookie"]
        assert "kubernetes" in visitor.get("/console/list/services").text
        assert httpx.get(f"{console.health}/readyz").status_code == 200
        with pytest.raises(httpx.ConnectError, match="certificate"):
            httpx.get(console.url)


def test_a_console_trusts_no_api_whose_certificate_it_cannot_check(encrypted, tmp_path):
    api, directory, _, _ = encrypted
    keys = ("--console-key-file", directory / "keys")
    with Console(api.url, tmp_path / "console.log", *keys) as console:
        assert httpx.get(f"{console.health}/readyz").status_code == 503
        refused = httpx.post(f"{console.url}/console/login", data={"token": "good-token"})
        assert refused.status_code == 503
        assert "certificate verify failed" in refused.text
        assert "set-cookie" not in refused.headers
