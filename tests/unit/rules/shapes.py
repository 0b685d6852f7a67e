"""Specs of stored Services of every shape, and how to vary them."""

from tests.unit.rules.builders import ALIAS

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
