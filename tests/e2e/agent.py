"""An agent on a machine: registers a Node and a Pod on it, and renews the Node's lease until it is killed.

Run with `python -m tests.e2e.agent URL NAMESPACE NAME SECONDS`.
"""

import sys
import time
from datetime import UTC, datetime

import httpx


def main():
    url, namespace, name, seconds = sys.argv[1:]
    with httpx.Client(base_url=url, timeout=60) as client:
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        register(client, namespace, name)
        lease = post(client, leases, {"metadata": {"name": name}, "spec": spec(name, seconds)})
        print("registered", flush=True)  # noqa: T201 - its parent waits for it
        while True:
            time.sleep(int(seconds) / 10)
            lease["spec"] = spec(name, seconds)
            lease = client.put(f"{leases}/{name}", json=lease).raise_for_status().json()


def spec(name, seconds):
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"holderIdentity": name, "leaseDurationSeconds": int(seconds), "renewTime": now}


def register(client, namespace, name):
    ready = [{"type": "Ready", "status": "True"}]
    post(client, "/api/v1/nodes", {"metadata": {"name": name}, "status": {"conditions": ready}})
    pods = f"/api/v1/namespaces/{namespace}/pods"
    metadata = {"name": name, "labels": {"app": "web"}}
    pod = post(client, pods, {"metadata": metadata, "spec": {"nodeName": name, "containers": [{"name": "main"}]}})
    pod["status"] = {"phase": "Running", "podIP": "172.16.0.1", "conditions": ready}
    client.put(f"{pods}/{name}/status", json=pod).raise_for_status()


def post(client, path, document):
    return client.post(path, json=document).raise_for_status().json()


if __name__ == "__main__":
    main()
