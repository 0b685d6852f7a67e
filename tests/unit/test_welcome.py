"""What is said when the server is ready fits how it lets clients in."""

import sys
from pathlib import Path

import pytest

from app.supervisor.welcome import own_program, welcome

SERVER, KUBECONFIG = "http://127.0.0.1:8080", Path("/data/kubeconfig")


def test_without_tokens_kubectl_just_works():
    said = welcome(SERVER, KUBECONFIG, None, None, console=f"{SERVER}/console/")
    assert f"console: {SERVER}/console/" in said
    assert "export KUBECONFIG=/data/kubeconfig" in said
    assert "Authorization" not in said


def test_with_tokens_kubectl_is_not_promised_to_work_over_plain_http():
    said = welcome(SERVER, KUBECONFIG, Path("/data/tokens"), None)
    assert "$(head -n 1 /data/tokens | cut -d, -f1)" in said
    assert "export KUBECONFIG" not in said
    assert "without --insecure-http" in said


def test_with_tokens_and_a_certificate_kubectl_works_and_curl_is_told_whom_to_trust():
    said = welcome(SERVER, KUBECONFIG, Path("/data/tokens"), Path("/data/tls.crt"))
    assert "export KUBECONFIG=/data/kubeconfig" in said
    assert "curl -s --cacert /data/tls.crt http" in said


def test_paths_are_written_as_a_shell_takes_them():
    said = welcome(SERVER, Path("/my data/kubeconfig"), Path("/my data/tokens"), Path("/my data/tls.crt"))
    assert "export KUBECONFIG='/my data/kubeconfig'" in said
    assert "--cacert '/my data/tls.crt'" in said
    assert "head -n 1 '/my data/tokens' |" in said


@pytest.mark.parametrize(
    ("searched", "told"),
    [("elsewhere", "'{}/own env/fairlead'"), ("own env", "fairlead"), ("other", "'{}/own env/fairlead'")],
)
def test_a_program_that_no_search_finds_is_told_with_its_path(tmp_path, monkeypatch, searched, told):
    for directory in ("own env", "other"):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "fairlead").touch(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "own env" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / searched))
    assert own_program() == told.format(tmp_path)
    said = welcome(SERVER, KUBECONFIG, None, None, pools={"external": "192.0.2.0/24"}, program=own_program())
    assert f"    KUBECONFIG=/data/kubeconfig \\\n        {own_program()} register hello" in said
