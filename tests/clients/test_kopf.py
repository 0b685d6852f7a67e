"""An operator written with kopf, run as its users run it."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.waiting import until

OPERATOR = Path(__file__).with_name("operator_of_services.py")
MERGE = {"content-type": "application/merge-patch+json"}


@pytest.fixture
def operator(kubeconfig, namespace, tmp_path):
    log = tmp_path / "operator.log"
    command = ["run", "--standalone", "--namespace", namespace, "--log-format=plain", OPERATOR]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "kopf", *command],
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield log
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(30)


def test_an_operator_looks_after_services(operator, product, namespace):
    services = f"{product.url}/api/v1/namespaces/{namespace}/services"
    web = f"{services}/web"

    def annotation(name):
        return httpx.get(web).json()["metadata"].get("annotations", {}).get(name)

    body = {"metadata": {"name": "web", "labels": {"care": ""}}, "spec": {"ports": [{"name": "a", "port": 80}]}}
    address = httpx.post(services, json=body).json()["spec"]["clusterIP"]
    assert until(lambda: annotation("tests/address"), timeout=30) == address
    assert httpx.get(web).json()["metadata"]["finalizers"] == ["tests.fairlead.io/care"]

    ports = {"spec": {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 443}]}}
    assert httpx.patch(web, json=ports, headers=MERGE).status_code == 200
    assert until(lambda: annotation("tests/ports"), timeout=30) == "80,443"
    events = f"{product.url}/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.name=web"
    until(lambda: "Cared" in {each["reason"] for each in httpx.get(events).json()["items"]}, timeout=30)

    httpx.delete(web)
    until(lambda: httpx.get(web).status_code == 404, timeout=30)
    assert "cleaned up after web" in operator.read_text()
