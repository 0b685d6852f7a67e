"""Creating a Service: every field that is refused, and what comes out of one that is accepted."""

import pytest

from tests.unit.rules.builders import ALIAS, DNS, DUAL, DUAL_V6, SINGLE, TWO, created, faults, spec_of, wanted, web

LONG = "x" * 64


def port(**fields):
    return [{"port": 80, **fields}]


REFUSED = {
    # ports
    "no ports": (web(ports=None), ["spec.ports required"]),
    "empty ports": (web(ports=[]), ["spec.ports required"]),
    "no ports of a NodePort": (web(type="NodePort", ports=None), ["spec.ports required"]),
    "no ports of a LoadBalancer": (web(type="LoadBalancer", ports=None), ["spec.ports required"]),
    "port left out": (web(ports=[{}]), ["spec.ports[0].port invalid", "spec.ports[0].targetPort invalid"]),
    "port zero": (web(ports=port(port=0)), ["spec.ports[0].port invalid", "spec.ports[0].targetPort invalid"]),
    "port zero, target given": (web(ports=port(port=0, targetPort=1)), ["spec.ports[0].port invalid"]),
    "port negative": (web(ports=port(port=-1, targetPort=1)), ["spec.ports[0].port invalid"]),
    "port too large": (web(ports=port(port=65536, targetPort=1)), ["spec.ports[0].port invalid"]),
    "target negative": (web(ports=port(targetPort=-1)), ["spec.ports[0].targetPort invalid"]),
    "target too large": (web(ports=port(targetPort=65536)), ["spec.ports[0].targetPort invalid"]),
    "target in capitals": (web(ports=port(targetPort="HTTP")), ["spec.ports[0].targetPort invalid"]),
    "target of digits": (web(ports=port(targetPort="80")), ["spec.ports[0].targetPort invalid"]),
    "target too long": (web(ports=port(targetPort="x" * 16)), ["spec.ports[0].targetPort invalid"]),
    "target with dot": (web(ports=port(targetPort="a.b")), ["spec.ports[0].targetPort invalid"]),
    "target with two dashes": (web(ports=port(targetPort="a--b")), ["spec.ports[0].targetPort invalid"]),
    "target begins with dash": (web(ports=port(targetPort="-a")), ["spec.ports[0].targetPort invalid"]),
    "target ends with dash": (web(ports=port(targetPort="a-")), ["spec.ports[0].targetPort invalid"]),
    "protocol unknown": (web(ports=port(protocol="ICMP")), ["spec.ports[0].protocol unsupported"]),
    "protocol in lower case": (web(ports=port(protocol="tcp")), ["spec.ports[0].protocol unsupported"]),
    "port name in capitals": (web(ports=port(name="HTTP")), ["spec.ports[0].name invalid"]),
    "port name with dot": (web(ports=port(name="a.b")), ["spec.ports[0].name invalid"]),
    "port name too long": (web(ports=port(name=LONG)), ["spec.ports[0].name invalid"]),
    "port name ends with dash": (web(ports=port(name="a-")), ["spec.ports[0].name invalid"]),
    "two ports, no names": (
        web(ports=[{"port": 80}, {"port": 81}]),
        ["spec.ports[0].name required", "spec.ports[1].name required"],
    ),
    "two ports, first without name": (
        web(ports=[{"port": 80}, {"name": "b", "port": 81}]),
        ["spec.ports[0].name required"],
    ),
    "two ports, second without name": (
        web(ports=[{"name": "a", "port": 80}, {"port": 81}]),
        ["spec.ports[1].name required"],
    ),
    "two ports of one name": (
        web(ports=[{"name": "a", "port": 80}, {"name": "a", "port": 81}]),
        ["spec.ports[1].name duplicate"],
    ),
    "three ports, last repeats a bad name": (
        web(ports=[{"name": "A", "port": 1}, {"name": "b", "port": 2}, {"name": "A", "port": 3}]),
        ["spec.ports[0].name invalid", "spec.ports[2].name invalid", "spec.ports[2].name duplicate"],
    ),
    "one port twice": (
        web(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}]),
        ["spec.ports[1] duplicate"],
    ),
    "one port three times": (
        web(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}, {"name": "c", "port": 80}]),
        ["spec.ports[1] duplicate", "spec.ports[2] duplicate"],
    ),
    "one UDP port twice": (
        web(ports=[{"name": "a", "port": 53, "protocol": "UDP"}, {"name": "b", "port": 53, "protocol": "UDP"}]),
        ["spec.ports[1] duplicate"],
    ),
    "appProtocol with blank": (web(ports=port(appProtocol="bad proto")), ["spec.ports[0].appProtocol invalid"]),
    "appProtocol empty": (web(ports=port(appProtocol="")), ["spec.ports[0].appProtocol invalid"]),
    "appProtocol with two slashes": (web(ports=port(appProtocol="a/b/c")), ["spec.ports[0].appProtocol invalid"]),
    "appProtocol without name": (web(ports=port(appProtocol="example.com/")), ["spec.ports[0].appProtocol invalid"]),
    "appProtocol without prefix": (web(ports=port(appProtocol="/http")), ["spec.ports[0].appProtocol invalid"]),
    "faults of two ports": (
        web(ports=[{"name": "a", "port": 0, "targetPort": 1}, {"name": "b", "port": 1, "protocol": "x"}]),
        ["spec.ports[0].port invalid", "spec.ports[1].protocol unsupported"],
    ),
    # type, affinity, selector
    "type unknown": (web(type="Bogus"), ["spec.type unsupported"]),
    "type in lower case": (web(type="clusterip"), ["spec.type unsupported"]),
    "selector key with blank": (web(selector={"bad key": "x"}), ["spec.selector invalid"]),
    "selector key too long": (web(selector={LONG: "x"}), ["spec.selector invalid"]),
    "selector value with blank": (web(selector={"app": "bad value"}), ["spec.selector invalid"]),
    "selector value too long": (web(selector={"app": LONG}), ["spec.selector invalid"]),
    "affinity unknown": (web(sessionAffinity="Cookie"), ["spec.sessionAffinity unsupported"]),
    "affinity of no seconds": (
        web(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}}),
        ["spec.sessionAffinityConfig.clientIP.timeoutSeconds invalid"],
    ),
    "affinity of negative seconds": (
        web(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": -1}}),
        ["spec.sessionAffinityConfig.clientIP.timeoutSeconds invalid"],
    ),
    "affinity of more than a day": (
        web(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 86401}}),
        ["spec.sessionAffinityConfig.clientIP.timeoutSeconds invalid"],
    ),
    # ExternalName
    "alias of nothing": ({"type": "ExternalName"}, ["spec.externalName required"]),
    "alias of a dot": ({**ALIAS, "externalName": "."}, ["spec.externalName required"]),
    "alias of two dots": ({**ALIAS, "externalName": ".."}, ["spec.externalName invalid"]),
    "alias in capitals": ({**ALIAS, "externalName": "Example.com"}, ["spec.externalName invalid"]),
    "alias too long": ({**ALIAS, "externalName": "x" * 254}, ["spec.externalName invalid"]),
    "alias with underscore": ({**ALIAS, "externalName": "a_b.com"}, ["spec.externalName invalid"]),
    "alias with clusterIP": ({**ALIAS, "clusterIP": "10.96.0.9"}, ["spec.clusterIPs forbidden"]),
    "alias with clusterIP None": ({**ALIAS, "clusterIP": "None"}, ["spec.clusterIPs forbidden"]),
    "alias with clusterIPs": ({**ALIAS, "clusterIPs": ["10.96.0.9"]}, ["spec.clusterIPs forbidden"]),
    "alias with nonsense as clusterIP": ({**ALIAS, "clusterIP": "x"}, ["spec.clusterIPs forbidden"]),
    "alias with families": ({**ALIAS, "ipFamilies": ["IPv4"]}, ["spec.ipFamilies forbidden"]),
    "alias with policy": ({**ALIAS, "ipFamilyPolicy": "SingleStack"}, ["spec.ipFamilyPolicy forbidden"]),
    "alias with empty policy": ({**ALIAS, "ipFamilyPolicy": ""}, ["spec.ipFamilyPolicy forbidden"]),
    "alias with everything": (
        {**ALIAS, "clusterIP": "10.96.0.9", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"},
        ["spec.clusterIPs forbidden", "spec.ipFamilies forbidden", "spec.ipFamilyPolicy forbidden"],
    ),
    "alias with bad port": ({**ALIAS, "ports": port(protocol="x")}, ["spec.ports[0].protocol unsupported"]),
    "alias with traffic policy": (
        {**ALIAS, "externalTrafficPolicy": "Cluster"},
        ["spec.externalTrafficPolicy invalid"],
    ),
    "alias with bad internal policy": (
        {**ALIAS, "internalTrafficPolicy": "x"},
        ["spec.internalTrafficPolicy unsupported"],
    ),
    # ClusterIPs
    "clusterIP no address": (web(clusterIP="1.2.3"), ["spec.clusterIPs[0] invalid"]),
    "clusterIP with leading zeros": (web(clusterIP="10.096.0.9"), ["spec.clusterIPs[0] invalid"]),
    "clusterIP mapped": (web(clusterIP="::ffff:10.96.0.9"), ["spec.clusterIPs[0] invalid"]),
    "clusterIP with scope": (web(clusterIP="fe80::1%eth0"), ["spec.clusterIPs[0] invalid"]),
    "clusterIP none in lower case": (web(clusterIP="none"), ["spec.clusterIPs[0] invalid"]),
    "clusterIP outside": (web(clusterIP="10.97.0.1"), ["spec.clusterIPs invalid"]),
    "clusterIP base": (web(clusterIP="10.96.0.0"), ["spec.clusterIPs invalid"]),
    "clusterIP broadcast": (web(clusterIP="10.96.255.255"), ["spec.clusterIPs invalid"]),
    "clusterIP of a family that is not served": (web(clusterIP="fd00::1"), ["spec.clusterIPs[0] invalid"]),
    "clusterIPs alone": (web(clusterIPs=["10.96.0.9"]), ["spec.clusterIPs invalid"]),
    "clusterIPs alone, headless": (web(clusterIPs=["None"]), ["spec.clusterIPs invalid"]),
    "clusterIPs begin otherwise": (
        web(clusterIP="10.96.0.9", clusterIPs=["10.96.0.8"]),
        ["spec.clusterIPs invalid"],
    ),
    "None and an address": (web(clusterIP="None", clusterIPs=["None", "10.96.0.8"]), ["spec.clusterIPs invalid"]),
    "an address and None": (
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8", "None"]),
        ["spec.clusterIPs[1] invalid"],
    ),
    "an empty second address": (
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8", ""]),
        ["spec.clusterIPs[1] invalid"],
    ),
    "two of one family": (
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8", "10.96.0.9"], ipFamilyPolicy="PreferDualStack"),
        ["spec.clusterIPs invalid"],
    ),
    "three addresses": (
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8", "fd00:10:96::8", "10.96.0.9"]),
        ["spec.clusterIPs invalid"],
    ),
    "three addresses, one misspelt": (
        web(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8", "x", "10.96.0.9"]),
        ["spec.clusterIPs invalid", "spec.clusterIPs[1] invalid"],
    ),
    "address and family differ": (web(clusterIP="10.96.0.8", ipFamilies=["IPv6"]), ["spec.clusterIPs[0] invalid"]),
    "headless NodePort": (web(type="NodePort", clusterIP="None"), ["spec.clusterIPs[0] invalid"]),
    "headless LoadBalancer": (web(type="LoadBalancer", clusterIP="None"), ["spec.clusterIPs[0] invalid"]),
    "one mistake of an address hides the others": (web(clusterIP="x", ports=None), ["spec.clusterIPs[0] invalid"]),
    # families
    "family unknown": (web(ipFamilies=["IPv5"]), ["spec.ipFamilies[0] unsupported"]),
    "family in lower case": (web(ipFamilies=["ipv4"]), ["spec.ipFamilies[0] unsupported"]),
    "family twice": (web(ipFamilies=["IPv4", "IPv4"]), ["spec.ipFamilies[1] duplicate"]),
    "three families": (
        web(ipFamilies=["IPv4", "IPv6", "IPv4"], ipFamilyPolicy="PreferDualStack"),
        ["spec.ipFamilies[2] duplicate"],
    ),
    "policy unknown": (web(ipFamilyPolicy="Both"), ["spec.ipFamilyPolicy unsupported"]),
    "policy empty": (web(ipFamilyPolicy=""), ["spec.ipFamilyPolicy unsupported"]),
    "two families without policy": (web(ipFamilies=["IPv4", "IPv6"]), ["spec.ipFamilyPolicy invalid"]),
    "two families, SingleStack": (
        web(ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="SingleStack"),
        ["spec.ipFamilyPolicy invalid"],
    ),
    "RequireDualStack on one stack": (web(ipFamilyPolicy="RequireDualStack"), ["spec.ipFamilyPolicy invalid"]),
    "the other family on one stack": (web(ipFamilies=["IPv6"]), ["spec.ipFamilies[0] invalid"]),
    "PreferDualStack of both on one stack": (
        web(ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="PreferDualStack"),
        ["spec.ipFamilies[1] invalid"],
    ),
    "RequireDualStack of both on one stack": (
        web(ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="RequireDualStack"),
        ["spec.ipFamilyPolicy invalid", "spec.ipFamilies[1] invalid"],
    ),
    # node ports
    "nodePort of a ClusterIP Service": (web(ports=port(nodePort=30100)), ["spec.ports[0].nodePort forbidden"]),
    "nodePort too low": (web(type="NodePort", ports=port(nodePort=29999)), ["spec.ports[0].nodePort invalid"]),
    "nodePort too high": (web(type="NodePort", ports=port(nodePort=32768)), ["spec.ports[0].nodePort invalid"]),
    "nodePort negative": (web(type="NodePort", ports=port(nodePort=-1)), ["spec.ports[0].nodePort invalid"]),
    "nodePort for two port numbers": (
        web(type="NodePort", ports=[{**TWO[0], "nodePort": 30100}, {**TWO[1], "nodePort": 30100}]),
        ["spec.ports[1].nodePort invalid"],
    ),
    "nodePort for two port numbers of two protocols": (
        web(
            type="NodePort",
            ports=[{**TWO[0], "nodePort": 30100}, {**TWO[1], "protocol": "UDP", "nodePort": 30100}],
        ),
        ["spec.ports[1].nodePort invalid"],
    ),
    "nodePort taken over from a neighbour that has another": (
        web(
            type="NodePort",
            ports=[
                {"name": "a", "port": 80, "nodePort": 30100},
                {"name": "b", "port": 80, "protocol": "UDP", "nodePort": 30101},
                {"name": "c", "port": 80, "protocol": "SCTP", "nodePort": 30101},
            ],
        ),
        ["spec.ports[2].nodePort invalid"],
    ),
    "the first nodePort out of range is the answer": (
        web(type="NodePort", ports=[{**TWO[0], "nodePort": 1}, {**TWO[1], "nodePort": 2, "protocol": "x"}]),
        ["spec.ports[0].nodePort invalid"],
    ),
    "one NodePort port twice": (
        web(type="NodePort", ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}]),
        ["spec.ports[1] duplicate", "spec.ports[1].nodePort duplicate"],
    ),
    "one NodePort port twice, asked for": (
        web(type="NodePort", ports=[{"name": "a", "port": 80, "nodePort": 30100}, {"name": "b", "port": 80}]),
        ["spec.ports[1] duplicate", "spec.ports[1].nodePort duplicate"],
    ),
    "one LoadBalancer port twice": (
        web(type="LoadBalancer", ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}]),
        ["spec.ports[1] duplicate", "spec.ports[1].nodePort duplicate"],
    ),
    "one LoadBalancer port twice, no node ports": (
        web(
            type="LoadBalancer",
            allocateLoadBalancerNodePorts=False,
            ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}],
        ),
        ["spec.ports[1] duplicate"],
    ),
    # external addresses and load balancers
    "externalIP no address": (web(externalIPs=["bad"]), ["spec.externalIPs[0] invalid"]),
    "externalIP empty": (web(externalIPs=[""]), ["spec.externalIPs[0] invalid"]),
    "externalIP with leading zeros": (web(externalIPs=["1.2.3.04"]), ["spec.externalIPs[0] invalid"]),
    "externalIP mapped": (web(externalIPs=["::ffff:1.2.3.4"]), ["spec.externalIPs[0] invalid"]),
    "externalIP loopback": (web(externalIPs=["127.0.0.1"]), ["spec.externalIPs[0] invalid"]),
    "externalIP loopback of IPv6": (web(externalIPs=["::1"]), ["spec.externalIPs[0] invalid"]),
    "externalIP unspecified": (web(externalIPs=["0.0.0.0"]), ["spec.externalIPs[0] invalid"]),  # noqa: S104 - refused
    "externalIP unspecified of IPv6": (web(externalIPs=["::"]), ["spec.externalIPs[0] invalid"]),
    "externalIP link-local": (web(externalIPs=["169.254.1.1"]), ["spec.externalIPs[0] invalid"]),
    "externalIP link-local of IPv6": (web(externalIPs=["fe80::1"]), ["spec.externalIPs[0] invalid"]),
    "externalIP link-local multicast": (web(externalIPs=["224.0.0.1"]), ["spec.externalIPs[0] invalid"]),
    "externalIP link-local multicast of IPv6": (web(externalIPs=["ff12::1"]), ["spec.externalIPs[0] invalid"]),
    "second externalIP bad": (web(externalIPs=["1.2.3.4", "bad"]), ["spec.externalIPs[1] invalid"]),
    "source ranges of a ClusterIP Service": (
        web(loadBalancerSourceRanges=["10.0.0.0/8"]),
        ["spec.LoadBalancerSourceRanges forbidden"],
    ),
    "source range no CIDR": (
        web(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/33"]),
        ["spec.LoadBalancerSourceRanges[0] invalid"],
    ),
    "source range without prefix": (
        web(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0"]),
        ["spec.LoadBalancerSourceRanges[0] invalid"],
    ),
    "source range with host bits": (
        web(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.1/8"]),
        ["spec.LoadBalancerSourceRanges[0] invalid"],
    ),
    "source range with leading zeros": (
        web(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/08"]),
        ["spec.LoadBalancerSourceRanges[0] invalid"],
    ),
    "source range with netmask": (
        web(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/255.0.0.0"]),
        ["spec.LoadBalancerSourceRanges[0] invalid"],
    ),
    "second source range bad, and not allowed": (
        web(loadBalancerSourceRanges=["10.0.0.0/8", "x"]),
        ["spec.LoadBalancerSourceRanges forbidden", "spec.LoadBalancerSourceRanges[1] invalid"],
    ),
    "allocate flag true of a ClusterIP Service": (
        web(allocateLoadBalancerNodePorts=True),
        ["spec.allocateLoadBalancerNodePorts forbidden"],
    ),
    "allocate flag false of a NodePort Service": (
        web(type="NodePort", allocateLoadBalancerNodePorts=False),
        ["spec.allocateLoadBalancerNodePorts forbidden"],
    ),
    "class of a ClusterIP Service": (web(loadBalancerClass="example.com/lb"), ["spec.loadBalancerClass forbidden"]),
    "class of an alias": ({**ALIAS, "loadBalancerClass": "example.com/lb"}, ["spec.loadBalancerClass forbidden"]),
    "class with blank": (web(type="LoadBalancer", loadBalancerClass="bad class"), ["spec.loadBalancerClass invalid"]),
    "class empty": (web(type="LoadBalancer", loadBalancerClass=""), ["spec.loadBalancerClass invalid"]),
    # traffic
    "external policy of a ClusterIP Service": (
        web(externalTrafficPolicy="Local"),
        ["spec.externalTrafficPolicy invalid"],
    ),
    "external policy unknown": (
        web(type="NodePort", externalTrafficPolicy="Nearby"),
        ["spec.externalTrafficPolicy unsupported"],
    ),
    "external policy unknown, not allowed either": (
        web(externalTrafficPolicy="Nearby"),
        ["spec.externalTrafficPolicy invalid"],
    ),
    "internal policy unknown": (web(internalTrafficPolicy="Nearby"), ["spec.internalTrafficPolicy unsupported"]),
    "internal policy empty": (web(internalTrafficPolicy=""), ["spec.internalTrafficPolicy unsupported"]),
    "distribution unknown": (web(trafficDistribution="PreferFar"), ["spec.trafficDistribution unsupported"]),
    "distribution empty": (web(trafficDistribution=""), ["spec.trafficDistribution unsupported"]),
    "health check of a ClusterIP Service": (web(healthCheckNodePort=30100), ["spec.healthCheckNodePort invalid"]),
    "health check with policy Cluster": (
        web(type="LoadBalancer", healthCheckNodePort=30100),
        ["spec.healthCheckNodePort invalid"],
    ),
    "health check of a NodePort Service": (
        web(type="NodePort", externalTrafficPolicy="Local", healthCheckNodePort=30100),
        ["spec.healthCheckNodePort invalid"],
    ),
    "health check out of range": (
        web(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=80),
        ["spec.healthCheckNodePort invalid"],
    ),
    "health check negative": (
        web(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=-1),
        ["spec.healthCheckNodePort invalid"],
    ),
    "health check on a port's nodePort": (
        web(
            type="LoadBalancer",
            externalTrafficPolicy="Local",
            healthCheckNodePort=30100,
            ports=port(nodePort=30100),
        ),
        ["spec.healthCheckNodePort invalid"],
    ),
    # several at once
    "faults of many fields": (
        web(type="Bogus", sessionAffinity="x", ports=[], trafficDistribution="x"),
        [
            "spec.type unsupported",
            "spec.sessionAffinity unsupported",
            "spec.ports required",
            "spec.trafficDistribution unsupported",
        ],
    ),
}


@pytest.mark.parametrize(("spec", "lines"), REFUSED.values(), ids=REFUSED)
def test_is_refused(spec, lines):
    _, causes = created(spec)
    assert faults(causes) == wanted(*lines)


METADATA_REFUSED = {
    "name missing": ({**ALIAS}, {"name": ""}, ["metadata.name required"]),
    "name missing, an address wanted": (web(), {"name": ""}, ["spec.clusterIPs invalid"]),
    "name missing, headless": (web(clusterIP="None"), {"name": ""}, ["metadata.name required"]),
    "name with slash, an address wanted": (web(), {"name": "a/b"}, ["spec.clusterIPs invalid"]),
    "name of two dots, an address wanted": (web(), {"name": ".."}, ["spec.clusterIPs invalid"]),
    "name with slash": ({**ALIAS}, {"name": "a/b"}, ["metadata.name invalid"]),
    "name in capitals": (web(), {"name": "Web"}, ["metadata.name invalid"]),
    "name with dot": (web(), {"name": "a.b"}, ["metadata.name invalid"]),
    "name with underscore": (web(), {"name": "a_b"}, ["metadata.name invalid"]),
    "name begins with dash": (web(), {"name": "-a"}, ["metadata.name invalid"]),
    "name ends with dash": (web(), {"name": "a-"}, ["metadata.name invalid"]),
    "name too long": (web(), {"name": LONG}, ["metadata.name invalid"]),
    "generateName bad": (web(), {"generateName": "A_"}, ["metadata.generateName invalid"]),
    "generateName too long": (web(), {"generateName": LONG}, ["metadata.generateName invalid"]),
    "generateName only a dash": (web(), {"generateName": "-"}, ["metadata.generateName invalid"]),
    "namespace missing": (web(), {"namespace": ""}, ["metadata.namespace required"]),
    "namespace bad": (web(), {"namespace": "a_b"}, ["metadata.namespace invalid"]),
    "label key bad": (web(), {"labels": {"bad key": "x"}}, ["metadata.labels invalid"]),
    "label key prefix bad": (web(), {"labels": {"A_/x": "x"}}, ["metadata.labels invalid"]),
    "label value bad": (web(), {"labels": {"app": "bad value"}}, ["metadata.labels invalid"]),
    "label value too long": (web(), {"labels": {"app": LONG}}, ["metadata.labels invalid"]),
    "annotation key bad": (web(), {"annotations": {"bad key": "x"}}, ["metadata.annotations invalid"]),
    "annotations too large": (web(), {"annotations": {"a": "x" * (256 * 1024)}}, ["metadata.annotations long"]),
    "finalizer bad": (
        web(),
        {"finalizers": ["bad finalizer"]},
        ["metadata.finalizers invalid", "metadata.finalizers[0] invalid"],
    ),
    "finalizer without domain": (web(), {"finalizers": ["hold"]}, ["metadata.finalizers[0] invalid"]),
    "second finalizer without domain": (
        web(),
        {"finalizers": ["example.com/hold", "hold"]},
        ["metadata.finalizers[1] invalid"],
    ),
    "orphan and foregroundDeletion": (
        web(),
        {"finalizers": ["orphan", "foregroundDeletion"]},
        ["metadata.finalizers invalid"],
    ),
    "owner without anything": (
        web(),
        {"ownerReferences": [{}]},
        [
            "metadata.ownerReferences.apiVersion invalid",
            "metadata.ownerReferences.kind invalid",
            "metadata.ownerReferences.name invalid",
            "metadata.ownerReferences.uid invalid",
        ],
    ),
    "topology annotations differ": (
        web(),
        {
            "annotations": {
                "service.kubernetes.io/topology-mode": "Auto",
                "service.kubernetes.io/topology-aware-hints": "Disabled",
            }
        },
        ["metadata.annotations[service.kubernetes.io/topology-mode] invalid"],
    ),
    "source range annotation of a ClusterIP Service": (
        web(),
        {"annotations": {"service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8"}},
        ["metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges] forbidden"],
    ),
    "empty source range annotation of a ClusterIP Service": (
        web(),
        {"annotations": {"service.beta.kubernetes.io/load-balancer-source-ranges": ""}},
        ["metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges] forbidden"],
    ),
    "source range annotation bad": (
        web(type="LoadBalancer"),
        {"annotations": {"service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8, x"}},
        ["metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges] invalid"],
    ),
    "metadata and spec": (
        web(ports=None),
        {"name": "a_b", "labels": {"bad key": "x"}},
        ["metadata.name invalid", "metadata.labels invalid", "spec.ports required"],
    ),
    "what cannot be had is the whole answer": (
        web(type="NodePort", ports=port(nodePort=80)),
        {"name": "a_b"},
        ["spec.ports[0].nodePort invalid"],
    ),
}


@pytest.mark.parametrize(("spec", "metadata", "lines"), METADATA_REFUSED.values(), ids=METADATA_REFUSED)
def test_metadata_is_refused(spec, metadata, lines):
    _, causes = created(spec, **metadata)
    assert faults(causes) == wanted(*lines)


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


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "1st"},
        {"name": "x" * 63},
        {"generateName": "web-"},
        {"generateName": "x" * 63},
        {"labels": {"example.com/app": "", "a.b/c_d": "x.y-Z"}},
        {"annotations": {"Example.com/Any-Case": "any\nvalue", "k": "x" * (256 * 1024 - 33)}},
        {"finalizers": ["kubernetes", "orphan", "example.com/hold"]},
        {"finalizers": ["foregroundDeletion"]},
        {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "D", "name": "d", "uid": "1", "controller": True}]},
        {
            "annotations": {
                "service.kubernetes.io/topology-mode": "A",
                "service.kubernetes.io/topology-aware-hints": "A",
            }
        },
    ],
)
def test_metadata_is_accepted(metadata):
    _, causes = created(web(), **metadata)
    assert faults(causes) == set()


@pytest.mark.parametrize("ranges", ["", "  ", "10.0.0.0/8", " 10.0.0.0/8 , 192.168.0.0/16 "])
def test_source_ranges_by_annotation(ranges):
    _, causes = created(
        web(type="LoadBalancer"), annotations={"service.beta.kubernetes.io/load-balancer-source-ranges": ranges}
    )
    assert faults(causes) == set()


def test_the_field_beats_the_annotation_for_source_ranges():
    _, causes = created(
        web(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"]),
        annotations={"service.beta.kubernetes.io/load-balancer-source-ranges": "nonsense"},
    )
    assert faults(causes) == set()


def test_status_is_dropped():
    new, causes = created(web(type="LoadBalancer"), status={"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}})
    assert causes == []
    assert new.status.load_balancer.ingress is None
    assert {item.type for item in new.status.conditions or []} == {"Allocated", "Resolvable"}
