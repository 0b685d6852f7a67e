"""Creating a Service: every field of its spec that is refused."""

import pytest

from tests.unit.rules.builders import ALIAS, TWO, created, faults, wanted, web

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
    "LoadBalancer on the kubelet's port": (
        web(type="LoadBalancer", ports=[{"name": "a", "port": 80}, {"name": "b", "port": 10250}]),
        ["spec.ports[1] invalid"],
    ),
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
    "a bad nodePort behind a port without": (
        web(type="NodePort", ports=[TWO[0], {**TWO[1], "nodePort": 80}]),
        ["spec.ports[1].nodePort invalid"],
    ),
    "one nodePort twice behind a port without": (
        web(
            type="LoadBalancer",
            allocateLoadBalancerNodePorts=False,
            ports=[TWO[0], *({"name": name, "port": 81, "nodePort": 30100} for name in "ab")],
        ),
        ["spec.ports[2] duplicate", "spec.ports[2].nodePort duplicate"],
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
