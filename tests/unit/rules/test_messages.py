"""What is said about a field that is refused: what is wrong with it and what would be valid."""

import pytest

from tests.unit.rules.builders import ALIAS, DUAL, SINGLE, TWO, V6, cluster, created, stored, updated, web
from tests.unit.rules.shapes import BALANCED, LOCAL, NODE, PLAIN, TWOFOLD

NAME = (
    "must have only lower-case letters, digits and '-', and begin and end with a letter or digit, such as my-name or "
    "123-abc"
)
KEY = (
    "the name must have only letters, digits, '-', '_' and '.', and begin and end with a letter or digit, such as "
    "app.kubernetes.io/name"
)
VALUE = "must be empty or have only letters, digits, '-', '_' and '.', and begin and end with a letter or digit"
MODE, HINTS = "service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"

ON_CREATE = {
    "no ports": (
        web(ports=None),
        ["Required value: a Service needs at least one port, unless it is headless or of type ExternalName"],
    ),
    "port": (web(ports=[{"port": 0, "targetPort": 1}]), ["Invalid value: 0: must be from 1 to 65535"]),
    "target port": (web(ports=[{"port": 1, "targetPort": -1}]), ["Invalid value: -1: must be from 1 to 65535"]),
    "protocol": (
        web(ports=[{"port": 1, "protocol": "x"}]),
        ['Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"'],
    ),
    "port name": (web(ports=[{"port": 1, "name": "A"}]), [f'Invalid value: "A": {NAME}']),
    "port name missing": (
        web(ports=[{"port": 1, "name": "a"}, {"port": 2}]),
        ["Required value: each port of a Service with several ports needs a name"],
    ),
    "port name twice": (
        web(ports=[{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]),
        ['Duplicate value: "a": another port has this name'],
    ),
    "port twice": (
        web(ports=[{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]),
        ['Duplicate value: "1/TCP": another port has the same number and protocol'],
    ),
    "appProtocol": (web(ports=[{"port": 1, "appProtocol": "a b"}]), [f'Invalid value: "a b": {KEY}']),
    "nodePort of a ClusterIP Service": (
        web(ports=[{"port": 1, "nodePort": 30000}]),
        ["Forbidden: a ClusterIP Service has no node ports; use type NodePort"],
    ),
    "nodePort out of range": (
        web(type="NodePort", ports=[{"port": 1, "nodePort": 1}]),
        ["Invalid value: 1: provided port is not in the valid range: choose one from 30000 to 32767, or leave it out"],
    ),
    "nodePort for two numbers": (
        web(type="NodePort", ports=[{**TWO[0], "nodePort": 30000}, {**TWO[1], "nodePort": 30000}]),
        ["Invalid value: 30000: another port of this Service has this number; choose another one, or leave it out"],
    ),
    "nodePort twice, to be chosen": (
        web(type="NodePort", ports=[{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]),
        [
            'Duplicate value: "to be chosen for port 1": another TCP port has this nodePort',
            'Duplicate value: "1/TCP": another port has the same number and protocol',
        ],
    ),
    "nodePort twice, asked for": (
        web(type="NodePort", ports=[{"port": 1, "name": "a", "nodePort": 30000}, {"port": 1, "name": "b"}]),
        [
            "Duplicate value: 30000: another TCP port has this nodePort",
            'Duplicate value: "1/TCP": another port has the same number and protocol',
        ],
    ),
    "type": (
        web(type="x"),
        ['Unsupported value: "x": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
    ),
    "headless load balancer": (
        web(type="LoadBalancer", clusterIP="None"),
        ['Invalid value: "None": a LoadBalancer Service needs a ClusterIP; only type ClusterIP can be headless'],
    ),
    "selector": (
        web(selector={"a b": "c d"}),
        [f'Invalid value: "a b": {KEY}', f'Invalid value: "c d": {VALUE}'],
    ),
    "affinity": (web(sessionAffinity="x"), ['Unsupported value: "x": supported values: "ClientIP", "None"']),
    "affinity time": (
        web(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}}),
        ["Invalid value: 0: must be from 1 to 86400 seconds"],
    ),
    "alias with addresses": (
        {**ALIAS, "clusterIP": "10.96.0.9"},
        ["Forbidden: an ExternalName Service has no addresses; leave it out"],
    ),
    "alias of nothing": (
        {"type": "ExternalName"},
        ["Required value: give the DNS name that the ExternalName Service is an alias of"],
    ),
    "alias of no DNS name": (
        {"type": "ExternalName", "externalName": "a_b"},
        [
            (
                'Invalid value: "a_b": must be DNS labels of lower-case letters, digits and '
                "'-' joined by '.', such as example.com"
            )
        ],
    ),
    "source ranges": (
        web(loadBalancerSourceRanges=["10.0.0.0/8"]),
        ["Forbidden: only a LoadBalancer Service can restrict its clients; use type LoadBalancer, or leave it out"],
    ),
    "allocate flag": (
        web(allocateLoadBalancerNodePorts=True),
        ["Forbidden: only a LoadBalancer Service can choose this; leave it out"],
    ),
    "class": (web(loadBalancerClass="a"), ["Forbidden: only a LoadBalancer Service has a class; leave it out"]),
    "class misspelt": (web(type="LoadBalancer", loadBalancerClass="a b"), [f'Invalid value: "a b": {KEY}']),
    "external policy": (
        web(externalTrafficPolicy="Local"),
        ['Invalid value: "Local": only NodePort, LoadBalancer and externalIPs take traffic from outside; leave it out'],
    ),
    "external policy misspelt": (
        web(type="NodePort", externalTrafficPolicy="x"),
        ['Unsupported value: "x": supported values: "Cluster", "Local"'],
    ),
    "internal policy": (
        web(internalTrafficPolicy="x"),
        ['Unsupported value: "x": supported values: "Cluster", "Local"'],
    ),
    "distribution": (
        web(trafficDistribution="x"),
        ['Unsupported value: "x": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"'],
    ),
    "health check": (
        web(healthCheckNodePort=1),
        ["Invalid value: 1: only type LoadBalancer with externalTrafficPolicy Local has this port; leave it out"],
    ),
    "health check out of range": (
        web(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=1),
        ["Invalid value: 1: provided port is not in the valid range: choose one from 30000 to 32767, or leave it out"],
    ),
    "clusterIP outside": (
        web(clusterIP="10.97.0.1"),
        [
            (
                'Invalid value: "10.97.0.1": provided IP is not in the valid range: 10.97.0.1 is no usable address of '
                "10.96.0.0/16; choose one, or leave it out"
            )
        ],
    ),
    "clusterIPs without clusterIP": (
        web(clusterIPs=["10.96.0.9"]),
        ['Invalid value: "10.96.0.9": spec.clusterIP must be set, too, to the first of spec.clusterIPs'],
    ),
    "clusterIPs begin otherwise": (
        web(clusterIP="10.96.0.9", clusterIPs=["10.96.0.8"]),
        ['Invalid value: "10.96.0.8": the first value must be 10.96.0.9, as in spec.clusterIP'],
    ),
    "None among others": (
        web(clusterIP="None", clusterIPs=["None", "10.96.0.9"]),
        ['Invalid value: "None, 10.96.0.9": None must be the only value'],
    ),
    "two of one family": (
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8", "10.96.0.9"]),
        ['Invalid value: "10.96.0.8, 10.96.0.9": must have one address of each IP family'],
    ),
    "three": (
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8", "fd00::1", "10.96.0.9"]),
        ['Invalid value: "10.96.0.8, fd00::1, 10.96.0.9": must have at most two values'],
    ),
    "address of another family": (
        web(clusterIP="10.96.0.8", ipFamilies=["IPv6"]),
        ['Invalid value: "10.96.0.8": must be IPv6, as in spec.ipFamilies[0]'],
    ),
    "address of a family not served": (
        web(clusterIP="fd00::1"),
        ['Invalid value: "fd00::1": must be IPv4: this cluster has no IPv6'],
    ),
    "family": (web(ipFamilies=["x"]), ['Unsupported value: "x": supported values: "IPv4", "IPv6"']),
    "family twice": (
        web(ipFamilies=["IPv4", "IPv4"]),
        ['Duplicate value: "IPv4": each value may appear only once'],
    ),
    "family not served": (web(ipFamilies=["IPv6"]), ['Invalid value: "IPv6": this cluster has only IPv4']),
    "policy": (
        web(ipFamilyPolicy="x"),
        ['Unsupported value: "x": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"'],
    ),
    "policy not served": (
        web(ipFamilyPolicy="RequireDualStack"),
        ['Invalid value: "RequireDualStack": this cluster has only IPv4; use SingleStack or PreferDualStack'],
    ),
    "two families of one stack": (
        web(ipFamilies=["IPv4", "IPv6"]),
        ['Invalid value: "SingleStack": must be PreferDualStack or RequireDualStack with two ipFamilies'],
    ),
    "two addresses of one stack": (
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8", "fd00:10:96::1"], ipFamilies=["IPv4", "IPv6"]),
        [
            'Invalid value: "SingleStack": must be PreferDualStack or RequireDualStack with two clusterIPs',
            'Invalid value: "SingleStack": must be PreferDualStack or RequireDualStack with two ipFamilies',
        ],
    ),
}


@pytest.mark.parametrize(("spec", "messages"), ON_CREATE.values(), ids=ON_CREATE)
def test_on_create(spec, messages):
    _, causes = created(spec)
    assert [cause.message for cause in causes] == messages


ON_UPDATE = {
    "clusterIP": (
        PLAIN,
        web(clusterIP="10.96.0.8"),
        ['Invalid value: "10.96.0.8": field is immutable: may not change once set: it is 10.96.0.9'],
    ),
    "class": (
        BALANCED,
        {**BALANCED, "loadBalancerClass": "a/b"},
        [
            (
                'Invalid value: "a/b": field is immutable: may not change once set while the type is LoadBalancer: '
                "it is not set"
            )
        ],
    ),
    "no class": (
        {**BALANCED, "loadBalancerClass": "a/b"},
        BALANCED,
        ['Invalid value: "": field is immutable: may not change once set while the type is LoadBalancer: it is a/b'],
    ),
    "health check": (
        LOCAL,
        {**LOCAL, "healthCheckNodePort": 30101},
        ["Forbidden: field is immutable while the Service needs it: it is 30100"],
    ),
    "health check that is no port": (
        LOCAL,
        {**LOCAL, "healthCheckNodePort": 70000},
        [
            "Forbidden: field is immutable while the Service needs it: it is 30100",
            "Invalid value: 70000: must be from 1 to 65535",
        ],
    ),
    "node port twice": (
        NODE,
        web(type="NodePort", ports=[{**TWO[0], "nodePort": 30080}, {**TWO[1], "nodePort": 30080}]),
        ["Duplicate value: 30080: another TCP port of this Service has this nodePort"],
    ),
}


@pytest.mark.parametrize(("old", "sent", "messages"), ON_UPDATE.values(), ids=ON_UPDATE)
def test_on_update(old, sent, messages):
    _, causes = updated(sent, stored(old))
    assert [cause.message for cause in causes] == messages


DUAL_ON_UPDATE = {
    "fewer addresses": (
        {**TWOFOLD, "clusterIPs": ["10.96.0.9"]},
        ['Invalid value: "RequireDualStack": must be SingleStack to remove the second of clusterIPs'],
    ),
    "fewer families": (
        {**TWOFOLD, "ipFamilies": ["IPv4"]},
        ['Invalid value: "RequireDualStack": must be SingleStack to remove the second of ipFamilies'],
    ),
    "swapped": (
        {
            **TWOFOLD,
            "clusterIP": "fd00:10:96::9",
            "clusterIPs": ["fd00:10:96::9", "10.96.0.9"],
            "ipFamilies": ["IPv6", "IPv4"],
        },
        [
            'Invalid value: "fd00:10:96::9": field is immutable: may not change once set: it is 10.96.0.9',
            'Invalid value: "10.96.0.9": field is immutable: may not change once set: it is fd00:10:96::9',
            'Invalid value: "IPv6, IPv4": field is immutable: may not change once set: it is IPv4, IPv6',
        ],
    ),
    "the secondary alone": (
        web(clusterIP="fd00:10:96::9", clusterIPs=["fd00:10:96::9"], ipFamilyPolicy="SingleStack"),
        [
            'Invalid value: "fd00:10:96::9": field is immutable: may not change once set: it is 10.96.0.9',
            'Invalid value: "IPv6": field is immutable: may not change once set: it is IPv4, IPv6',
        ],
    ),
}


def test_all_addresses_asked_for_are_told():
    both = {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9", "fd01::9"], "ipFamilyPolicy": "RequireDualStack"}
    _, causes = created(web(**both), DUAL)
    assert [cause.message for cause in causes] == [
        (
            'Invalid value: "10.96.0.9, fd01::9": provided IP is not in the valid range: fd01::9 is no usable address '
            "of 10.96.0.0/16, fd00:10:96::/112; choose one, or leave it out"
        )
    ]
    _, causes = created(web(**both), DUAL, name="")
    assert [cause.message for cause in causes] == [
        'Invalid value: "10.96.0.9, fd01::9": only a named Service can have a ClusterIP: metadata.name is missing'
    ]


@pytest.mark.parametrize(("sent", "messages"), DUAL_ON_UPDATE.values(), ids=DUAL_ON_UPDATE)
def test_on_update_of_two_stacks(sent, messages):
    _, causes = updated(sent, stored(TWOFOLD, DUAL), DUAL)
    assert [cause.message for cause in causes] == messages


METADATA = {
    "name missing": (ALIAS, {"name": ""}, ["Required value: give a name, or generateName to have the server make one"]),
    "name": (ALIAS, {"name": "A"}, [f'Invalid value: "A": {NAME}']),
    "name missing, an address wanted": (
        web(clusterIP="10.96.0.9"),
        {"name": ""},
        ['Invalid value: "10.96.0.9": only a named Service can have a ClusterIP: metadata.name is missing'],
    ),
    "name of two dots": (
        web(),
        {"name": ".."},
        [
            (
                "Invalid value: \"\": only a named Service can have a ClusterIP: metadata.name must not be '..', "
                "which means something else in a path"
            )
        ],
    ),
    "generateName": (ALIAS, {"generateName": "A"}, [f'Invalid value: "A": {NAME}']),
    "namespace missing": (ALIAS, {"namespace": ""}, ["Required value: a Service needs a namespace"]),
    "namespace": (ALIAS, {"namespace": "A"}, [f'Invalid value: "A": {NAME}']),
    "label": (
        ALIAS,
        {"labels": {"a b": "c d"}},
        [f'Invalid value: "a b": {KEY}', f'Invalid value: "c d": {VALUE}'],
    ),
    "annotation": (ALIAS, {"annotations": {"a b": ""}}, [f'Invalid value: "a b": {KEY}']),
    "annotations": (
        ALIAS,
        {"annotations": {"a": "x" * 262144}},
        ["Too long: may not be more than 262144 bytes"],
    ),
    "finalizer": (
        ALIAS,
        {"finalizers": ["hold"]},
        [
            (
                'Invalid value: "hold": must begin with a domain, such as example.com/hold, or be one of kubernetes, '
                "orphan, foregroundDeletion"
            )
        ],
    ),
    "finalizer misspelt": (ALIAS, {"finalizers": ["a/b c"]}, [f'Invalid value: "a/b c": {KEY}']),
    "finalizers": (
        ALIAS,
        {"finalizers": ["orphan", "foregroundDeletion"]},
        ['Invalid value: "orphan, foregroundDeletion": must not have both orphan and foregroundDeletion'],
    ),
    "owner": (
        ALIAS,
        {"ownerReferences": [{"apiVersion": "apps/"}]},
        [
            'Invalid value: "": must be the kind of the owner',
            'Invalid value: "": must be the name of the owner',
            'Invalid value: "": must be the uid of the owner',
            'Invalid value: "apps/": must be the <group>/<version> of the owner, or v1',
        ],
    ),
    "owner an Event": (
        ALIAS,
        {"ownerReferences": [{"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "1"}]},
        ['Invalid value: "e": an Event cannot own anything'],
    ),
    "topology": (
        ALIAS,
        {"annotations": {MODE: "a", HINTS: "b"}},
        [f"Invalid value: \"a\": must be 'b', like the annotation {HINTS}"],
    ),
}


@pytest.mark.parametrize(("spec", "metadata", "messages"), METADATA.values(), ids=METADATA)
def test_metadata(spec, metadata, messages):
    _, causes = created(spec, **metadata)
    assert [cause.message for cause in causes] == messages


@pytest.mark.parametrize(
    ("at", "spec", "message"),
    [
        (DUAL, web(ipFamilies=["IPv4"], clusterIP="10.97.0.1"), "10.96.0.0/16, fd00:10:96::/112"),
        (SINGLE, web(clusterIP="10.97.0.1"), "10.96.0.0/16"),
        (cluster(V6), web(ipFamilies=["IPv4"]), "this cluster has only IPv6"),
    ],
)
def test_what_the_cluster_has_is_said(at, spec, message):
    _, causes = created(spec, at)
    assert message in causes[0].message


def test_what_was_is_said():
    old = stored(PLAIN, finalizers=["a/b"])
    old.metadata.deletion_timestamp = "2026-01-02T03:04:05Z"
    _, causes = updated(web(), old, finalizers=["a/b", "c/e", "c/d"], name="x")
    assert [cause.message for cause in causes] == [
        "Forbidden: no new finalizers can be added if the object is being deleted: leave out c/d, c/e",
        'Invalid value: "x": field is immutable: it is web',
        "Invalid value: null: field is immutable: it is 2026-01-02T03:04:05Z",
    ]
