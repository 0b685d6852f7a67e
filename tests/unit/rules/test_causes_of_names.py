"""A name that breaks several rules gets a cause for each of them, as Kubernetes answers."""

from collections import Counter

import pytest

from app.domain.declarations.config_map import CONFIG_MAP
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.endpoints import ENDPOINTS
from app.domain.declarations.event import EVENT
from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.lease import LEASE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.declarations.service import SERVICE
from app.domain.rules.metadata import validate_metadata
from tests.unit.rule_runner import CLUSTER, parse

LABEL = "X" * 64
"""Too long, and of wrong letters; of a qualified name, too."""

NAME = "_" * 64
SUBDOMAIN = "X" * 254
PORT_NAME = "--_" + "8" * 13
QUALIFIED = f"{SUBDOMAIN}/{NAME}"


def with_port(**port):
    return {"spec": {"ports": [{"port": 80, **port}]}}


def with_container(**container):
    return {"spec": {"containers": [{"name": "a", "image": "b", **container}]}}


def with_endpoint(**endpoint):
    return {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"], **endpoint}]}


SPECS = [
    (SERVICE, with_port(targetPort=PORT_NAME), "spec.ports[0].targetPort", 5),
    (SERVICE, with_port(targetPort="A"), "spec.ports[0].targetPort", 2),
    (SERVICE, with_port(targetPort="http_2"), "spec.ports[0].targetPort", 1),
    (SERVICE, with_port(name=LABEL), "spec.ports[0].name", 2),
    (SERVICE, with_port(appProtocol=QUALIFIED), "spec.ports[0].appProtocol", 4),
    (SERVICE, with_port(appProtocol="/"), "spec.ports[0].appProtocol", 3),
    (SERVICE, {"spec": {"ports": [{"port": 80}], "selector": {NAME: NAME}}}, "spec.selector", 4),
    (
        SERVICE,
        {"spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "loadBalancerClass": "a/"}},
        "spec.loadBalancerClass",
        2,
    ),
    (SERVICE, {"spec": {"type": "ExternalName", "externalName": SUBDOMAIN}}, "spec.externalName", 2),
    (
        ENDPOINTS,
        {"subsets": [{"addresses": [{"ip": "10.0.0.1", "hostname": LABEL}]}]},
        "subsets[0].addresses[0].hostname",
        2,
    ),
    (
        ENDPOINTS,
        {"subsets": [{"addresses": [{"ip": "10.0.0.1", "nodeName": SUBDOMAIN}]}]},
        "subsets[0].addresses[0].nodeName",
        2,
    ),
    (ENDPOINT_SLICE, with_endpoint(hostname=LABEL), "endpoints[0].hostname", 2),
    (ENDPOINT_SLICE, with_endpoint(nodeName=SUBDOMAIN), "endpoints[0].nodeName", 2),
    (ENDPOINT_SLICE, with_endpoint(hints={"forZones": [{"name": NAME}]}), "endpoints[0].hints.forZones[0].name", 2),
    (ENDPOINT_SLICE, with_endpoint() | {"ports": [{"name": LABEL, "port": 1}]}, "ports[0].name", 2),
    (
        ENDPOINT_SLICE,
        {"addressType": "FQDN", "endpoints": [{"addresses": [SUBDOMAIN]}]},
        "endpoints[0].addresses[0]",
        1,
    ),
    (
        ENDPOINT_SLICE,
        {"addressType": "FQDN", "endpoints": [{"addresses": [f"{'x' * 64}.{'y' * 64}"]}]},
        "endpoints[0].addresses[0]",
        1,
    ),
    (POD, with_container(name=LABEL), "spec.containers[0].name", 2),
    (POD, with_container(ports=[{"name": PORT_NAME, "containerPort": 1}]), "spec.containers[0].ports[0].name", 5),
    (POD, {"spec": {"containers": [{"name": LABEL}, {"name": LABEL}]}}, "spec.containers[1].name", 3),
    (NODE, {"spec": {"taints": [{"key": QUALIFIED, "effect": "NoSchedule"}]}}, "metadata.taints[0].key", 4),
    (NODE, {"spec": {"taints": [{"key": "a", "value": NAME, "effect": "NoSchedule"}]}}, "metadata.taints[0].value", 1),
    (NAMESPACE, {"spec": {"finalizers": [NAME]}}, "spec.finalizers", 3),
    (CONFIG_MAP, {"data": {"..%" + "x" * 251: ""}}, "data[..%" + "x" * 251 + "]", 3),
    (LEASE, {"spec": {"strategy": "a/b/c"}}, "spec.strategy", 1),
    (LEASE, {"spec": {"strategy": QUALIFIED}}, "spec.strategy", 4),
    (LEASE, {"spec": {"strategy": "a"}}, "spec.strategy", 1),
    (IP_ADDRESS, {"spec": {"parentRef": {"resource": "%/", "name": "a"}}}, "spec.parentRef.resource", 2),
    (
        IP_ADDRESS,
        {"spec": {"parentRef": {"group": SUBDOMAIN, "resource": "a", "name": "a"}}},
        "spec.parentRef.group",
        2,
    ),
    (
        EVENT,
        {"eventTime": "2026-01-01T00:00:00.000000Z", "involvedObject": {"namespace": "shop"}},
        "reportingComponent",
        3,
    ),
]


@pytest.mark.parametrize(("kind", "document", "field", "count"), SPECS)
def test_specs(kind, document, field, count):
    obj = parse(kind, document)
    kind.strategy.default(obj)
    kind.strategy.prepare_create(obj, CLUSTER)
    assert counted(kind.strategy.validate_create(obj, CLUSTER))[field] == count


@pytest.mark.parametrize(
    ("kind", "metadata", "field", "count"),
    [
        (SERVICE, {"name": LABEL}, "metadata.name", 2),
        (SERVICE, {"name": "a/%"}, "metadata.name", 1),
        (SERVICE, {"generateName": LABEL}, "metadata.generateName", 2),
        (SERVICE, {"namespace": LABEL}, "metadata.namespace", 2),
        (SERVICE, {"labels": {QUALIFIED: NAME}}, "metadata.labels", 6),
        (SERVICE, {"annotations": {NAME: ""}}, "metadata.annotations", 2),
        (SERVICE, {"finalizers": [QUALIFIED]}, "metadata.finalizers", 4),
        (SERVICE, {"finalizers": [NAME]}, "metadata.finalizers[0]", 1),
        (CONFIG_MAP, {"name": SUBDOMAIN}, "metadata.name", 2),
        (EVENT, {"name": "a/%"}, "metadata.name", 2),
    ],
)
def test_metadata(kind, metadata, field, count):
    obj = parse(kind, {"metadata": metadata})
    assert counted(validate_metadata(kind, obj.metadata))[field] == count


@pytest.mark.parametrize(("finalizer", "count"), [(NAME, 3), ("a", 1), ("example.com/a", 0)])
def test_finalizers_of_a_namespace_that_is_finalized(finalizer, count):
    (rules,) = [each for each in NAMESPACE.subresources if each.name == "finalize"]
    new = parse(NAMESPACE, {"spec": {"finalizers": ["kubernetes", finalizer]}})
    assert counted(rules.validate(new, new, CLUSTER))["spec.finalizers[1]"] == count


def counted(causes):
    """How many causes each field has; no two say the same."""
    assert len({(cause.field, cause.message) for cause in causes}) == len(causes)
    return Counter(cause.field for cause in causes)
