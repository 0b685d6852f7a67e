"""What holds of the load balancer of every Service that was accepted."""

from ipaddress import ip_network
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.rules.service.annotations import HIGH_AVAILABILITY_PORTS, PREFIX
from app.domain.rules.service.load_balancer_wish import is_ours, wish_of
from app.domain.rules.service.needs import ingress_addresses
from app.domain.rules.service_tags import ServiceTags
from app.domain.wanted.load_balancer import load_balancer
from tests.property.service_specs import GOOD_SPECS
from tests.property.test_service_rules import copy, laid_out, settled
from tests.unit.rules.builders import V4, V6, cluster

TAGS = ServiceTags.read(b'{"values": [{"name": "Storage", "properties": {"addressPrefixes": ["13.66.0.0/16"]}}]}')
OURS = cluster(V4, V6, ours=True, service_tags=TAGS)
RANGES = ["203.0.113.0/24", "203.0.113.128/25", "198.51.100.7/32", "2001:db8::/32", "0.0.0.0/0"]
NOT_OURS = ("clusterIP", "loadBalancerClass", "loadBalancerIP")
BOOLEAN = st.sampled_from(["true", "false"])
LISTED = st.lists(st.sampled_from(RANGES), min_size=1, max_size=3)
SPECS = st.builds(
    lambda spec, ranges: {
        **{
            key: value for key, value in spec.items() if key not in ("clusterIP", "loadBalancerClass", "loadBalancerIP")
        },
        "type": "LoadBalancer",
        **({"loadBalancerSourceRanges": ranges} if ranges else {}),
    },
    GOOD_SPECS,
    st.one_of(st.none(), LISTED),
)
ANNOTATIONS = st.fixed_dictionaries(
    {},
    optional={
        PREFIX + "azure-load-balancer-internal": BOOLEAN,
        HIGH_AVAILABILITY_PORTS: BOOLEAN,
        PREFIX + "azure-disable-load-balancer-floating-ip": BOOLEAN,
        PREFIX + "azure-deny-all-except-load-balancer-source-ranges": BOOLEAN,
        PREFIX + "azure-allowed-ip-ranges": LISTED.map(",".join),
        PREFIX + "azure-allowed-service-tags": st.sampled_from(["Internet", "Storage"]),
        PREFIX + "azure-additional-public-ips": st.sampled_from(["192.0.2.7", "20.0.0.1"]),
        PREFIX + "port_80_no_lb_rule": BOOLEAN,
        PREFIX + "port_443_no_probe_rule": BOOLEAN,
        PREFIX + "port_80_health-probe_port": st.sampled_from(["443", "8080", "a"]),
        PREFIX + "azure-load-balancer-health-probe-protocol": st.sampled_from(["tcp", "http"]),
    },
)


def balanced(spec, annotations):
    """A Service that was accepted and has all it asks for, and its load balancer; None if it was refused."""
    made = settled(spec, OURS, annotations)
    if made is None or not is_ours(made, OURS):
        return None
    _, at = laid_out(OURS)
    return made, load_balancer(made, (), at)


def covered(networks, by):
    """Whether each network lies in one of the others."""
    return all(
        any(ip_network(each).subnet_of(ip_network(other)) for other in by if same(each, other)) for each in networks
    )


def same(one, other):
    return (":" in one) == (":" in other)


@given(SPECS, ANNOTATIONS)
@settings(max_examples=300, deadline=None)
def test_no_two_rules_share_address_protocol_and_port(spec, annotations):
    if found := balanced(spec, annotations):
        _, wanted = found
        listened = [(each.frontend.address, each.protocol, each.port) for each in wanted.listeners]
        assert len(listened) == len(set(listened))
        ruled = [(each.frontend, each.protocol, each.frontend_port) for each in wanted.spec.rules]
        assert len(ruled) == len(set(ruled))
        assert len({each.name for each in wanted.spec.rules}) == len(ruled)


@given(SPECS, ANNOTATIONS)
@settings(max_examples=300, deadline=None)
def test_every_port_has_its_rule_unless_it_is_switched_off(spec, annotations):
    if found := balanced(spec, annotations):
        service, wanted = found
        wish = wish_of(service)
        every = wish.internal and wish.high_availability_ports
        switched_on = [
            (port.protocol, port.port)
            for port in service.spec.ports
            if every or not (port.port in wish.ports and wish.ports[port.port].rule_disabled)
        ]
        addresses = [each.address for each in wanted.spec.frontends]
        assert len(addresses) == len(service.spec.ip_families)
        listened = {(each.frontend.address, each.protocol, each.port) for each in wanted.listeners}
        assert listened == {(address, *port) for address, port in product(addresses, switched_on)}


@given(SPECS, ANNOTATIONS)
@settings(max_examples=300, deadline=None)
def test_access_is_never_wider_than_the_service_asks(spec, annotations):
    if found := balanced(spec, annotations):
        service, wanted = found
        wish = wish_of(service)
        ranges = service.spec.load_balancer_source_ranges or [*wish.allowed_ranges, *wish.source_ranges]
        asked = [*ranges, *map(str, (net for tag in wish.allowed_tags for net in TAGS.networks(tag)))]
        open_to_all = "Internet" in wish.allowed_tags or not (ranges or wish.allowed_tags)
        ports = {number for port in service.spec.ports for number in (port.port, port.node_port)}
        for rule in wanted.spec.access:
            assert set(rule.ports) <= ports
            assert set(rule.destinations) <= set(ingress_addresses(service))
            tags = {source for source in rule.sources if "/" not in source}
            assert tags <= {*wish.allowed_tags, *([] if ranges or wish.allowed_tags else ["Internet"])}
            assert covered([source for source in rule.sources if "/" in source], ranges)
        for listener in wanted.listeners:
            assert (listener.admitted is None) == open_to_all
            assert listener.admitted is None or covered(listener.admitted, asked)


@given(SPECS, ANNOTATIONS)
@settings(max_examples=200, deadline=None)
def test_empty_access_means_open_or_closed_and_deny_all_says_which(spec, annotations):
    if found := balanced(spec, annotations):
        service, wanted = found
        if not wanted.spec.access:
            restricted = service.spec.load_balancer_source_ranges or wish_of(service).allowed_ranges
            assert wanted.spec.deny_all or wish_of(service).floating_ip_disabled or not restricted


@given(SPECS, ANNOTATIONS)
@settings(max_examples=200, deadline=None)
def test_the_same_service_has_the_same_load_balancer(spec, annotations):
    if found := balanced(spec, annotations):
        service, wanted = found
        _, at = laid_out(OURS)
        assert load_balancer(copy(service), (), at) == wanted
        probed = {each.name for each in wanted.spec.probes}
        assert {each.probe for each in wanted.spec.rules} - {""} == probed
