"""Changing a Service: every change that is refused."""

import pytest
from msgspec import structs

from tests.unit.rules.builders import (
    ALIAS,
    SINGLE,
    faults,
    stored,
    updated,
    wanted,
    web,
)
from tests.unit.rules.shapes import BALANCED, EXTERNAL, HEADLESS, LOCAL, NODE, PLAIN, change, numbered

REFUSED = {
    # addresses stay
    "another clusterIP": (PLAIN, web(clusterIP="10.96.0.8"), ["spec.clusterIPs[0] invalid"]),
    "another clusterIP in both fields": (
        PLAIN,
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8"]),
        ["spec.clusterIPs[0] invalid"],
    ),
    "another clusterIP, outside": (PLAIN, web(clusterIP="10.97.0.8"), ["spec.clusterIPs[0] invalid"]),
    "another clusterIPs, clusterIP as before": (
        PLAIN,
        web(clusterIP="10.96.0.9", clusterIPs=["10.96.0.8"]),
        ["spec.clusterIPs invalid"],
    ),
    "another clusterIPs alone": (PLAIN, web(clusterIPs=["10.96.0.8"]), ["spec.clusterIPs invalid"]),
    "clusterIP becomes None": (PLAIN, web(clusterIP="None"), ["spec.clusterIPs[0] invalid"]),
    "None becomes an address": (HEADLESS, web(clusterIP="10.96.0.8"), ["spec.clusterIPs[0] invalid"]),
    "None becomes an address outside": (HEADLESS, web(clusterIP="10.97.0.8"), ["spec.clusterIPs[0] invalid"]),
    "clusterIP no address": (PLAIN, web(clusterIP="x"), ["spec.clusterIPs[0] invalid"]),
    "headless becomes NodePort": (HEADLESS, web(type="NodePort"), ["spec.clusterIPs[0] invalid"]),
    "another family": (PLAIN, web(ipFamilies=["IPv6"]), ["spec.clusterIPs[0] invalid"]),
    "a family that is not served": (
        PLAIN,
        web(ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="PreferDualStack"),
        ["spec.ipFamilies[1] invalid"],
    ),
    "RequireDualStack on one stack": (PLAIN, web(ipFamilyPolicy="RequireDualStack"), ["spec.ipFamilyPolicy invalid"]),
    "policy unknown": (PLAIN, web(ipFamilyPolicy="x"), ["spec.ipFamilyPolicy unsupported"]),
    # types
    "to ExternalName without name": (PLAIN, {"type": "ExternalName"}, ["spec.externalName required"]),
    "to ExternalName with another address": (
        PLAIN,
        {**ALIAS, "clusterIP": "10.96.0.8"},
        ["spec.clusterIPs forbidden"],
    ),
    "to ExternalName with one address more": (
        PLAIN,
        {**ALIAS, "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9", "fd00::1"]},
        ["spec.clusterIPs forbidden"],
    ),
    "to ExternalName with other families": (PLAIN, {**ALIAS, "ipFamilies": ["IPv6"]}, ["spec.ipFamilies forbidden"]),
    "to ExternalName with another policy": (
        PLAIN,
        {**ALIAS, "ipFamilyPolicy": "PreferDualStack"},
        ["spec.ipFamilyPolicy forbidden"],
    ),
    "alias with policy": (EXTERNAL, {**ALIAS, "ipFamilyPolicy": "SingleStack"}, ["spec.ipFamilyPolicy forbidden"]),
    "ExternalName to ClusterIP outside": (EXTERNAL, web(clusterIP="10.97.0.8"), ["spec.clusterIPs invalid"]),
    "ExternalName to ClusterIP without ports": (EXTERNAL, {"type": "ClusterIP"}, ["spec.ports required"]),
    "to ClusterIP with a new node port": (
        NODE,
        web(ports=[{"port": 80, "nodePort": 30099}]),
        ["spec.ports[0].nodePort forbidden"],
    ),
    "to ClusterIP with one new node port of two": (
        change(NODE, ports=numbered(30080, 30081)),
        web(ports=numbered(30080, 30099)),
        ["spec.ports[0].nodePort forbidden", "spec.ports[1].nodePort forbidden"],
    ),
    "to unknown": (PLAIN, web(type="x"), ["spec.type unsupported"]),
    "to NodePort with another allocate flag": (
        BALANCED,
        {**BALANCED, "type": "NodePort", "allocateLoadBalancerNodePorts": False},
        ["spec.allocateLoadBalancerNodePorts forbidden"],
    ),
    "a flag from nowhere": (
        PLAIN,
        web(allocateLoadBalancerNodePorts=True),
        ["spec.allocateLoadBalancerNodePorts forbidden"],
    ),
    "to ClusterIP with source ranges": (
        change(BALANCED, loadBalancerSourceRanges=["10.0.0.0/8"]),
        web(loadBalancerSourceRanges=["10.0.0.0/8"]),
        ["spec.LoadBalancerSourceRanges forbidden"],
    ),
    "to ClusterIP with another class": (
        change(BALANCED, loadBalancerClass="a/b"),
        web(loadBalancerClass="a/c"),
        ["spec.loadBalancerClass forbidden"],
    ),
    "to ClusterIP with another health check port": (
        LOCAL,
        web(healthCheckNodePort=30101),
        ["spec.healthCheckNodePort invalid"],
    ),
    "to ClusterIP with another traffic policy": (
        LOCAL,
        web(externalTrafficPolicy="Cluster"),
        ["spec.externalTrafficPolicy invalid"],
    ),
    # immutable
    "a class": (
        BALANCED,
        {**BALANCED, "loadBalancerClass": "a/b"},
        ["spec.loadBalancerClass invalid"],
    ),
    "no class": (change(BALANCED, loadBalancerClass="a/b"), BALANCED, ["spec.loadBalancerClass invalid"]),
    "another class": (
        change(BALANCED, loadBalancerClass="a/b"),
        {**BALANCED, "loadBalancerClass": "a/c"},
        ["spec.loadBalancerClass invalid"],
    ),
    "another health check port": (
        LOCAL,
        {**LOCAL, "healthCheckNodePort": 30101},
        ["spec.healthCheckNodePort forbidden"],
    ),
    "a health check port with policy Cluster": (
        BALANCED,
        {**BALANCED, "healthCheckNodePort": 30100},
        ["spec.healthCheckNodePort invalid"],
    ),
    "a health check port out of range": (
        BALANCED,
        {**BALANCED, "externalTrafficPolicy": "Local", "healthCheckNodePort": 80},
        ["spec.healthCheckNodePort invalid"],
    ),
    "a health check port that is a node port": (
        BALANCED,
        {**BALANCED, "externalTrafficPolicy": "Local", "healthCheckNodePort": 30080},
        ["spec.healthCheckNodePort invalid"],
    ),
    # node ports
    "a node port out of range": (
        NODE,
        web(type="NodePort", ports=[{"port": 80, "nodePort": 80}]),
        ["spec.ports[0].nodePort invalid"],
    ),
    "a node port twice for one protocol": (
        NODE,
        web(type="NodePort", ports=numbered(30090, 30090)),
        ["spec.ports[1].nodePort duplicate"],
    ),
    "a stored node port twice for one protocol": (
        NODE,
        web(type="NodePort", ports=numbered(30080, 30080)),
        ["spec.ports[1].nodePort duplicate"],
    ),
    "a node port that is the health check port": (
        LOCAL,
        {**LOCAL, "ports": [{"port": 80, "nodePort": 30100}]},
        ["spec.ports[0].nodePort invalid"],
    ),
    "a bad node port behind one without": (
        change(BALANCED, allocateLoadBalancerNodePorts=False, ports=numbered(0, 0)),
        change(BALANCED, allocateLoadBalancerNodePorts=False, ports=numbered(0, 80)),
        ["spec.ports[1].nodePort invalid"],
    ),
    "a node port that is a health check port nobody needs": (
        NODE,
        {**NODE, "ports": [{"port": 80, "nodePort": 30099}], "healthCheckNodePort": 30099},
        ["spec.healthCheckNodePort invalid"],
    ),
    "one port twice": (
        NODE,
        web(type="NodePort", ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}]),
        ["spec.ports[1] duplicate"],
    ),
    "no ports": (PLAIN, web(ports=None), ["spec.ports required"]),
    "a bad port": (PLAIN, web(ports=[{"port": 0}]), ["spec.ports[0].port invalid", "spec.ports[0].targetPort invalid"]),
    "a bad selector": (PLAIN, web(selector={"a b": "c"}), ["spec.selector invalid"]),
    "a bad external address": (PLAIN, web(externalIPs=["bad"]), ["spec.externalIPs[0] invalid"]),
    "a bad affinity": (PLAIN, web(sessionAffinity="x"), ["spec.sessionAffinity unsupported"]),
    "a bad internal policy": (PLAIN, web(internalTrafficPolicy="x"), ["spec.internalTrafficPolicy unsupported"]),
    "a bad distribution": (PLAIN, web(trafficDistribution="x"), ["spec.trafficDistribution unsupported"]),
    "several": (
        change(BALANCED, loadBalancerClass="a/b"),
        {**BALANCED, "loadBalancerClass": "a/c", "sessionAffinity": "x", "selector": {"a b": "c"}},
        ["spec.loadBalancerClass invalid", "spec.sessionAffinity unsupported", "spec.selector invalid"],
    ),
}


def test_a_stored_number_outside_a_new_range_is_tolerated():
    _, causes = updated(LOCAL, stored(LOCAL), structs.replace(SINGLE, node_port_range=(31000, 32767)))
    assert causes == []


@pytest.mark.parametrize(("old", "sent", "lines"), REFUSED.values(), ids=REFUSED)
def test_is_refused(old, sent, lines):
    _, causes = updated(sent, stored(old))
    assert faults(causes) == wanted(*lines)
