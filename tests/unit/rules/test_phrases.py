"""Phrases of Kubernetes that programs look for in the message of a refused field, and rules that yield each."""

import pytest

from app.domain.declarations.config_map import CONFIG_MAP
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.event import EVENT
from app.domain.declarations.events_event import EVENTS_EVENT
from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.declarations.secret import SECRET
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.rules.claim import Claim
from app.domain.rules.metadata import validate_metadata_update
from app.registry.outcomes import refusal
from app.store.writes import ClaimHeld
from tests.unit.rule_runner import CLUSTER, parse

IMMUTABLE = "field is immutable"
"""Flux, Helm's callers and many controllers delete the object and create it anew when they read this."""

ONCE_SET = "may not change once set"
"""Nelm, Banzai Cloud's operators and qontract-reconcile delete the Service and create it anew when they read this."""

NO_FINALIZERS = "no new finalizers can be added if the object is being deleted"
"""Kong's operator and others, whose controllers then wait for the end of the object, read this."""

PORT_RANGE = "provided port is not in the valid range"
"""Kubernetes' end-to-end tests of Services look for the number and `port is not in the valid range` after it."""

PORT_TAKEN = "provided port is already allocated"
"""The end-to-end tests' ServiceTestJig tries another port when it reads this."""

IP_RANGE = "provided IP is not in the valid range"
IP_TAKEN = "provided IP is already allocated"
"""Backup and restore tools drop the address, and virtual machine operators report a conflict, when they read this."""

PODS = "pod updates may not change fields other than"
CONTAINERS = "pod updates may not add or remove containers"
"""Deployment tools replace the Pod when they read one of these."""


def web(**spec):
    return {"spec": {"type": "NodePort", "ports": [{"port": 80}], **spec}}


BALANCED = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}]}
PARENT = {"resource": "services", "name": "web", "namespace": "shop"}

CREATED = [
    (PORT_RANGE, SERVICE, web(ports=[{"port": 80, "nodePort": 80}])),
    (PORT_RANGE, SERVICE, web(**BALANCED, healthCheckNodePort=80)),
    (IP_RANGE, SERVICE, web(clusterIP="10.1.2.3", clusterIPs=["10.1.2.3"], ipFamilies=["IPv4"])),
]

UPDATED = [
    (
        IMMUTABLE,
        SERVICE,
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8"], ipFamilies=["IPv4"]),
        web(clusterIP="10.96.0.9", clusterIPs=["10.96.0.9"], ipFamilies=["IPv4"]),
    ),
    (
        IMMUTABLE,
        SERVICE,
        web(**BALANCED, loadBalancerClass="example.com/a"),
        web(**BALANCED, loadBalancerClass="example.com/b"),
    ),
    (
        ONCE_SET,
        SERVICE,
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8"], ipFamilies=["IPv4"]),
        web(clusterIP="10.96.0.9", clusterIPs=["10.96.0.9"], ipFamilies=["IPv4"]),
    ),
    (ONCE_SET, SERVICE, web(ipFamilies=["IPv4"]), web(ipFamilies=["IPv6"])),
    (
        ONCE_SET,
        SERVICE,
        web(**BALANCED, loadBalancerClass="example.com/a"),
        web(**BALANCED),
    ),
    (
        IMMUTABLE,
        SERVICE,
        web(**BALANCED, healthCheckNodePort=30100),
        web(**BALANCED, healthCheckNodePort=30101),
    ),
    (IMMUTABLE, CONFIG_MAP, {"immutable": True, "data": {"a": "1"}}, {"immutable": True, "data": {"a": "2"}}),
    (IMMUTABLE, CONFIG_MAP, {"immutable": True}, {}),
    (IMMUTABLE, SECRET, {"immutable": True, "data": {"a": "MQ=="}}, {"immutable": True, "data": {"a": "Mg=="}}),
    (IMMUTABLE, SECRET, {"type": "a"}, {"type": "b"}),
    (IMMUTABLE, ENDPOINT_SLICE, {"addressType": "IPv4"}, {"addressType": "IPv6"}),
    (
        IMMUTABLE,
        IP_ADDRESS,
        {"metadata": {"name": "10.96.0.9"}, "spec": {"parentRef": PARENT}},
        {"metadata": {"name": "10.96.0.9"}, "spec": {"parentRef": {**PARENT, "name": "dns"}}},
    ),
    (IMMUTABLE, SERVICE_CIDR, {"spec": {"cidrs": ["10.97.0.0/16"]}}, {"spec": {"cidrs": ["10.98.0.0/16"]}}),
    (IMMUTABLE, SERVICE_CIDR, {"spec": {"cidrs": ["10.97.0.0/16"]}}, {"spec": {"cidrs": []}}),
    (IMMUTABLE, EVENTS_EVENT, {"reason": "A"}, {"reason": "B"}),
    (IMMUTABLE, NODE, {"spec": {"externalID": "a"}}, {"spec": {"externalID": "b"}}),
    (
        "node updates may not change podCIDR",
        NODE,
        {"spec": {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"]}},
        {"spec": {"podCIDR": "10.0.1.0/24", "podCIDRs": ["10.0.1.0/24"]}},
    ),
    (
        "node updates may not change providerID",
        NODE,
        {"spec": {"providerID": "a"}},
        {"spec": {"providerID": "b"}},
    ),
    (
        PODS,
        POD,
        {"spec": {"containers": [{"name": "a"}], "nodeName": "a"}},
        {"spec": {"containers": [{"name": "a"}], "nodeName": "b"}},
    ),
    (CONTAINERS, POD, {"spec": {"containers": [{"name": "a"}]}}, {"spec": {"containers": []}}),
]


@pytest.mark.parametrize(("phrase", "kind", "document"), CREATED)
def test_on_create(phrase, kind, document):
    obj = parse(kind, document)
    kind.strategy.default(obj)
    kind.strategy.prepare_create(obj, CLUSTER)
    said(phrase, [*kind.strategy.unavailable(obj, None, CLUSTER), *kind.strategy.validate_create(obj, CLUSTER)])


@pytest.mark.parametrize(("phrase", "kind", "before", "after"), UPDATED)
def test_on_update(phrase, kind, before, after):
    old, new = parse(kind, before), parse(kind, after)
    for obj in (old, new):
        kind.strategy.default(obj)
    said(phrase, kind.strategy.validate_update(new, old, CLUSTER))


@pytest.mark.parametrize("field", ["name", "namespace", "uid", "creationTimestamp"])
def test_metadata_is_immutable(field):
    old, new = parse(EVENT, {}), parse(EVENT, {"metadata": {field: "2026-01-01T00:00:00Z"}})
    said(IMMUTABLE, validate_metadata_update(EVENT, new.metadata, old.metadata))


def test_finalizers_of_an_object_that_is_being_deleted():
    old = parse(EVENT, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    new = parse(EVENT, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/a"]}})
    said(NO_FINALIZERS, validate_metadata_update(EVENT, new.metadata, old.metadata))


@pytest.mark.parametrize(
    ("phrase", "claim"),
    [
        (IP_TAKEN, Claim("cluster_ips", "10.96.0.9", "spec.clusterIPs")),
        (PORT_TAKEN, Claim("node_ports", "30443", "spec.ports[0].nodePort")),
    ],
)
def test_claims_of_others(phrase, claim):
    said(phrase, refusal(SERVICE, "shop", "web", ClaimHeld(claim, "services", "shop", "dns")).causes)


def said(phrase, causes):
    assert any(phrase in cause.message for cause in causes), [cause.message for cause in causes]
