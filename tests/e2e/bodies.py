"""Services as clients write them: every type, with and without values of their own choice."""

from tests.e2e.subject import MARK

INTERNAL = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
PORT = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}
OTHER_PORT = {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 5353}


def cluster_ip():
    return {"type": "ClusterIP", "selector": {"app": "a"}, "ports": [PORT]}


def two_ports():
    return {"type": "ClusterIP", "selector": {"app": "b"}, "ports": [PORT, OTHER_PORT]}


def node_port():
    return {"type": "NodePort", "selector": {"app": "c"}, "ports": [PORT, OTHER_PORT]}


def load_balancer():
    return {"type": "LoadBalancer", "selector": {"app": "d"}, "ports": [PORT]}


def local_load_balancer():
    return {**load_balancer(), "externalTrafficPolicy": "Local"}


def external_name():
    return {"type": "ExternalName", "externalName": "elsewhere.example.com"}


def headless():
    return {"type": "ClusterIP", "clusterIP": "None", "selector": {"app": "e"}, "ports": [PORT]}


MUTABLE = (cluster_ip, two_ports, node_port, load_balancer, local_load_balancer, external_name)
"""Each can become each of the others."""

EVERY = (*MUTABLE, headless)


def service(name, spec, *, mark="", annotations=None):
    """A Service as a client posts it."""
    notes = dict(annotations or {}) | ({MARK: mark} if mark else {})
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {"app": name}, "annotations": notes},
        "spec": spec,
    }
