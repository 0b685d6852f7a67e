"""Changing a Service: what stays, what goes, what is refused."""

import pytest

from app.domain.kinds.service import LoadBalancerIngress
from tests.unit.rules.builders import (
    ALIAS,
    DUAL,
    SINGLE,
    faults,
    spec_of,
    stored,
    updated,
    wanted,
    web,
)

V4_ADDRESS = {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"]}
BOTH = {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9", "fd00:10:96::9"]}
PORT = {"port": 80, "protocol": "TCP", "targetPort": 80}

PLAIN = {
    "type": "ClusterIP",
    "sessionAffinity": "None",
    "internalTrafficPolicy": "Cluster",
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
    "selector": {"app": "x"},
    "ports": [PORT],
    **V4_ADDRESS,
}
NODE = {**PLAIN, "type": "NodePort", "externalTrafficPolicy": "Cluster", "ports": [{**PORT, "nodePort": 30080}]}
BALANCED = {**NODE, "type": "LoadBalancer", "allocateLoadBalancerNodePorts": True}
LOCAL = {**BALANCED, "externalTrafficPolicy": "Local", "healthCheckNodePort": 30100}
EXTERNAL = {**ALIAS, "sessionAffinity": "None"}
HEADLESS = {**PLAIN, "clusterIP": "None", "clusterIPs": ["None"]}
TWOFOLD = {**PLAIN, **BOTH, "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack"}
PREFERRED = {**TWOFOLD, "ipFamilyPolicy": "PreferDualStack"}


def change(base, drop=(), **fields):
    return {key: value for key, value in {**base, **fields}.items() if key not in drop}


def numbered(*numbers, **more):
    names = "abcdef"
    return [
        {"name": names[index], "port": 80 + index, "protocol": "TCP", "targetPort": 80 + index, **more}
        | ({"nodePort": number} if number else {})
        for index, number in enumerate(numbers)
    ]


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


# The same on a cluster with both stacks, about IP families.
DUAL_ACCEPTED = {
    "two stacks, the manifest again": (TWOFOLD, web(ipFamilyPolicy="RequireDualStack"), TWOFOLD),
    "two stacks, policy left out": (TWOFOLD, web(), TWOFOLD),
    "upgrade by policy": (
        PLAIN,
        web(ipFamilyPolicy="PreferDualStack"),
        change(PLAIN, ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4", "IPv6"]),
    ),
    "upgrade by policy, all else sent again": (
        PLAIN,
        {**PLAIN, "ipFamilyPolicy": "RequireDualStack"},
        change(PLAIN, ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4", "IPv6"]),
    ),
    "upgrade by family": (
        PLAIN,
        {**PLAIN, "ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv4", "IPv6"]},
        change(PLAIN, ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4", "IPv6"]),
    ),
    "upgrade by address": (
        PLAIN,
        {**PLAIN, **BOTH, "ipFamilyPolicy": "RequireDualStack"},
        TWOFOLD,
    ),
    "downgrade by policy, all else sent again": (TWOFOLD, {**TWOFOLD, "ipFamilyPolicy": "SingleStack"}, PLAIN),
    "downgrade by policy, all else left out": (TWOFOLD, web(ipFamilyPolicy="SingleStack"), PLAIN),
    "downgrade by policy and lists": (TWOFOLD, PLAIN, PLAIN),
    "downgrade by policy and families": (
        TWOFOLD,
        {**TWOFOLD, "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]},
        PLAIN,
    ),
    "downgrade by policy and addresses": (
        TWOFOLD,
        {**TWOFOLD, "ipFamilyPolicy": "SingleStack", **V4_ADDRESS},
        PLAIN,
    ),
    "RequireDualStack to PreferDualStack": (TWOFOLD, {**TWOFOLD, "ipFamilyPolicy": "PreferDualStack"}, PREFERRED),
    "PreferDualStack of one family, sent again": (
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
    ),
    "PreferDualStack of one family, lists left out": (
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
        web(ipFamilyPolicy="PreferDualStack"),
        change(PREFERRED, **V4_ADDRESS),
    ),
    "PreferDualStack of one family, another type": (
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"]),
        change(PREFERRED, **V4_ADDRESS, ipFamilies=["IPv4"], type="NodePort"),
        change(PREFERRED, **V4_ADDRESS, type="NodePort", externalTrafficPolicy="Cluster"),
    ),
    "headless changes its families": (
        HEADLESS,
        {**HEADLESS, "ipFamilies": ["IPv6"]},
        change(HEADLESS, ipFamilies=["IPv6"]),
    ),
    "headless takes a second family": (
        HEADLESS,
        {**HEADLESS, "ipFamilyPolicy": "PreferDualStack"},
        change(HEADLESS, ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4", "IPv6"]),
    ),
    "headless without selector gets one": (
        change(HEADLESS, drop=("selector",), ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="RequireDualStack"),
        web(clusterIP="None"),
        change(HEADLESS, ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="RequireDualStack"),
    ),
    "ExternalName to both stacks": (
        EXTERNAL,
        web(ipFamilyPolicy="RequireDualStack"),
        change(TWOFOLD, drop=("clusterIP", "clusterIPs")),
    ),
}


@pytest.mark.parametrize(("old", "sent", "result"), DUAL_ACCEPTED.values(), ids=DUAL_ACCEPTED)
def test_families_are_accepted(old, sent, result):
    before = stored(old, SINGLE if old.get("ipFamilies") == ["IPv4"] and "Prefer" in old["ipFamilyPolicy"] else DUAL)
    new, causes = updated(sent, before, DUAL)
    assert faults(causes) == set()
    assert spec_of(new) == result


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


@pytest.mark.parametrize(("old", "sent", "lines"), REFUSED.values(), ids=REFUSED)
def test_is_refused(old, sent, lines):
    _, causes = updated(sent, stored(old))
    assert faults(causes) == wanted(*lines)


DUAL_REFUSED = {
    "fewer addresses": (TWOFOLD, {**TWOFOLD, **V4_ADDRESS}, ["spec.ipFamilyPolicy invalid"]),
    "fewer families": (TWOFOLD, {**TWOFOLD, "ipFamilies": ["IPv4"]}, ["spec.ipFamilyPolicy invalid"]),
    "fewer of both": (TWOFOLD, {**TWOFOLD, **V4_ADDRESS, "ipFamilies": ["IPv4"]}, ["spec.ipFamilyPolicy invalid"]),
    "fewer addresses, policy left out": (TWOFOLD, web(**V4_ADDRESS), ["spec.ipFamilyPolicy invalid"]),
    "the secondary address alone": (
        TWOFOLD,
        web(clusterIP="fd00:10:96::9", clusterIPs=["fd00:10:96::9"], ipFamilyPolicy="SingleStack"),
        ["spec.clusterIPs[0] invalid", "spec.ipFamilies[0] invalid"],
    ),
    "addresses swapped": (
        TWOFOLD,
        {**TWOFOLD, "clusterIP": "fd00:10:96::9", "clusterIPs": ["fd00:10:96::9", "10.96.0.9"]},
        ["spec.clusterIPs[0] invalid", "spec.clusterIPs[1] invalid"],
    ),
    "all swapped": (
        TWOFOLD,
        {
            **TWOFOLD,
            "clusterIP": "fd00:10:96::9",
            "clusterIPs": ["fd00:10:96::9", "10.96.0.9"],
            "ipFamilies": ["IPv6", "IPv4"],
        },
        ["spec.clusterIPs[0] invalid", "spec.clusterIPs[1] invalid", "spec.ipFamilies[0] invalid"],
    ),
    "another secondary address": (
        TWOFOLD,
        {**TWOFOLD, "clusterIPs": ["10.96.0.9", "fd00:10:96::8"]},
        ["spec.clusterIPs[1] invalid"],
    ),
    "a second address outside": (
        PLAIN,
        {**PLAIN, "clusterIPs": ["10.96.0.9", "fd01::8"], "ipFamilyPolicy": "RequireDualStack"},
        ["spec.clusterIPs invalid"],
    ),
    "a second address, SingleStack": (PLAIN, {**PLAIN, **BOTH}, ["spec.ipFamilyPolicy invalid"]),
    "a second family, SingleStack": (
        PLAIN,
        {**PLAIN, "ipFamilies": ["IPv4", "IPv6"]},
        ["spec.ipFamilyPolicy invalid"],
    ),
    "a second family in front": (
        PLAIN,
        {**PLAIN, "ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": "RequireDualStack"},
        ["spec.clusterIPs[0] invalid"],
    ),
    "the primary address with the second": (
        PLAIN,
        {
            **PLAIN,
            "clusterIP": "10.96.0.8",
            "clusterIPs": ["10.96.0.8", "fd00:10:96::8"],
            "ipFamilyPolicy": "RequireDualStack",
        },
        ["spec.clusterIPs[0] invalid"],
    ),
    "two of one family": (
        PLAIN,
        {**PLAIN, "clusterIPs": ["10.96.0.9", "10.96.0.8"], "ipFamilyPolicy": "RequireDualStack"},
        ["spec.clusterIPs invalid"],
    ),
}


@pytest.mark.parametrize(("old", "sent", "lines"), DUAL_REFUSED.values(), ids=DUAL_REFUSED)
def test_families_are_refused(old, sent, lines):
    _, causes = updated(sent, stored(old, DUAL), DUAL)
    assert faults(causes) == wanted(*lines)


METADATA_REFUSED = {
    "label": ({"labels": {"a b": "c"}}, ["metadata.labels invalid"]),
    "annotation": ({"annotations": {"a b": "c"}}, ["metadata.annotations invalid"]),
    "finalizer": (
        {"finalizers": ["a b"]},
        ["metadata.finalizers invalid", "metadata.finalizers[0] invalid"],
    ),
    "another name": ({"name": "other"}, ["metadata.name invalid"]),
    "another namespace": ({"namespace": "other"}, ["metadata.namespace invalid"]),
    "another uid": ({"uid": "2"}, ["metadata.uid invalid"]),
    "a deletion": ({"deletionTimestamp": "2026-01-02T03:04:05Z"}, ["metadata.deletionTimestamp invalid"]),
    "a birthday": ({"creationTimestamp": "2026-01-02T03:04:05Z"}, ["metadata.creationTimestamp invalid"]),
    "a grace period": ({"deletionGracePeriodSeconds": 1}, ["metadata.deletionGracePeriodSeconds invalid"]),
}


@pytest.mark.parametrize(("metadata", "lines"), METADATA_REFUSED.values(), ids=METADATA_REFUSED)
def test_metadata_is_refused(metadata, lines):
    _, causes = updated(web(), stored(PLAIN), SINGLE, **metadata)
    assert faults(causes) == wanted(*lines)


def test_no_finalizer_is_added_to_what_is_being_deleted():
    old = stored(PLAIN, finalizers=["example.com/a", "example.com/b"])
    old.metadata.deletion_timestamp = "2026-01-02T03:04:05Z"
    kept = {"deletionTimestamp": old.metadata.deletion_timestamp}
    _, causes = updated(web(), old, SINGLE, finalizers=["example.com/a", "example.com/c"], **kept)
    assert faults(causes) == wanted("metadata.finalizers forbidden")
    _, causes = updated(web(), old, SINGLE, finalizers=["example.com/b"], **kept)
    assert causes == []


def sloppy(**spec):
    """A Service with values that only an older server would have accepted."""
    old = stored(PLAIN | {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]})
    for name, value in spec.items():
        setattr(old.spec, name, value)
    return old


@pytest.mark.parametrize(
    ("stored_values", "sent", "lines"),
    [
        ({"external_ips": ["1.2.3.04"]}, {"externalIPs": ["1.2.3.04"]}, []),
        ({"external_ips": ["1.2.3.04"]}, {"externalIPs": ["5.6.7.8", "1.2.3.04"]}, []),
        ({"external_ips": ["1.2.3.04"]}, {"externalIPs": ["1.2.3.05"]}, ["spec.externalIPs[0] invalid"]),
        ({"external_ips": ["127.0.0.01"]}, {"externalIPs": ["127.0.0.01"]}, ["spec.externalIPs[0] invalid"]),
        ({"load_balancer_source_ranges": ["10.0.0.1/8"]}, {"loadBalancerSourceRanges": ["10.0.0.1/8"]}, []),
        ({"load_balancer_source_ranges": [" 10.0.0.1/8"]}, {"loadBalancerSourceRanges": ["10.0.0.1/8 "]}, []),
        (
            {"load_balancer_source_ranges": ["10.0.0.1/8"]},
            {"loadBalancerSourceRanges": ["10.0.0.2/8"]},
            ["spec.LoadBalancerSourceRanges[0] invalid"],
        ),
        ({"cluster_ip": "10.96.0.09", "cluster_ips": ["10.96.0.09"]}, {}, []),
        (
            {"cluster_ip": "10.96.0.09", "cluster_ips": ["10.96.0.09"]},
            {"clusterIP": "10.96.0.9"},
            ["spec.clusterIPs[0] invalid"],
        ),
    ],
)
def test_what_is_stored_is_tolerated(stored_values, sent, lines):
    _, causes = updated(web(type="LoadBalancer", **sent), sloppy(**stored_values))
    assert faults(causes) == wanted(*lines)


@pytest.mark.parametrize(("ranges", "lines"), [("x", []), ("y", ["invalid"])])
def test_a_stored_source_range_annotation_is_tolerated(ranges, lines):
    key = "service.beta.kubernetes.io/load-balancer-source-ranges"
    old = stored(BALANCED)
    old.metadata.annotations = {key: "x"}
    _, causes = updated(BALANCED, old, annotations={key: ranges})
    assert faults(causes) == wanted(*(f"metadata.annotations[{key}] {line}" for line in lines))


def test_status_stays_as_it_is_stored():
    old = stored(BALANCED, SINGLE)
    old.status.load_balancer.ingress = [LoadBalancerIngress(ip="1.2.3.4", ip_mode="VIP")]
    new, causes = updated(
        BALANCED, old, status={"loadBalancer": {"ingress": [{"ip": "9.9.9.9"}]}, "conditions": [{"type": "X"}]}
    )
    assert causes == []
    assert new.status == old.status


@pytest.mark.parametrize("sent", [NODE, PLAIN, ALIAS])
def test_the_address_of_a_load_balancer_goes_with_its_type(sent):
    old = stored(BALANCED, SINGLE)
    old.status.load_balancer.ingress = [LoadBalancerIngress(ip="1.2.3.4", ip_mode="VIP")]
    new, causes = updated(sent, old)
    assert causes == []
    assert new.status.load_balancer.ingress is None
