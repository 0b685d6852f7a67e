"""What is sent: Services of each type as a plain client writes them, and what belongs to their endpoints."""

import json

NAMESPACE = "bench"
ROOT = f"/api/v1/namespaces/{NAMESPACE}"
SERVICES = f"{ROOT}/services"


def service(name, of_type="ClusterIP", labels=None, selector=None):
    spec = {"type": of_type, "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}]}
    if selector:
        spec["selector"] = selector
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels or {"app": "bench"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def pod(name, number, labels):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"nodeName": "bench-node", "containers": [{"name": "c", "image": "i"}]},
        "status": pod_status(number, ready=True),
    }


def pod_status(number, *, ready):
    address = f"10.250.{number // 250}.{number % 250 + 1}"
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
    }


def encoded(document):
    return json.dumps(document, separators=(",", ":")).encode()
