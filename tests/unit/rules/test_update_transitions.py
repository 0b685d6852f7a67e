"""Changing a Service: what stays, what is given back, what goes with its type."""

import pytest

from tests.unit.rules.builders import (
    ALIAS,
    DUAL,
    SINGLE,
    faults,
    spec_of,
    stored,
    updated,
    web,
)
from tests.unit.rules.shapes import BALANCED, EXTERNAL, HEADLESS, LOCAL, NODE, PLAIN, PORT, TWOFOLD, change, numbered

# What an update keeps, restores and drops: old spec, what is sent, what results.
ACCEPTED = {
    "the same again": (PLAIN, PLAIN, PLAIN),
    "the manifest again": (PLAIN, web(), PLAIN),
    "the manifest of a NodePort Service again": (NODE, web(type="NodePort"), NODE),
    "the manifest of a LoadBalancer Service again": (
        LOCAL,
        web(type="LoadBalancer", externalTrafficPolicy="Local"),
        LOCAL,
    ),
    "the manifest of an alias again": (EXTERNAL, ALIAS, EXTERNAL),
    "the manifest of a headless Service again": (HEADLESS, web(clusterIP="None"), HEADLESS),
    "headless, clusterIP left out": (HEADLESS, web(), HEADLESS),
    "clusterIP alone": (PLAIN, web(clusterIP="10.96.0.9"), PLAIN),
    "a selector": (PLAIN, web(selector={"app": "y"}), change(PLAIN, selector={"app": "y"})),
    "no selector": (PLAIN, web(selector=None), change(PLAIN, drop=("selector",))),
    "another port": (PLAIN, web(ports=[{"port": 81}]), change(PLAIN, ports=[{**PORT, "port": 81, "targetPort": 81}])),
    "affinity and back": (
        change(PLAIN, sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 5}}),
        web(),
        PLAIN,
    ),
    # ClusterIP to others
    "ClusterIP to NodePort": (PLAIN, web(type="NodePort"), change(NODE, ports=[PORT])),
    "ClusterIP to NodePort with a number": (
        PLAIN,
        web(type="NodePort", ports=[{"port": 80, "nodePort": 30080}]),
        NODE,
    ),
    "ClusterIP to LoadBalancer": (PLAIN, web(type="LoadBalancer"), change(BALANCED, ports=[PORT])),
    "ClusterIP to LoadBalancer with class": (
        PLAIN,
        web(type="LoadBalancer", loadBalancerClass="a/b"),
        change(BALANCED, ports=[PORT], loadBalancerClass="a/b"),
    ),
    "ClusterIP to ExternalName": (PLAIN, ALIAS, EXTERNAL),
    "ClusterIP to ExternalName, all else sent again": (
        PLAIN,
        {**PLAIN, **ALIAS},
        {**EXTERNAL, "selector": {"app": "x"}, "ports": [PORT]},
    ),
    "two stacks to ExternalName": (
        TWOFOLD,
        {**TWOFOLD, **ALIAS},
        {**EXTERNAL, "selector": {"app": "x"}, "ports": [PORT]},
    ),
    "two stacks to ExternalName by a client that knows one address": (
        TWOFOLD,
        {**ALIAS, "clusterIP": "10.96.0.9"},
        EXTERNAL,
    ),
    "headless to ExternalName": (
        HEADLESS,
        {**HEADLESS, **ALIAS},
        {**EXTERNAL, "selector": {"app": "x"}, "ports": [PORT]},
    ),
    "ExternalName to ClusterIP": (EXTERNAL, web(), change(PLAIN, drop=("clusterIP", "clusterIPs"))),
    "ExternalName to ClusterIP with an address": (
        EXTERNAL,
        web(clusterIP="10.96.0.7"),
        change(PLAIN, clusterIP="10.96.0.7", clusterIPs=["10.96.0.7"]),
    ),
    "ExternalName to headless": (EXTERNAL, web(clusterIP="None"), HEADLESS),
    "ExternalName to NodePort": (
        EXTERNAL,
        web(type="NodePort"),
        change(NODE, drop=("clusterIP", "clusterIPs"), ports=[PORT]),
    ),
    # NodePort to others
    "NodePort to ClusterIP": (NODE, web(), PLAIN),
    "NodePort to ClusterIP, all else sent again": (NODE, {**NODE, "type": "ClusterIP"}, PLAIN),
    "NodePort to ClusterIP, one port of two": (
        change(NODE, ports=numbered(30080, 30081)),
        web(ports=numbered(30080)[:1]),
        change(PLAIN, ports=numbered(0)),
    ),
    "NodePort to ClusterIP, ports renamed with their numbers": (
        NODE,
        web(ports=[{"name": "new", "port": 81, "nodePort": 30080}]),
        change(PLAIN, ports=[{"name": "new", "port": 81, "protocol": "TCP", "targetPort": 81}]),
    ),
    "NodePort to LoadBalancer": (NODE, web(type="LoadBalancer"), BALANCED),
    "NodePort to ExternalName": (NODE, ALIAS, EXTERNAL),
    "NodePort to ExternalName, all else sent again": (
        NODE,
        {**NODE, **ALIAS},
        {**EXTERNAL, "selector": {"app": "x"}, "ports": [PORT]},
    ),
    # LoadBalancer to others
    "LoadBalancer to NodePort": (BALANCED, web(type="NodePort"), NODE),
    "LoadBalancer to NodePort, all else sent again": (BALANCED, {**BALANCED, "type": "NodePort"}, NODE),
    "LoadBalancer to ClusterIP": (BALANCED, web(), PLAIN),
    "LoadBalancer to ClusterIP, all else sent again": (BALANCED, {**BALANCED, "type": "ClusterIP"}, PLAIN),
    "LoadBalancer to ExternalName": (BALANCED, ALIAS, EXTERNAL),
    "LoadBalancer with class to ClusterIP": (
        change(BALANCED, loadBalancerClass="a/b"),
        {**BALANCED, "loadBalancerClass": "a/b", "type": "ClusterIP"},
        PLAIN,
    ),
    "LoadBalancer Local to NodePort Local": (
        LOCAL,
        {**LOCAL, "type": "NodePort"},
        change(NODE, externalTrafficPolicy="Local"),
    ),
    "LoadBalancer Local to ClusterIP, all else sent again": (LOCAL, {**LOCAL, "type": "ClusterIP"}, PLAIN),
    "policy Local to Cluster": (LOCAL, web(type="LoadBalancer"), BALANCED),
    "policy Local to Cluster, health check sent again": (
        LOCAL,
        {**LOCAL, "externalTrafficPolicy": "Cluster"},
        BALANCED,
    ),
    "policy Cluster to Local": (
        BALANCED,
        web(type="LoadBalancer", externalTrafficPolicy="Local"),
        change(LOCAL, drop=("healthCheckNodePort",)),
    ),
    "policy Cluster to Local with a number": (
        BALANCED,
        web(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=30100),
        LOCAL,
    ),
    "source ranges and class go with their type": (
        change(BALANCED, loadBalancerSourceRanges=["10.0.0.0/8"]),
        web(type="NodePort"),
        NODE,
    ),
    "node ports stay when they are no longer allocated": (
        BALANCED,
        {**BALANCED, "allocateLoadBalancerNodePorts": False},
        change(BALANCED, allocateLoadBalancerNodePorts=False),
    ),
    "node ports that are no longer allocated are not restored": (
        BALANCED,
        web(type="LoadBalancer", allocateLoadBalancerNodePorts=False),
        change(BALANCED, allocateLoadBalancerNodePorts=False, ports=[PORT]),
    ),
    "node ports of a NodePort Service are not restored where none are allocated": (
        NODE,
        web(type="LoadBalancer", allocateLoadBalancerNodePorts=False),
        change(BALANCED, allocateLoadBalancerNodePorts=False, ports=[PORT]),
    ),
    # external addresses
    "external addresses go": (
        change(PLAIN, externalIPs=["1.2.3.4"], externalTrafficPolicy="Local"),
        web(externalTrafficPolicy="Local"),
        PLAIN,
    ),
    "external addresses come": (
        PLAIN,
        web(externalIPs=["1.2.3.4"]),
        change(PLAIN, externalIPs=["1.2.3.4"], externalTrafficPolicy="Cluster"),
    ),
    # node ports by name
    "node ports follow their names": (
        change(NODE, ports=numbered(30080, 30081)),
        web(type="NodePort", ports=[{"name": "b", "port": 9}, {"name": "a", "port": 8}]),
        change(
            NODE,
            ports=[
                {"name": "b", "port": 9, "protocol": "TCP", "targetPort": 9, "nodePort": 30081},
                {"name": "a", "port": 8, "protocol": "TCP", "targetPort": 8, "nodePort": 30080},
            ],
        ),
    ),
    "a new name gets none": (
        NODE,
        web(type="NodePort", ports=[{"name": "new", "port": 80}]),
        change(NODE, ports=[{**PORT, "name": "new"}]),
    ),
    "a number used by another port is not restored": (
        change(NODE, ports=numbered(30080, 30081)),
        web(type="NodePort", ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81, "nodePort": 30080}]),
        change(NODE, ports=numbered(0, 30080)),
    ),
    "a second protocol does not share on update": (
        NODE,
        web(type="NodePort", ports=[{"name": "", "port": 80}, {"name": "", "port": 80, "protocol": "UDP"}][:1]),
        NODE,
    ),
    "one number for two protocols": (
        change(NODE, ports=numbered(30080, 30081)),
        web(
            type="NodePort",
            ports=[
                {"name": "a", "port": 80, "nodePort": 30080},
                {"name": "b", "port": 81, "protocol": "UDP", "nodePort": 30080},
            ],
        ),
        change(NODE, ports=[numbered(30080)[0], {**numbered(0, 30080)[1], "protocol": "UDP"}]),
    ),
    "one new number for two protocols and two port numbers": (
        NODE,
        web(
            type="NodePort",
            ports=[
                {"name": "a", "port": 80, "nodePort": 30090},
                {"name": "b", "port": 81, "protocol": "UDP", "nodePort": 30090},
            ],
        ),
        change(NODE, ports=[numbered(30090)[0], {**numbered(0, 30090)[1], "protocol": "UDP"}]),
    ),
    "a health check port becomes a node port": (
        LOCAL,
        web(type="NodePort", ports=[{"port": 80, "nodePort": 30100}]),
        change(NODE, ports=[{**PORT, "nodePort": 30100}]),
    ),
}


@pytest.mark.parametrize(("old", "sent", "result"), ACCEPTED.values(), ids=ACCEPTED)
def test_is_accepted(old, sent, result):
    at = DUAL if old is TWOFOLD else SINGLE
    new, causes = updated(sent, stored(old, at), at)
    assert faults(causes) == set()
    assert spec_of(new) == result
