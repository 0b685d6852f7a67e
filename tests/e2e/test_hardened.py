"""The hardened server of docs/security.md, set up as it stands there."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.providers import real_provider, signed_in
from tests.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def blocks():
    section = PAGE.read_text().partition("## A hardened server")[2].partition("\n## ")[0]
    return re.findall(r"```bash\n(.*?)```", section, re.DOTALL)


@contextmanager
def running(script, environment, directory):
    """The server of the first block, until it says that it is ready, and then to its end."""
    process = subprocess.Popen(
        ["bash", "-ec", script.replace("\nfairlead serve", "\nexec fairlead serve")],
        cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said = ""
    try:
        while "Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_the_hardened_server_works_as_it_is_described(tmp_path):
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl on this machine")
    start, *others = blocks()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path), "FAIRLEAD_DNS_PORT": "0", "FAIRLEAD_DATA_PLANE": "none"}
    with real_provider(sub="ann", groups=["shop"]) as issuer:
        start = start.replace("HOST=0.0.0.0 PORT=6443", f"HOST=127.0.0.1 PORT={free_port()}")
        start = start.replace("https://login.example.com", issuer)
        with running(start, environment, tmp_path):
            token = signed_in(issuer, "ann")
            said = [
                subprocess.run(
                    ["bash", "-ec", block],
                    cwd=tmp_path,
                    env=environment | {"ID_TOKEN": token},
                    check=False,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=60,
                )
                for block in others
            ]
    assert [ended.returncode for ended in said] == [0, 0, 0], [ended.stdout for ended in said]
    setting_up, using, reading = (ended.stdout for ended in said)
    assert "rolebinding.rbac.authorization.k8s.io/shop-team created" in setting_up
    assert "corp:ann" in using
    assert "service/web created" in using
    assert 'User "corp:ann" cannot list resource "secrets"' in using
    events = [json.loads(line) for line in reading.splitlines()]
    created = [event for event in events if event["verb"] == "create" and event["objectRef"]["resource"] == "services"]
    assert [event["objectRef"]["name"] for event in created] == ["web"]
    assert created[0]["requestObject"]["spec"]["ports"][0]["port"] == 80
    refused = [event for event in events if event["responseStatus"]["code"] == 403]
    assert [event["objectRef"]["resource"] for event in refused] == ["secrets"]
    kept = (tmp_path / "fairlead" / "audit.log").read_text()
    assert token not in kept
    assert token.split(".")[2] not in kept
    assert (tmp_path / "fairlead" / "break-glass.pem").stat().st_mode & 0o777 == 0o600
