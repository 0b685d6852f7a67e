"""An agent that is killed takes its Node, the pods on it and their endpoints with it, within its lease."""

import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

from tests.e2e.waiting import until

LEASE = 3
SLACK = 2.0
"""Seconds for a busy machine to notice."""


@contextmanager
def agent(product, namespace, name):
    command = [sys.executable, "-m", "tests.e2e.agent", product.url, namespace, name, str(LEASE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "registered\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def client(product):
    with httpx.Client(base_url=product.url, timeout=60) as client:
        yield client


def ready_pods(client, namespace):
    reply = client.get(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")
    endpoints = [each for slice_ in reply.json()["items"] for each in slice_["endpoints"] or []]
    return {each["targetRef"]["name"] for each in endpoints if each["conditions"]["ready"]}


def test_an_agent_that_is_killed_leaves_within_its_lease_and_comes_back(client, product, namespace):
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    client.post(
        f"/api/v1/namespaces/{namespace}/services", json={"metadata": {"name": "web"}, "spec": spec}
    ).raise_for_status()
    with agent(product, namespace, f"{namespace}-a") as process, agent(product, namespace, f"{namespace}-b"):
        until(lambda: ready_pods(client, namespace) == {f"{namespace}-a", f"{namespace}-b"})
        process.kill()
        until(lambda: ready_pods(client, namespace) == {f"{namespace}-b"}, timeout=LEASE + SLACK)
        node = client.get(f"/api/v1/nodes/{namespace}-a").json()
        assert node["status"]["conditions"][0]["reason"] == "LeaseExpired"
        # Another one takes its place, as soon as the machine is back.
        lease = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{namespace}-a"
        renewed = client.get(lease).json()
        renewed["spec"]["renewTime"] = "2026-01-01T00:00:00.000000Z"
        client.put(lease, json=renewed).raise_for_status()
        until(lambda: ready_pods(client, namespace) == {f"{namespace}-a", f"{namespace}-b"})
