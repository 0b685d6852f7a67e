"""Creating a Service: what comes out of one that is accepted."""

import pytest

from tests.unit.rules.builders import ALIAS, DNS, DUAL, DUAL_V6, SINGLE, created, faults, spec_of, web

LONG = "x" * 64


def port(**fields):
    return [{"port": 80, **fields}]


CLUSTER_IP = {
    "type": "ClusterIP",
    "sessionAffinity": "None",
    "internalTrafficPolicy": "Cluster",
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
    "selector": {"app": "x"},
    "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
}
NODE_PORT = {**CLUSTER_IP, "type": "NodePort", "externalTrafficPolicy": "Cluster"}
LOAD_BALANCER = {**NODE_PORT, "type": "LoadBalancer", "allocateLoadBalancerNodePorts": True}
EXTERNAL_NAME = {"type": "ExternalName", "externalName": "db.example.com", "sessionAffinity": "None"}
HEADLESS = {**CLUSTER_IP, "clusterIP": "None", "clusterIPs": ["None"]}


def change(base, drop=(), **fields):
    return {key: value for key, value in {**base, **fields}.items() if key not in drop}


def ports(*given):
    return [{"protocol": "TCP", **each} for each in given]


UDP_53 = {"name": "udp", "port": 53, "protocol": "UDP", "targetPort": 53}
TCP_53 = {"name": "tcp", "port": 53, "protocol": "TCP", "targetPort": 53}

ACCEPTED = {
    "plain": (web(), SINGLE, CLUSTER_IP),
    "NodePort": (web(type="NodePort"), SINGLE, NODE_PORT),
    "LoadBalancer": (web(type="LoadBalancer"), SINGLE, LOAD_BALANCER),
    "alias": (ALIAS, SINGLE, EXTERNAL_NAME),
    "alias with the dot of a full name": (
        {**ALIAS, "externalName": "a.b."},
        SINGLE,
        change(EXTERNAL_NAME, externalName="a.b."),
    ),
    "alias with long labels": (
        {**ALIAS, "externalName": f"{LONG}.com"},
        SINGLE,
        change(EXTERNAL_NAME, externalName=f"{LONG}.com"),
    ),
    "alias with ports and a nodePort that means nothing": (
        {**ALIAS, "ports": port(nodePort=1)},
        SINGLE,
        change(EXTERNAL_NAME, ports=[{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 1}]),
    ),
    "alias drops an internal policy": ({**ALIAS, "internalTrafficPolicy": "Local"}, SINGLE, EXTERNAL_NAME),
    "alias keeps external addresses": (
        {**ALIAS, "externalIPs": ["1.2.3.4"]},
        SINGLE,
        change(EXTERNAL_NAME, externalIPs=["1.2.3.4"]),
    ),
    "headless": (web(clusterIP="None"), SINGLE, HEADLESS),
    "headless, both fields": (web(clusterIP="None", clusterIPs=["None"]), SINGLE, HEADLESS),
    "headless without ports": (web(clusterIP="None", ports=None), SINGLE, change(HEADLESS, drop=("ports",))),
    "headless without selector": (
        web(clusterIP="None", selector=None),
        SINGLE,
        change(HEADLESS, drop=("selector",), ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="RequireDualStack"),
    ),
    "headless without selector, SingleStack": (
        web(clusterIP="None", selector=None, ipFamilyPolicy="SingleStack"),
        SINGLE,
        change(HEADLESS, drop=("selector",)),
    ),
    "headless without selector, a family not served": (
        web(clusterIP="None", selector=None, ipFamilies=["IPv6"]),
        SINGLE,
        change(HEADLESS, drop=("selector",), ipFamilies=["IPv6", "IPv4"], ipFamilyPolicy="RequireDualStack"),
    ),
    "clusterIP": (
        web(clusterIP="10.96.0.9"),
        SINGLE,
        change(CLUSTER_IP, clusterIP="10.96.0.9", clusterIPs=["10.96.0.9"]),
    ),
    "first clusterIP": (
        web(clusterIP="10.96.0.1"),
        SINGLE,
        change(CLUSTER_IP, clusterIP="10.96.0.1", clusterIPs=["10.96.0.1"]),
    ),
    "last clusterIP": (
        web(clusterIP="10.96.255.254"),
        SINGLE,
        change(CLUSTER_IP, clusterIP="10.96.255.254", clusterIPs=["10.96.255.254"]),
    ),
    "clusterIP of the second family": (
        web(clusterIP="fd00:10:96::9"),
        DUAL,
        change(CLUSTER_IP, clusterIP="fd00:10:96::9", clusterIPs=["fd00:10:96::9"], ipFamilies=["IPv6"]),
    ),
    "last clusterIP of IPv6": (
        web(clusterIP="fd00:10:96::ffff"),
        DUAL,
        change(CLUSTER_IP, clusterIP="fd00:10:96::ffff", clusterIPs=["fd00:10:96::ffff"], ipFamilies=["IPv6"]),
    ),
    "clusterIP not canonical": (
        web(clusterIP="FD00:10:96::9"),
        DUAL,
        change(CLUSTER_IP, clusterIP="FD00:10:96::9", clusterIPs=["FD00:10:96::9"], ipFamilies=["IPv6"]),
    ),
    "two clusterIPs": (
        web(
            clusterIP="10.96.0.9",
            clusterIPs=["10.96.0.9", "fd00:10:96::9"],
            ipFamilyPolicy="RequireDualStack",
        ),
        DUAL,
        change(
            CLUSTER_IP,
            clusterIP="10.96.0.9",
            clusterIPs=["10.96.0.9", "fd00:10:96::9"],
            ipFamilies=["IPv4", "IPv6"],
            ipFamilyPolicy="RequireDualStack",
        ),
    ),
    "PreferDualStack on one stack": (
        web(ipFamilyPolicy="PreferDualStack"),
        SINGLE,
        change(CLUSTER_IP, ipFamilyPolicy="PreferDualStack"),
    ),
    "PreferDualStack on two": (
        web(ipFamilyPolicy="PreferDualStack"),
        DUAL,
        change(CLUSTER_IP, ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv4", "IPv6"]),
    ),
    "PreferDualStack, IPv6 first": (
        web(ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv6"]),
        DUAL,
        change(CLUSTER_IP, ipFamilyPolicy="PreferDualStack", ipFamilies=["IPv6", "IPv4"]),
    ),
    "the cluster's primary family": (web(), DUAL_V6, change(CLUSTER_IP, ipFamilies=["IPv6"])),
    "RequireDualStack with IPv6 first": (
        web(ipFamilyPolicy="RequireDualStack"),
        DUAL_V6,
        change(CLUSTER_IP, ipFamilies=["IPv6", "IPv4"], ipFamilyPolicy="RequireDualStack"),
    ),
    "affinity by client": (
        web(sessionAffinity="ClientIP"),
        SINGLE,
        change(
            CLUSTER_IP,
            sessionAffinity="ClientIP",
            sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10800}},
        ),
    ),
    "affinity by client, empty configuration": (
        web(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {}}),
        SINGLE,
        change(
            CLUSTER_IP,
            sessionAffinity="ClientIP",
            sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10800}},
        ),
    ),
    "affinity for a second": (
        web(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 1}}),
        SINGLE,
        change(CLUSTER_IP, sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 1}}),
    ),
    "affinity for a day": (
        web(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 86400}}),
        SINGLE,
        change(CLUSTER_IP, sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 86400}}),
    ),
    "configuration without affinity": (
        web(sessionAffinityConfig={"clientIP": {"timeoutSeconds": 5}}),
        SINGLE,
        CLUSTER_IP,
    ),
    "target by name": (
        web(ports=port(targetPort="https")),
        SINGLE,
        change(CLUSTER_IP, ports=ports({"port": 80, "targetPort": "https"})),
    ),
    "target zero": (web(ports=port(targetPort=0)), SINGLE, CLUSTER_IP),
    "target empty": (web(ports=port(targetPort="")), SINGLE, CLUSTER_IP),
    "target of fifteen characters": (
        web(ports=port(targetPort="x" * 15)),
        SINGLE,
        change(CLUSTER_IP, ports=ports({"port": 80, "targetPort": "x" * 15})),
    ),
    "the highest port": (
        web(ports=[{"port": 65535}]),
        SINGLE,
        change(CLUSTER_IP, ports=ports({"port": 65535, "targetPort": 65535})),
    ),
    "the lowest port": (
        web(ports=[{"port": 1}]),
        SINGLE,
        change(CLUSTER_IP, ports=ports({"port": 1, "targetPort": 1})),
    ),
    "port name of 63 characters": (
        web(ports=port(name="x" * 63)),
        SINGLE,
        change(CLUSTER_IP, ports=ports({"name": "x" * 63, "port": 80, "targetPort": 80})),
    ),
    "one port of two protocols": (
        web(ports=DNS),
        SINGLE,
        change(CLUSTER_IP, ports=[UDP_53, TCP_53]),
    ),
    "appProtocol": (
        web(ports=port(appProtocol="kubernetes.io/h2c")),
        SINGLE,
        change(CLUSTER_IP, ports=ports({"port": 80, "targetPort": 80, "appProtocol": "kubernetes.io/h2c"})),
    ),
    "SCTP": (
        web(ports=port(protocol="SCTP")),
        SINGLE,
        change(CLUSTER_IP, ports=[{"port": 80, "targetPort": 80, "protocol": "SCTP"}]),
    ),
    "externalIPs bring an external policy": (
        web(externalIPs=["1.2.3.4", "ff0e::1"]),
        SINGLE,
        change(CLUSTER_IP, externalIPs=["1.2.3.4", "ff0e::1"], externalTrafficPolicy="Cluster"),
    ),
    "externalIPs with policy Local": (
        web(externalIPs=["1.2.3.4"], externalTrafficPolicy="Local"),
        SINGLE,
        change(CLUSTER_IP, externalIPs=["1.2.3.4"], externalTrafficPolicy="Local"),
    ),
    "empty lists are none": (web(externalIPs=[], loadBalancerSourceRanges=[]), SINGLE, CLUSTER_IP),
    "an empty selector is none": (web(selector={}), SINGLE, change(CLUSTER_IP, drop=("selector",))),
    "internal policy Local": (
        web(internalTrafficPolicy="Local"),
        SINGLE,
        change(CLUSTER_IP, internalTrafficPolicy="Local"),
    ),
    "distribution": (
        web(trafficDistribution="PreferSameNode"),
        SINGLE,
        change(CLUSTER_IP, trafficDistribution="PreferSameNode"),
    ),
    "publishNotReadyAddresses": (
        web(publishNotReadyAddresses=True),
        SINGLE,
        change(CLUSTER_IP, publishNotReadyAddresses=True),
    ),
    "nodePort": (
        web(type="NodePort", ports=port(nodePort=30000)),
        SINGLE,
        change(NODE_PORT, ports=ports({"port": 80, "targetPort": 80, "nodePort": 30000})),
    ),
    "the highest nodePort": (
        web(type="NodePort", ports=port(nodePort=32767)),
        SINGLE,
        change(NODE_PORT, ports=ports({"port": 80, "targetPort": 80, "nodePort": 32767})),
    ),
    "nodePort asked for by the second of one port number": (
        web(type="NodePort", ports=[DNS[0], {**DNS[1], "nodePort": 30053}]),
        SINGLE,
        change(NODE_PORT, ports=[{**UDP_53, "nodePort": 30053}, {**TCP_53, "nodePort": 30053}]),
    ),
    "nodePort asked for by both of one port number": (
        web(type="NodePort", ports=[{**DNS[0], "nodePort": 30053}, {**DNS[1], "nodePort": 30053}]),
        SINGLE,
        change(NODE_PORT, ports=[{**UDP_53, "nodePort": 30053}, {**TCP_53, "nodePort": 30053}]),
    ),
    "two nodePorts of one port number": (
        web(type="NodePort", ports=[{**DNS[0], "nodePort": 30053}, {**DNS[1], "nodePort": 30054}]),
        SINGLE,
        change(NODE_PORT, ports=[{**UDP_53, "nodePort": 30053}, {**TCP_53, "nodePort": 30054}]),
    ),
    "the third of one port number takes the first nodePort": (
        web(
            type="NodePort",
            ports=[
                {**DNS[0], "nodePort": 30053},
                {**DNS[1], "nodePort": 30054},
                {"name": "sctp", "port": 53, "protocol": "SCTP"},
            ],
        ),
        SINGLE,
        change(
            NODE_PORT,
            ports=[
                {**UDP_53, "nodePort": 30053},
                {**TCP_53, "nodePort": 30054},
                {"name": "sctp", "port": 53, "protocol": "SCTP", "targetPort": 53, "nodePort": 30053},
            ],
        ),
    ),
    "load balancer without node ports": (
        web(type="LoadBalancer", allocateLoadBalancerNodePorts=False),
        SINGLE,
        change(LOAD_BALANCER, allocateLoadBalancerNodePorts=False),
    ),
    "load balancer without node ports shares none": (
        web(type="LoadBalancer", allocateLoadBalancerNodePorts=False, ports=[DNS[0], {**DNS[1], "nodePort": 30053}]),
        SINGLE,
        change(LOAD_BALANCER, allocateLoadBalancerNodePorts=False, ports=[UDP_53, {**TCP_53, "nodePort": 30053}]),
    ),
    "load balancer with class": (
        web(type="LoadBalancer", loadBalancerClass="example.com/lb"),
        SINGLE,
        change(LOAD_BALANCER, loadBalancerClass="example.com/lb"),
    ),
    "load balancer with any loadBalancerIP": (
        web(type="LoadBalancer", loadBalancerIP="anything"),
        SINGLE,
        change(LOAD_BALANCER, loadBalancerIP="anything"),
    ),
    "source ranges with blanks": (
        web(type="LoadBalancer", loadBalancerSourceRanges=[" 10.0.0.0/8 ", "2001:DB8::/32"]),
        SINGLE,
        change(LOAD_BALANCER, loadBalancerSourceRanges=[" 10.0.0.0/8 ", "2001:DB8::/32"]),
    ),
    "policy Local with health check": (
        web(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=30100),
        SINGLE,
        change(LOAD_BALANCER, externalTrafficPolicy="Local", healthCheckNodePort=30100),
    ),
}


@pytest.mark.parametrize(("spec", "at", "result"), ACCEPTED.values(), ids=ACCEPTED)
def test_is_accepted(spec, at, result):
    new, causes = created(spec, at)
    assert faults(causes) == set()
    assert spec_of(new) == result


def test_status_is_dropped():
    new, causes = created(web(type="LoadBalancer"), status={"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}})
    assert causes == []
    assert new.status.load_balancer.ingress is None
    assert {item.type for item in new.status.conditions or []} == {"Allocated", "Resolvable"}
