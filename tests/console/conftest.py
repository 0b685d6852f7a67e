"""A server, and a real browser that looks at its console."""

import httpx
import pytest

from tests.chromium import chromium
from tests.e2e.serving import Serving


@pytest.fixture(scope="package")
def served(tmp_path_factory):
    """A server with an Envoy and no tokens: a Service of each type, a Pod, and one that waits for an address."""
    data_dir = tmp_path_factory.mktemp("console") / "data"
    log = data_dir.with_name("audit.log")
    flags = ("--workers", "1", "--dns-port", "0", "--external-pool", "198.18.0.0/30", "--audit-log-path", log)
    with (
        Serving(data_dir, *flags, data_plane="envoy") as serving,
        httpx.Client(base_url=serving.url, timeout=30) as api,
    ):
        for name, spec in SERVICES.items():
            body = {"metadata": {"name": name}, "spec": spec}
            assert api.post(f"{ROOT}/services", json=body).status_code == 201
        pod = {"metadata": {"name": "web-1", "labels": {"app": "web"}}, "spec": {"containers": [{"name": "main"}]}}
        assert api.post(f"{ROOT}/pods", json=pod).status_code == 201
        status = {"phase": "Running", "podIP": "172.16.0.9", "conditions": [{"type": "Ready", "status": "True"}]}
        merge = {"Content-Type": "application/merge-patch+json"}
        assert api.patch(f"{ROOT}/pods/web-1/status", json={"status": status}, headers=merge).status_code == 200
        yield serving


ROOT = "/api/v1/namespaces/default"
SERVICES = {
    "web": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]},
    "api": {"selector": {"app": "api"}, "ports": [{"port": 8443}]},
    "ports": {"type": "NodePort", "ports": [{"port": 81}]},
    "away": {"type": "ExternalName", "externalName": "www.example.org"},
    "second": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    "third": {"type": "LoadBalancer", "ports": [{"port": 80}]},
}


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window."""
    with chromium() as browser:
        yield browser
