"""What is said when the server is ready fits how it lets clients in."""

from pathlib import Path

from app.supervisor.welcome import welcome

SERVER, KUBECONFIG = "http://127.0.0.1:8080", Path("/data/kubeconfig")


def test_without_tokens_kubectl_just_works():
    said = welcome(SERVER, KUBECONFIG, None)
    assert "export KUBECONFIG=/data/kubeconfig" in said
    assert "Authorization" not in said


def test_with_tokens_kubectl_is_not_promised_to_work_without_tls():
    said = welcome(SERVER, KUBECONFIG, Path("/data/tokens"))
    assert "$(head -n 1 /data/tokens | cut -d, -f1)" in said
    assert "export KUBECONFIG" not in said
    assert "TLS" in said
