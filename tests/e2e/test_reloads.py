"""Files that change while the product runs, and SIGHUP."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
import trustme
import yaml

from app.credentials.certificates import client_context
from tests.e2e.serving import Serving
from tests.e2e.waiting import until

NOT_RELOADED = "not reloaded; what was read before stays in use"
EXPOSED = "a file of secrets can be read by others than its owner: chmod go-r"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("reloads")


def write(path, text):
    """Replace a file at once."""
    new = path.with_name("new")
    new.write_text(text)
    new.chmod(0o600)
    new.replace(path)


def issue(directory, *names):
    issued = trustme.CA().issue_cert(*names)
    write(directory / "tls.crt", b"".join(blob.bytes() for blob in issued.cert_chain_pems).decode())
    write(directory / "tls.key", issued.private_key_pem.bytes().decode())


@pytest.fixture(scope="module")
def serving(directory):
    write(directory / "tokens.csv", 'first-token,ann,1,"system:masters"\n')
    write(directory / "level", "info")
    issue(directory, "127.0.0.1")
    flags = ("--token-file", directory / "tokens.csv", "--log-level-file", directory / "level", "--log-format", "json")
    tls = ("--tls-cert-file", directory / "tls.crt", "--tls-private-key-file", directory / "tls.key")
    with Serving(directory / "data", *flags, *tls) as serving:
        yield serving


def codes(serving, token):
    """What requests with a token are answered, of connections enough for each worker to get some."""
    trust = client_context(serving.data_dir.with_name("tls.crt"))
    headers = {"authorization": f"Bearer {token}"}
    found = set()
    for _ in range(10):
        try:
            found.add(httpx.get(f"{serving.url}/api", headers=headers, verify=trust).status_code)
        except httpx.ConnectError:
            found.add("another certificate")
    return found


def logged(serving, event):
    lines = (json.loads(line) for line in serving.errors.read_text().splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def config(serving):
    return yaml.safe_load((serving.data_dir / "kubeconfig").read_text())


def own_processes(serving):
    """The processes that `serve` has started. Those of Postgres come and go with its sessions."""
    return [each.pid for word in ("api", "reconciler") for each in serving.children(word)]


def test_tokens_are_read_again_when_they_change(serving, directory):
    processes = own_processes(serving)
    assert processes
    assert codes(serving, "first-token") == {200}
    write(directory / "tokens.csv", 'second-token,bob,2,"system:masters"\n')
    until(lambda: codes(serving, "second-token") == {200})
    until(lambda: codes(serving, "first-token") == {401})
    until(lambda: config(serving)["users"][0]["user"]["token"] == "second-token")
    write(directory / "tokens.csv", "no tokens\n")
    until(lambda: len(logged(serving, NOT_RELOADED)) >= 3)
    assert codes(serving, "second-token") == {200}
    write(directory / "tokens.csv", 'first-token,ann,1,"system:masters"\n')
    until(lambda: codes(serving, "first-token") == {200})
    assert own_processes(serving) == processes
    assert "second-token" not in serving.errors.read_text()


def test_a_certificate_is_read_again_when_it_changes(serving, directory):
    with httpx.Client(verify=client_context(directory / "tls.crt")) as before:
        assert before.get(f"{serving.url}/livez").status_code == 200
        issue(directory, "fairlead.example.org")
        until(lambda: codes(serving, "first-token") == {200})
        cluster = until(lambda: (found := config(serving)["clusters"][0]["cluster"]).get("tls-server-name") and found)
        assert cluster["tls-server-name"] == "fairlead.example.org"
        assert before.get(f"{serving.url}/livez").status_code == 200, "what is connected stays so"
    (directory / "tls.key").unlink()
    until(lambda: any("tls.key" in line["error"] for line in logged(serving, NOT_RELOADED)))
    assert codes(serving, "first-token") == {200}
    issue(directory, "127.0.0.1")
    until(lambda: codes(serving, "first-token") == {200})
    until(lambda: "tls-server-name" not in config(serving)["clusters"][0]["cluster"])


def test_sighup_has_all_processes_read_all_files(serving):
    processes = own_processes(serving)
    assert processes
    before = len(logged(serving, "reloaded"))
    serving.process.send_signal(signal.SIGHUP)
    # The level of the log in all four, the tokens and the certificate in both workers, the kubeconfig.
    until(lambda: len(logged(serving, "reloaded")) >= before + 4 + 2 + 2 + 1)
    assert own_processes(serving) == processes
    assert serving.process.poll() is None


def test_the_level_of_the_log_may_change(serving, directory):
    failures, reloads = len(logged(serving, NOT_RELOADED)), len(logged(serving, "reloaded"))
    write(directory / "level", "error")
    write(directory / "tokens.csv", "no tokens\n")
    until(lambda: len(logged(serving, NOT_RELOADED)) >= failures + 3)
    write(directory / "tokens.csv", 'third-token,ann,1,"system:masters"\n')
    until(lambda: codes(serving, "third-token") == {200})
    assert len(logged(serving, "reloaded")) == reloads
    write(directory / "level", "info")
    until(lambda: len(logged(serving, "reloaded")) >= reloads + 4)


def test_a_file_of_secrets_that_others_can_read_is_told_of(serving, directory):
    (directory / "tokens.csv").chmod(0o644)
    os.utime(directory / "tokens.csv")
    until(lambda: [line for line in logged(serving, EXPOSED) if line["path"].endswith("tokens.csv")])


def test_sighup_ends_no_process_that_runs_alone(database_url):
    for command, flags in (("api", ["--port", "0"]), ("reconciler", ["--health-port", "0"])):
        with running(command, *flags, database_url=database_url) as process:
            until(lambda process=process: catches(process.pid, signal.SIGHUP), 30)
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) in (0, -signal.SIGTERM)


def catches(pid, signum):
    """Whether a process has a handler for a signal."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]
    return bool(int(caught, 16) >> (signum - 1) & 1)


@contextmanager
def running(command, *flags, database_url):
    arguments = [sys.executable, "-m", "app.cli", command, "--database-url", database_url, *flags]
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_end_of_the_terminal_ends_everything(tmp_path):
    ours, theirs = pty.openpty()
    # A terminal that the first process of a session opens is that session's. Whoever runs the tests may ignore SIGHUP.
    flags = ("--data-dir", tmp_path / "data", "--port", "0", "--dns-port", "0")
    serve = [sys.executable, "-m", "app.cli", "serve", *flags]
    shell = ["sh", "-c", 'exec env --default-signal=HUP "$@" < "$0"', os.ttyname(theirs), *serve]
    process = subprocess.Popen(shell, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with process:
        try:
            os.close(theirs)
            until(lambda: b"Ctrl-C" in process.stdout.readline(), 60)
            descendants = psutil.Process(process.pid).children(recursive=True)
            os.close(ours)
            assert process.wait(15) == 0
            until(lambda: not any(each.is_running() for each in descendants))
        finally:
            # A process that does not end must not keep the test from its end.
            process.kill()
