"""What a LoadBalancer Service becomes: names, frontends, rules, probes, access, and the listeners of data planes."""

import pytest

from app.domain.kinds.endpoint_slice import Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from app.domain.kinds.node import NodeAddress, Taint
from app.domain.rules.balanced_nodes import EXCLUDED_LABEL, NO_NODES, BalancedNode, BalancedNodes, balanced_node
from app.domain.rules.pool_description import PoolDescription
from app.domain.rules.service_tags import ServiceTags
from app.domain.wanted.load_balancer import load_balancer
from app.domain.wanted.load_balancer_objects import load_balancers
from tests.unit.backend_objects import make_node
from tests.unit.rules.builders import cluster, service

UID = "da140d5d-d039-5080-91db-f00e3c1c81aa"
BASE = "ada140d5dd039508091dbf00e3c1c81a"
KEY = "service.beta.kubernetes.io/"
AZURE = f"{KEY}azure-"
INTERNAL = {f"{AZURE}load-balancer-internal": "true"}
HA = {**INTERNAL, f"{AZURE}load-balancer-enable-high-availability-ports": "true"}
NO_FLOATING = {f"{AZURE}disable-load-balancer-floating-ip": "true"}
DENY = {f"{AZURE}deny-all-except-load-balancer-source-ranges": "true"}
V4, V6 = "20.50.0.1", "2603:1020:200::1"
HTTP = {"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30431}
HTTPS = {"name": "https", "port": 443, "protocol": "TCP", "nodePort": 30170}
DNS = {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30797}
POOLS = (
    PoolDescription.of("external", "external", ["20.50.0.0/16", "2603:1020:200::/64"]),
    PoolDescription.of("apps", "internal", ["10.225.0.0/24"]),
)


def wanted(*ports, annotations=None, addresses=(V4,), slices=(), tags=None, nodes=NO_NODES, **spec):
    families = list(dict.fromkeys("IPv6" if ":" in each else "IPv4" for each in addresses))
    made = service(
        {"type": "LoadBalancer", "ports": list(ports or [HTTP]), "ipFamilies": families, **spec},
        uid=UID,
        annotations=annotations or {},
        status={"loadBalancer": {"ingress": [{"ip": each, "ipMode": "VIP"} for each in addresses]}},
    )
    more = {"nodes": nodes, **({} if tags is None else {"service_tags": tags})}
    return load_balancer(made, slices, cluster(ours=True, pools=POOLS, **more))


def short(name):
    return name.removeprefix(BASE)


def rules(found):
    return [
        (short(each.name), each.protocol, each.frontend_port, each.backend_port, short(each.probe))
        for each in found.spec.rules
    ]


def probes(found):
    return [
        (short(each.name), each.protocol, each.port, each.path, each.interval_seconds, each.threshold)
        for each in found.spec.probes
    ]


def access(found):
    return [(each.protocol, each.sources, each.ports, each.destinations) for each in found.spec.access]


def slice_of(*endpoints, family="IPv4", ports=(("http", 8080),)):
    return EndpointSlice(
        address_type=family,
        endpoints=list(endpoints),
        ports=[EndpointPort(name=name, protocol="TCP", port=number) for name, number in ports],
    )


def endpoint(address, node="n1", **conditions):
    return Endpoint(addresses=[address], node_name=node, conditions=EndpointConditions(**conditions))


def test_a_port_has_a_rule_a_probe_and_an_access_rule():
    found = wanted()
    assert found.spec.load_balancer == "kubernetes"
    frontend = found.spec.frontends[0]
    assert (frontend.name, frontend.scope, frontend.family, frontend.address, frontend.pool) == (
        BASE, "external", "IPv4", V4, "external",
    )  # fmt: skip
    assert rules(found) == [("-TCP-80", "Tcp", 80, 80, "-TCP-80")]
    assert probes(found) == [("-TCP-80", "Tcp", 30431, "", 5, 2)]
    assert access(found) == [("Tcp", ["Internet"], [80], [V4])]
    rule = found.spec.rules[0]
    assert (rule.floating_ip, rule.tcp_reset, rule.idle_timeout_minutes, rule.distribution) == (
        True,
        True,
        4,
        "Default",
    )
    assert not found.spec.deny_all


@pytest.mark.parametrize(
    ("addresses", "annotations", "expected"),
    [
        (["10.225.0.4"], INTERNAL, "kubernetes-internal"),
        ([], INTERNAL, "kubernetes-internal"),
        ([V4], INTERNAL, "kubernetes"),
        (["10.225.0.4"], {}, "kubernetes-internal"),
    ],
)
def test_the_load_balancer_is_that_of_its_address_until_it_has_another(addresses, annotations, expected):
    assert wanted(addresses=addresses, annotations=annotations).spec.load_balancer == expected


@pytest.mark.parametrize(
    ("ports", "annotations", "spec", "expected"),
    [
        ([DNS], {}, {}, [("-UDP-53", "Udp", 53, 53, "")]),
        ([HTTP], NO_FLOATING, {}, [("-TCP-80", "Tcp", 80, 30431, "-TCP-80")]),
        ([HTTP, HTTPS], {f"{KEY}port_443_no_lb_rule": "true"}, {}, [("-TCP-80", "Tcp", 80, 80, "-TCP-80")]),
        ([HTTP], {f"{KEY}port_80_no_probe_rule": "true"}, {}, [("-TCP-80", "Tcp", 80, 80, "")]),
        ([HTTP, HTTPS], HA, {}, [("-TCP-80", "All", 0, 0, "-TCP-80")]),
        ([DNS, HTTP], HA, {}, [("-UDP-53", "All", 0, 0, "-UDP-53")]),
        ([DNS], HA, {}, [("-UDP-53", "All", 0, 0, "")]),
        (
            [{"port": 3868, "protocol": "SCTP", "nodePort": 31459}], INTERNAL, {},
            [("-SCTP-3868", "Sctp", 3868, 3868, "")],
        ),
        (
            [HTTP, DNS], {}, {"externalTrafficPolicy": "Local", "healthCheckNodePort": 32484},
            [("-TCP-80", "Tcp", 80, 80, "-TCP-32484"), ("-UDP-53", "Udp", 53, 53, "-TCP-32484")],
        ),
    ],
)  # fmt: skip
def test_rules(ports, annotations, spec, expected):
    assert rules(wanted(*ports, annotations=annotations, **spec)) == expected


@pytest.mark.parametrize(
    ("keys", "app_protocol", "expected"),
    [
        ({}, None, ("Tcp", 30431, "", 5, 2)),
        ({}, "HTTPS", ("Https", 30431, "/", 5, 2)),
        ({f"{AZURE}load-balancer-health-probe-protocol": "http"}, "grpc", ("Tcp", 30431, "", 5, 2)),
        ({f"{AZURE}load-balancer-health-probe-protocol": "http"}, None, ("Http", 30431, "/", 5, 2)),
        ({f"{KEY}port_80_health-probe_protocol": "https"}, "http", ("Https", 30431, "/", 5, 2)),
        ({f"{KEY}port_80_health-probe_port": "443"}, None, ("Tcp", 30170, "", 5, 2)),
        ({f"{KEY}port_80_health-probe_port": "HTTPS"}, None, ("Tcp", 30170, "", 5, 2)),
        ({f"{KEY}port_80_health-probe_port": "8443"}, None, ("Tcp", 8443, "", 5, 2)),
        (
            {f"{AZURE}load-balancer-health-probe-interval": "7", f"{AZURE}load-balancer-health-probe-num-of-probe": "3",
             f"{KEY}port_80_health-probe_interval": "9"}, None, ("Tcp", 30431, "", 9, 3),
        ),
    ],
)  # fmt: skip
def test_probes(keys, app_protocol, expected):
    port = {**HTTP, **({"appProtocol": app_protocol} if app_protocol else {})}
    found = wanted(port, {**HTTPS, "appProtocol": "tcp"}, annotations=keys)
    assert probes(found)[0][1:] == expected


def test_the_probe_of_the_policy_local_takes_its_times_from_its_own_number():
    keys = {f"{KEY}port_32484_health-probe_interval": "9", f"{KEY}port_80_health-probe_interval": "11"}
    found = wanted(annotations=keys, externalTrafficPolicy="Local", healthCheckNodePort=32484)
    assert probes(found) == [("-TCP-32484", "Http", 32484, "/healthz", 9, 2)]
    assert found.health_check_node_port == 32484


@pytest.mark.parametrize(
    ("annotations", "ranges", "expected", "deny_all"),
    [
        ({}, [], [("Tcp", ["Internet"], [80], [V4])], False),
        (INTERNAL, [], [], False),
        ({}, ["203.0.113.0/24"], [("Tcp", ["203.0.113.0/24"], [80], [V4])], False),
        (DENY, ["203.0.113.0/24"], [("Tcp", ["203.0.113.0/24"], [80], [V4])], True),
        ({}, ["203.0.113.0/25", "203.0.113.128/25"], [("Tcp", ["203.0.113.0/24"], [80], [V4])], False),
        ({}, ["2001:db8::/32"], [], True),
        ({f"{AZURE}allowed-ip-ranges": "nonsense"}, [], [], True),
        ({f"{AZURE}allowed-ip-ranges": "nonsense,203.0.113.0/24"}, [], [("Tcp", ["203.0.113.0/24"], [80], [V4])], True),
        (
            {f"{AZURE}allowed-service-tags": "AzureCloud,Storage"}, ["203.0.113.0/24"],
            [("Tcp", ["AzureCloud", "Storage", "203.0.113.0/24"], [80], [V4])], False,
        ),
        (
            {f"{AZURE}allowed-ip-ranges": "198.51.100.0/24", f"{KEY}load-balancer-source-ranges": "203.0.113.0/24"}, [],
            [("Tcp", ["198.51.100.0/24", "203.0.113.0/24"], [80], [V4])], False,
        ),
        (
            {f"{AZURE}additional-public-ips": "192.0.2.7"}, [],
            [("Tcp", ["Internet"], [80], [V4, "192.0.2.7"])], False,
        ),
    ],
)  # fmt: skip
def test_access(annotations, ranges, expected, deny_all):
    found = wanted(annotations=annotations, loadBalancerSourceRanges=ranges)
    assert (access(found), found.spec.deny_all) == (expected, deny_all)


@pytest.mark.parametrize(
    ("annotations", "ranges", "admitted"),
    [
        ({}, [], None),
        ({}, ["203.0.113.0/24"], ("192.0.2.0/24", "203.0.113.0/24")),
        (DENY, ["203.0.113.0/24"], ("203.0.113.0/24",)),
        ({}, ["2001:db8::/32"], ()),
        ({f"{AZURE}allowed-service-tags": "storage"}, [], ("13.66.0.0/16", "192.0.2.0/24")),
        ({f"{AZURE}allowed-service-tags": "Internet"}, [], None),
        ({f"{AZURE}allowed-service-tags": "Unheard.Of"}, [], ("192.0.2.0/24",)),
    ],
)
def test_the_networks_that_a_data_plane_admits(annotations, ranges, admitted):
    tags = ServiceTags.read(
        b'{"values": [{"name": "Storage", "properties": {"addressPrefixes": ["13.66.0.0/16", "2603::/32"]}},'
        b' {"name": "VirtualNetwork", "properties": {"addressPrefixes": ["192.0.2.0/24"]}}]}'
    )
    found = wanted(annotations=annotations, loadBalancerSourceRanges=ranges, tags=tags)
    assert [each.admitted for each in found.listeners] == [admitted]


@pytest.mark.parametrize(
    "document", [b"", b"{}", b'{"values": [{"name": "A", "properties": {"addressPrefixes": ["x"]}}]}']
)
def test_what_is_no_list_of_service_tags(document):
    with pytest.raises(ValueError, match="tag"):
        ServiceTags.read(document)


def test_the_ipv6_side_of_a_dual_stack_service_has_names_of_its_own():
    found = wanted(addresses=(V6, V4))
    assert [each.name for each in found.spec.frontends] == [f"{BASE}-IPv6", BASE]
    assert [each.name for each in found.spec.rules] == [f"{BASE}-TCP-80-IPv6", f"{BASE}-TCP-80"]
    assert [each.probe for each in found.spec.rules] == [f"{BASE}-TCP-80-IPv6", f"{BASE}-TCP-80"]


def test_private_ipv6_frontends_have_no_floating_ip():
    found = wanted(addresses=(V6,), annotations=INTERNAL)
    assert [(each.floating_ip, each.backend_port) for each in found.spec.rules] == [(False, 30431)]
    every_port = wanted(addresses=(V6,), annotations=HA)
    assert [(each.floating_ip, each.backend_port) for each in every_port.spec.rules] == [(False, 0)]


def test_the_name_of_the_pool_is_part_of_names_and_cut():
    long = "a-subnet-with-quite-a-long-name-that-goes-on-12-and-on"
    found = wanted(annotations={**INTERNAL, f"{AZURE}load-balancer-internal-subnet": long})
    assert found.spec.frontends[0].name == f"{BASE}-a-subnet-with-quite-a-long-name-that-goes_"
    assert found.spec.rules[0].name == f"{BASE}-a-subnet-with-quite-a-long-name-tha-TCP-80"


def test_members_are_the_endpoints_behind_the_port_of_the_service():
    slices = [
        slice_of(endpoint("10.1.0.2"), endpoint("10.1.0.1", node="n2", ready=False, serving=True, terminating=True)),
        slice_of(endpoint("10.1.0.3"), ports=(("http", 9090), ("https", 9443))),
        slice_of(endpoint("fd00::1"), family="IPv6"),
    ]
    found = wanted(HTTP, HTTPS, annotations={f"{KEY}port_80_health-probe_port": "https"}, slices=slices)
    assert [(each.address, each.port, each.probe_port, each.node) for each in found.listeners[0].members] == [
        ("10.1.0.1", 8080, 8080, "n2"), ("10.1.0.2", 8080, 8080, "n1"), ("10.1.0.3", 9090, 9443, "n1"),
    ]  # fmt: skip
    assert [(each.ready, each.serving, each.terminating) for each in found.listeners[0].members] == [
        (False, True, True), (True, True, False), (True, True, False),
    ]  # fmt: skip
    assert [each.address for each in found.listeners[1].members] == ["10.1.0.3"]


NODES = BalancedNodes.of(
    {
        "n1": BalancedNode(("10.224.0.11", "fd00:224::b"), excluded=False),
        "n2": BalancedNode(("10.224.0.12",), excluded=True),
    }
)


def test_members_on_excluded_nodes_are_no_members():
    slices = [slice_of(endpoint("10.1.0.1"), endpoint("10.1.0.2", node="n2"))]
    (found,) = wanted(slices=slices, nodes=NODES).listeners
    assert [each.address for each in found.members] == ["10.1.0.1"]


def test_without_a_floating_ip_access_is_to_the_node_ports_of_the_nodes():
    found = wanted(annotations=NO_FLOATING, addresses=(V4, V6), nodes=NODES)
    assert access(found) == [
        ("Tcp", ["Internet"], [30431], ["10.224.0.11"]),
        ("Tcp", ["Internet"], [30431], ["fd00:224::b"]),
    ]
    more = wanted(annotations={**NO_FLOATING, f"{AZURE}additional-public-ips": "192.0.2.7"}, nodes=NODES)
    assert access(more) == [("Tcp", ["Internet"], [30431], ["10.224.0.11", "192.0.2.7"])]


@pytest.mark.parametrize(
    ("labels", "taint", "deleted", "excluded"),
    [
        ({}, "", False, False),
        ({EXCLUDED_LABEL: ""}, "", False, True),
        ({EXCLUDED_LABEL: "true"}, "", False, True),
        ({EXCLUDED_LABEL: "false"}, "", False, False),
        ({EXCLUDED_LABEL: "0"}, "", False, False),
        ({}, "ToBeDeletedByClusterAutoscaler", False, True),
        ({}, "node.kubernetes.io/not-ready", False, False),
        ({}, "", True, True),
    ],
)
def test_nodes_that_load_balancers_leave_out(labels, taint, deleted, excluded):
    node = make_node()
    node.metadata.labels = labels
    node.metadata.deletion_timestamp = "2026-01-01T00:00:00Z" if deleted else None
    node.spec.taints = [Taint(key=taint, effect="NoSchedule")] if taint else None
    given = [("Hostname", "n1"), ("ExternalIP", "192.0.2.1"), ("InternalIP", "10.224.0.11"), ("InternalIP", "10.9.9.9")]
    node.status.addresses = [NodeAddress(type=type_, address=address) for type_, address in given]
    assert balanced_node(node) == BalancedNode(("10.224.0.11",), excluded=excluded)


def test_listeners_tell_what_a_data_plane_needs():
    keys = {f"{AZURE}load-balancer-tcp-idle-timeout": "30", "fairlead.io/proxy-protocol": "v2"}
    spec = {"sessionAffinity": "ClientIP", "externalTrafficPolicy": "Local", "healthCheckNodePort": 32484}
    (found,) = wanted(annotations=keys, **spec).listeners
    assert (found.protocol, found.port, found.idle_timeout, found.tcp_reset) == ("TCP", 80, 1800, True)
    assert (found.by_client, found.local, found.proxy_protocol, found.probe) == (True, True, "v2", None)


def test_a_rule_for_all_ports_is_served_at_the_ports_of_the_service():
    found = wanted(HTTP, DNS, annotations={**HA, f"{KEY}port_80_no_lb_rule": "true"}, addresses=("10.225.0.7",))
    assert [(each.protocol, each.port, each.rule) for each in found.listeners] == [
        ("TCP", 80, f"{BASE}-TCP-80"), ("UDP", 53, f"{BASE}-TCP-80"),
    ]  # fmt: skip
    assert found.spec.frontends[0].pool == "apps"


def test_an_additional_address_is_a_frontend_only_where_there_is_no_other():
    key = f"{AZURE}additional-public-ips"
    assert wanted(annotations={key: V4}).spec.frontends[0].address == V4
    found = wanted(annotations={key: "192.0.2.7"}, addresses=("192.0.2.7", V4))
    assert found.spec.frontends[0].address == V4


@pytest.mark.parametrize(
    ("annotations", "name"),
    [
        ({}, ""),
        ({"fairlead.io/fqdn": "shop.eu.example.org", "fairlead.io/dns-label": "shop"}, "shop.eu.example.org"),
        (
            {
                "fairlead.io/fqdn": "a.example.org,b.example.org",
                "external-dns.alpha.kubernetes.io/hostname": "b.example.org",
                "external-dns.alpha.kubernetes.io/internal-hostname": "a.example.org",
            },
            "b.example.org",
        ),
    ],
)
def test_a_frontend_has_the_public_name_of_its_service(annotations, name):
    assert wanted(annotations=annotations).spec.frontends[0].fqdn == name


def test_a_service_without_addresses_has_a_load_balancer_without_frontends():
    found = wanted(addresses=())
    assert (found.spec.frontends, found.spec.rules, found.spec.access, found.listeners) == ([], [], [], ())


@pytest.mark.parametrize(
    ("spec", "ours", "count"),
    [
        ({"type": "LoadBalancer"}, True, 1),
        ({"type": "LoadBalancer"}, False, 0),
        ({"type": "LoadBalancer", "loadBalancerClass": "example.com/other"}, True, 0),
        ({"type": "ClusterIP"}, True, 0),
    ],
)
def test_services_that_have_a_load_balancer_object(spec, ours, count):
    made = service({"ports": [HTTP], "ipFamilies": ["IPv4"], **spec}, uid=UID, labels={"app": "shop"})
    slices = [slice_of(endpoint("10.1.0.1"), endpoint("10.1.0.2", ready=False))]
    found = load_balancers(made, slices, cluster(ours=ours))
    assert len(found) == count
    for each in found:
        assert (each.metadata.name, each.metadata.namespace, each.metadata.labels["app"]) == ("web", "shop", "shop")
        assert (each.status.members.ready, each.status.members.total) == (1, 2)
