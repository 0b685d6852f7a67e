"""Specs of Services as clients send them: mostly sensible, often half right, sometimes nonsense."""

from typing import Any

from hypothesis import strategies as st

PREFIX = "service.beta.kubernetes.io/"
TEXT = st.text(max_size=12)
NUMBER = st.one_of(st.sampled_from([0, 1, 53, 80, 443, 30000, 30001, 32767]), st.integers(-(2**31), 2**31 - 1))
NODE_PORT = st.one_of(st.just(0), st.integers(30000, 30008), NUMBER)
ADDRESS = st.one_of(
    st.sampled_from(
        ["10.96.0.5", "10.96.0.6", "10.97.0.1", "fd00:10:96::5", "FD00:10:96::6", "None", "", "10.96.0.05", "20.0.0.5"]
    ),
    TEXT,
)
CIDR = st.one_of(st.sampled_from(["10.0.0.0/8", " 10.0.0.0/8", "10.0.0.1/8", "fd00::/8", "10.0.0.0/08"]), TEXT)
FAMILY = st.sampled_from(["IPv4", "IPv6", "IPv5", ""])
TYPE = st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "", "Bogus"])
VALUES = st.one_of(
    st.sampled_from(["true", "false", "True", "5", "60", "10.240.0.5", "20.0.0.5", "tcp", "/", "front"]), TEXT
)
KEYS = st.one_of(
    st.sampled_from(
        [
            PREFIX + "azure-load-balancer-internal",
            PREFIX + "azure-load-balancer-internal-subnet",
            PREFIX + "azure-load-balancer-ipv4",
            PREFIX + "azure-load-balancer-ipv6",
            PREFIX + "azure-pip-name",
            PREFIX + "azure-load-balancer-health-probe-interval",
            PREFIX + "azure-load-balancer-health-probe-num-of-probe",
            PREFIX + "port_80_health-probe_interval",
            PREFIX + "port_80_no_lb_rule",
            PREFIX + "azure-additional-public-ips",
            PREFIX + "azure-load-balancer-enable-high-availability-ports",
            PREFIX + "azure-allowed-service-tags",
            PREFIX + "load-balancer-source-ranges",
            "service.kubernetes.io/topology-mode",
            "service.kubernetes.io/topology-aware-hints",
        ]
    ),
    TEXT,
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


def object_of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


PORTS = st.lists(
    object_of(
        name=st.sampled_from(["", "a", "b", "c", "A"]),
        protocol=st.sampled_from(["", "TCP", "UDP", "SCTP", "ICMP"]),
        appProtocol=maybe(st.sampled_from(["", "http", "a/b/c"])),
        port=NUMBER,
        targetPort=st.one_of(NUMBER, st.sampled_from(["", "http", "80"]), TEXT),
        nodePort=NODE_PORT,
    ),
    max_size=4,
)

SPECS = object_of(
    ports=maybe(PORTS),
    selector=maybe(st.dictionaries(TEXT, TEXT, max_size=2)),
    clusterIP=ADDRESS,
    clusterIPs=maybe(st.lists(ADDRESS, max_size=3)),
    type=TYPE,
    externalIPs=maybe(st.lists(ADDRESS, max_size=2)),
    sessionAffinity=st.sampled_from(["", "None", "ClientIP", "x"]),
    loadBalancerIP=ADDRESS,
    loadBalancerSourceRanges=maybe(st.lists(CIDR, max_size=2)),
    externalName=st.one_of(st.sampled_from(["", ".", "db.example.com", "a.b."]), TEXT),
    externalTrafficPolicy=st.sampled_from(["", "Cluster", "Local", "x"]),
    healthCheckNodePort=NODE_PORT,
    publishNotReadyAddresses=st.booleans(),
    sessionAffinityConfig=maybe(object_of(clientIP=maybe(object_of(timeoutSeconds=maybe(NUMBER))))),
    ipFamilies=maybe(st.lists(FAMILY, max_size=3)),
    ipFamilyPolicy=maybe(st.sampled_from(["", "SingleStack", "PreferDualStack", "RequireDualStack", "x"])),
    allocateLoadBalancerNodePorts=maybe(st.booleans()),
    loadBalancerClass=maybe(st.sampled_from(["", "a/b", "a b"])),
    internalTrafficPolicy=maybe(st.sampled_from(["", "Cluster", "Local", "x"])),
    trafficDistribution=maybe(st.sampled_from(["", "PreferClose", "PreferSameNode", "x"])),
)
"""Anything."""

_GOOD_PORTS = st.lists(
    st.fixed_dictionaries(
        {"port": st.sampled_from([80, 443, 53])},
        optional={
            "protocol": st.sampled_from(["TCP", "UDP"]),
            "nodePort": st.one_of(st.just(0), st.integers(30000, 30012)),
        },
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda port: (port["port"], port.get("protocol", "TCP")),
).map(lambda ports: [{**port, "name": "abc"[index]} for index, port in enumerate(ports)])

GOOD_SPECS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
        "ports": _GOOD_PORTS,
        "externalName": st.just("db.example.com"),
    },
    optional={
        "clusterIP": st.sampled_from(["None", "10.96.0.5", "10.96.0.6", "fd00:10:96::5"]),
        "selector": st.just({"app": "x"}),
        "ipFamilyPolicy": st.sampled_from(["SingleStack", "PreferDualStack", "RequireDualStack"]),
        "ipFamilies": st.sampled_from([["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"]]),
        "externalTrafficPolicy": st.sampled_from(["Cluster", "Local"]),
        "healthCheckNodePort": st.sampled_from([30020, 30021]),
        "allocateLoadBalancerNodePorts": st.booleans(),
        "loadBalancerClass": st.just("a/b"),
        "loadBalancerIP": st.sampled_from(["20.0.0.5", "20.0.0.6", "10.240.0.5"]),
        "externalIPs": st.just(["1.2.3.4"]),
    },
)
"""What has a chance of being accepted."""

ANNOTATIONS = maybe(st.dictionaries(KEYS, VALUES, max_size=3))
GOOD_ANNOTATIONS = maybe(
    st.dictionaries(st.just(PREFIX + "azure-load-balancer-internal"), st.sampled_from(["true", "false"]), max_size=1)
)
STATUSES = object_of(
    loadBalancer=object_of(
        ingress=maybe(
            st.lists(
                object_of(
                    ip=ADDRESS,
                    hostname=st.one_of(st.sampled_from(["", "a.example.com", "1.2.3.4"]), TEXT),
                    ipMode=maybe(st.sampled_from(["", "VIP", "Proxy", "x"])),
                ),
                max_size=2,
            )
        )
    ),
    conditions=maybe(
        st.lists(object_of(type=st.sampled_from(["Allocated", "Programmed", "Other", ""]), status=TEXT), max_size=3)
    ),
)
