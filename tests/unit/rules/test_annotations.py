"""The annotations of a load balancer: good values, bad ones, unknown keys, what is read, and when they matter."""

import pytest

from app.domain.declarations.service import SERVICE
from app.domain.errors import shortened
from app.domain.rules.service.annotations import PORT_READERS, READERS
from app.domain.rules.service.load_balancer_wish import PortWish, ProbeWish, wish_of
from tests.unit.rules.builders import ALIAS, OURS, OURS_DUAL, SINGLE, created, faults, updated, wanted, web

PREFIX = "service.beta.kubernetes.io/"
BOOLEAN = "must be true or false, in lower case"
CIDRS = "must be CIDRs such as 10.9.8.0/24, not 'x'"
ADDRESSES = "must be IP addresses, not 'x'"
NAME = "must be a name of at most 80 letters, digits, '-', '_' and '.', beginning and ending with none of '-' and '.'"
LABEL = (
    "must have only lower-case letters, digits and '-', and begin and end with a letter or digit, such as my-name or "
    "123-abc"
)
PROTOCOL = "must be one of tcp, http, https"
PORT = "must be a port number from 1 to 65535 or a port's name, which "
LETTER = "must contain at least one letter (a-z)"
CHARACTERS = "must have only lower-case letters, digits and '-', such as http"
TAGS = "must be of AzureLoadBalancer, Internet, VirtualNetwork, not 'Mars'"
PATH = "must be a path, such as /healthz"
IDLE = "must be a number from 4 to 100 minutes"
INTERVAL = "must be a number from 5 to 119 seconds"
PROBES = "must be a number from 2 to 119 probes"
BOOLEANS = (
    "azure-load-balancer-internal",
    "azure-deny-all-except-load-balancer-source-ranges",
    "azure-load-balancer-disable-tcp-reset",
    "azure-load-balancer-enable-high-availability-ports",
    "azure-disable-load-balancer-floating-ip",
    "port_80_no_lb_rule",
    "port_80_no_probe_rule",
)


def balanced(at=OURS, spec=None, **annotations):
    keyed = {PREFIX + key: value for key, value in annotations.items()}
    return created(web(type="LoadBalancer", **(spec or {})), at, annotations=keyed)


GOOD = [
    *((key, value) for key in BOOLEANS for value in ("true", "false")),
    ("azure-load-balancer-internal-subnet", "apps"),
    ("azure-load-balancer-internal-subnet", "Apps_1.b-c"),
    ("azure-load-balancer-internal-subnet", "x" * 80),
    ("azure-load-balancer-ipv4", "20.0.0.1"),
    ("azure-load-balancer-ipv6", "2001:db8::1"),
    ("azure-pip-name", "front"),
    ("azure-pip-name-ipv6", "front"),
    ("azure-dns-label-name", "web"),
    ("azure-dns-label-name", ""),
    ("azure-allowed-ip-ranges", "10.0.0.0/8"),
    ("azure-allowed-ip-ranges", "10.0.0.0/8, 2001:db8::/32"),
    ("load-balancer-source-ranges", "10.0.0.0/8, 2001:db8::/32"),
    ("azure-allowed-service-tags", "Internet"),
    ("azure-allowed-service-tags", "VirtualNetwork, AzureLoadBalancer"),
    ("azure-load-balancer-tcp-idle-timeout", "4"),
    ("azure-load-balancer-tcp-idle-timeout", "100"),
    ("azure-load-balancer-health-probe-protocol", "tcp"),
    ("azure-load-balancer-health-probe-protocol", "Http"),
    ("azure-load-balancer-health-probe-protocol", "HTTPS"),
    ("azure-load-balancer-health-probe-interval", "5"),
    ("azure-load-balancer-health-probe-interval", "59"),
    ("azure-load-balancer-health-probe-num-of-probe", "2"),
    ("azure-load-balancer-health-probe-num-of-probe", "23"),
    ("azure-load-balancer-health-probe-request-path", "/"),
    ("azure-load-balancer-health-probe-request-path", "/healthz?a=b"),
    ("port_80_health-probe_protocol", "tcp"),
    ("port_80_health-probe_interval", "5"),
    ("port_80_health-probe_num-of-probe", "23"),
    ("port_80_health-probe_request-path", "/a"),
    ("port_80_health-probe_port", "1"),
    ("port_80_health-probe_port", "8080"),
    ("port_80_health-probe_port", "65535"),
    ("port_80_health-probe_port", "http"),
    ("azure-additional-public-ips", "20.0.0.1"),
    ("azure-additional-public-ips", "20.0.0.1,2001:db8::1"),
]

BAD = [
    *((key, value, BOOLEAN) for key in BOOLEANS for value in ("True", "yes", "", "1")),
    ("azure-load-balancer-internal-subnet", "", NAME),
    ("azure-load-balancer-internal-subnet", "a b", NAME),
    ("azure-load-balancer-internal-subnet", "-a", NAME),
    ("azure-load-balancer-internal-subnet", "a.", NAME),
    ("azure-load-balancer-internal-subnet", "x" * 81, NAME),
    ("azure-load-balancer-ipv4", "x", "must be an IPv4 address"),
    ("azure-load-balancer-ipv4", "", "must be an IPv4 address"),
    ("azure-load-balancer-ipv4", "2001:db8::1", "must be an IPv4 address"),
    ("azure-load-balancer-ipv4", "20.0.0.01", "must be an IPv4 address"),
    ("azure-load-balancer-ipv6", "20.0.0.1", "must be an IPv6 address"),
    ("azure-load-balancer-ipv6", "::ffff:20.0.0.1", "must be an IPv6 address"),
    ("azure-pip-name", "a/b", NAME),
    ("azure-pip-name-ipv6", "a/b", NAME),
    ("azure-dns-label-name", "a.b", LABEL),
    ("azure-dns-label-name", "Web", LABEL),
    ("azure-allowed-ip-ranges", "x", CIDRS),
    ("azure-allowed-ip-ranges", "10.0.0.0/8,x", CIDRS),
    ("azure-allowed-ip-ranges", "", "must be CIDRs such as 10.9.8.0/24, not ''"),
    ("azure-allowed-ip-ranges", "10.0.0.1", "must be CIDRs such as 10.9.8.0/24, not '10.0.0.1'"),
    ("azure-allowed-ip-ranges", "10.0.0.1/8", "must be CIDRs such as 10.9.8.0/24, not '10.0.0.1/8'"),
    ("azure-allowed-service-tags", "Mars", TAGS),
    ("azure-allowed-service-tags", "Internet,Mars", TAGS),
    ("azure-load-balancer-tcp-idle-timeout", "3", IDLE),
    ("azure-load-balancer-tcp-idle-timeout", "101", IDLE),
    ("azure-load-balancer-tcp-idle-timeout", "4.5", IDLE),
    ("azure-load-balancer-tcp-idle-timeout", "-4", IDLE),
    ("azure-load-balancer-tcp-idle-timeout", "", IDLE),
    ("azure-load-balancer-tcp-idle-timeout", "²", IDLE),
    ("azure-load-balancer-tcp-idle-timeout", "9" * 5000, IDLE),
    ("azure-load-balancer-health-probe-protocol", "udp", PROTOCOL),
    ("azure-load-balancer-health-probe-interval", "4", INTERVAL),
    ("azure-load-balancer-health-probe-interval", "120", INTERVAL),
    ("azure-load-balancer-health-probe-num-of-probe", "1", PROBES),
    ("azure-load-balancer-health-probe-num-of-probe", "120", PROBES),
    ("azure-load-balancer-health-probe-request-path", "healthz", PATH),
    ("azure-load-balancer-health-probe-request-path", "", PATH),
    ("azure-load-balancer-health-probe-request-path", "/a\nb", PATH),
    ("port_80_health-probe_protocol", "udp", PROTOCOL),
    ("port_80_health-probe_interval", "4", INTERVAL),
    ("port_80_health-probe_num-of-probe", "1", PROBES),
    ("port_80_health-probe_request-path", "a", PATH),
    ("port_80_health-probe_port", "0", PORT + LETTER),
    ("port_80_health-probe_port", "65536", PORT + LETTER),
    ("port_80_health-probe_port", "HTTP", f"{PORT}{CHARACTERS}, and {LETTER}"),
    ("azure-additional-public-ips", "x", ADDRESSES),
    ("azure-additional-public-ips", "20.0.0.1,x", ADDRESSES),
]


def test_the_tables_cover_every_key():
    keys = {key.removeprefix("port_80_") for key, *_ in (*GOOD, *BAD)}
    assert keys == {*(key.removeprefix(PREFIX) for key in READERS), *PORT_READERS}


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_good_values(key, value):
    new, causes = balanced(OURS_DUAL, {"ipFamilyPolicy": "RequireDualStack"}, **{key: value})
    assert causes == []
    high = key == "azure-load-balancer-enable-high-availability-ports" and value == "true"
    assert len(SERVICE.strategy.warnings(new, None, OURS_DUAL)) == high


@pytest.mark.parametrize(("key", "value", "problem"), BAD)
def test_bad_values(key, value, problem):
    _, causes = balanced(**{key: value})
    assert [(cause.field, cause.reason, cause.message) for cause in causes] == [
        (f"metadata.annotations[{PREFIX}{key}]", "FieldValueInvalid", f'Invalid value: "{shortened(value)}": {problem}')
    ]


@pytest.mark.parametrize(
    ("interval", "probes", "per_port", "field"),
    [
        ("60", None, {}, "azure-load-balancer-health-probe-interval"),
        ("59", None, {}, None),
        (None, "24", {}, "azure-load-balancer-health-probe-num-of-probe"),
        (None, "23", {}, None),
        ("40", "3", {}, "azure-load-balancer-health-probe-interval"),
        ("39", "3", {}, None),
        ("39", "3", {"port_80_health-probe_num-of-probe": "4"}, "port_80_health-probe_num-of-probe"),
        ("59", None, {"port_80_health-probe_num-of-probe": "2"}, None),
        (None, None, {"port_80_health-probe_interval": "60"}, "port_80_health-probe_interval"),
        ("30", "4", {"port_80_health-probe_interval": "29"}, "azure-load-balancer-health-probe-interval"),
        (
            None,
            None,
            {"port_80_health-probe_interval": "40", "port_80_health-probe_num-of-probe": "3"},
            "port_80_health-probe_interval",
        ),
    ],
)
def test_a_backend_is_found_out_within_two_minutes(interval, probes, per_port, field):
    given = {
        "azure-load-balancer-health-probe-interval": interval,
        "azure-load-balancer-health-probe-num-of-probe": probes,
        **per_port,
    }
    _, causes = balanced(**{key: value for key, value in given.items() if value is not None})
    assert faults(causes) == wanted(*([f"metadata.annotations[{PREFIX}{field}] invalid"] if field else []))


def test_the_probe_time_is_said():
    _, causes = balanced(**{"azure-load-balancer-health-probe-interval": "60"})
    assert [cause.message for cause in causes] == ['Invalid value: "60": 60 s times 2 probes must be less than 120 s']


def test_service_tags_and_source_ranges_exclude_each_other():
    _, causes = balanced(
        spec={"loadBalancerSourceRanges": ["10.0.0.0/8"]}, **{"azure-allowed-service-tags": "Internet"}
    )
    assert [(cause.field, cause.reason, cause.message) for cause in causes] == [
        (
            f"metadata.annotations[{PREFIX}azure-allowed-service-tags]",
            "FieldValueForbidden",
            "Forbidden: use either service tags or spec.loadBalancerSourceRanges",
        )
    ]


READ = [
    ({}, "internal", False),
    ({"azure-load-balancer-internal": "true"}, "internal", True),
    ({"azure-load-balancer-internal": "True"}, "internal", False),
    ({"azure-load-balancer-internal-subnet": "apps"}, "subnet", ""),
    ({"azure-load-balancer-internal": "true", "azure-load-balancer-internal-subnet": "apps"}, "subnet", "apps"),
    ({"azure-additional-public-ips": "20.0.0.9, x,20.0.0.9"}, "additional_addresses", ("20.0.0.9",)),
    ({"azure-load-balancer-ipv4": "20.0.0.9", "azure-additional-public-ips": "20.0.0.9"}, "additional_addresses", ()),
    ({"azure-dns-label-name": ""}, "dns_label", ""),
    ({"azure-dns-label-name": "A"}, "dns_label", None),
    ({"azure-allowed-ip-ranges": "10.0.0.0/8,x"}, "allowed_ranges", ("10.0.0.0/8",)),
    ({"load-balancer-source-ranges": "10.0.0.0/8"}, "source_ranges", ("10.0.0.0/8",)),
    ({"azure-load-balancer-tcp-idle-timeout": "4"}, "idle_timeout", 4),
    ({"azure-load-balancer-health-probe-protocol": "HTTP"}, "probe", ProbeWish(protocol="http")),
    ({"port_81_no_lb_rule": "true"}, "ports", {81: PortWish(rule_disabled=True)}),
    (
        {"port_80_health-probe_port": "http", "port_80_health-probe_interval": "7"},
        "ports",
        {80: PortWish(probe=ProbeWish(port="http", interval=7))},
    ),
]


@pytest.mark.parametrize(("annotations", "attribute", "value"), READ)
def test_what_is_read(annotations, attribute, value):
    new, _ = balanced(**annotations)
    assert getattr(wish_of(new), attribute) == value


UNKNOWN = [
    ("azure-load-balancer-intrenal", "is unknown and has no effect; is it misspelt?"),
    ("port_80_no_lb_rul", "is unknown and has no effect; is it misspelt?"),
    ("port_81_no_lb_rule", "is ignored: the Service has no port 81"),
    ("azure-pls-create", "has no effect yet"),
    ("azure-pip-prefix-id", "has no effect yet"),
    ("azure-pip-prefix-id-ipv6", "has no effect yet"),
    ("azure-pip-tags", "has no effect yet"),
    ("azure-load-balancer-configurations", "has no effect yet"),
]


@pytest.mark.parametrize(("key", "text"), UNKNOWN)
def test_unknown_keys_are_warned_of(key, text):
    new, causes = balanced(**{key: "true"})
    assert causes == []
    assert SERVICE.strategy.warnings(new, None, OURS) == [f"annotation {PREFIX}{key} {text}"]


@pytest.mark.parametrize("key", ["port_x_no_lb_rule", "something-else"])
def test_keys_of_others_are_let_alone(key):
    new, causes = balanced(**{key: "10.0.0.0/8"})
    assert causes == []
    assert SERVICE.strategy.warnings(new, None, OURS) == []


def test_one_rule_for_all_ports_is_for_private_ones():
    key = "azure-load-balancer-enable-high-availability-ports"
    public, _ = balanced(**{key: "true"})
    assert SERVICE.strategy.warnings(public, None, OURS) == [
        f"annotation {PREFIX}{key} is ignored: only an internal load balancer can have such a rule"
    ]
    private, _ = balanced(**{key: "true", "azure-load-balancer-internal": "true"})
    assert SERVICE.strategy.warnings(private, None, OURS) == []


def test_an_address_of_a_family_that_the_service_does_not_have_is_warned_of():
    new, causes = balanced(OURS_DUAL, **{"azure-load-balancer-ipv6": "fd02::5"})
    assert causes == []
    assert SERVICE.strategy.warnings(new, None, OURS) == [
        f"metadata.annotations[{PREFIX}azure-load-balancer-ipv6] is ignored: the Service has only IPv4"
    ]


BAD_AND_UNKNOWN = {f"{PREFIX}azure-load-balancer-internal": "True", f"{PREFIX}azure-x": "y"}


@pytest.mark.parametrize(
    ("spec", "at"),
    [
        (web(type="LoadBalancer"), SINGLE),
        (web(type="LoadBalancer", loadBalancerClass="a/b"), OURS),
        (web(type="NodePort"), OURS),
        (web(), OURS),
        (ALIAS, OURS),
    ],
)
def test_they_matter_only_to_what_is_ours(spec, at):
    new, causes = created(spec, at, annotations=BAD_AND_UNKNOWN)
    assert causes == []
    assert SERVICE.strategy.warnings(new, None, at) == []


class TestUpdate:
    """What an object had when nobody looked at it is tolerated until it changes."""

    KEY = f"{PREFIX}azure-load-balancer-internal"

    def stored(self, annotations, **spec):
        old, causes = created(web(type="LoadBalancer", clusterIP="10.96.0.7", **spec), SINGLE, annotations=annotations)
        assert causes == []
        return old

    @pytest.mark.parametrize(
        ("before", "after", "refused"), [("True", "True", False), ("True", "TRUE", True), ("true", "True", True)]
    )
    def test_values(self, before, after, refused):
        old = self.stored({self.KEY: before})
        _, causes = updated(web(type="LoadBalancer"), old, OURS, annotations={self.KEY: after})
        assert faults(causes) == wanted(*([f"metadata.annotations[{self.KEY}] invalid"] if refused else []))

    def test_a_service_that_becomes_a_load_balancer_is_looked_at(self):
        old, _ = created(web(clusterIP="10.96.0.7"), OURS, annotations={self.KEY: "True"})
        _, causes = updated(web(type="LoadBalancer"), old, OURS)
        assert faults(causes) == wanted(f"metadata.annotations[{self.KEY}] invalid")

    def test_probe_times(self):
        keys = (
            f"{PREFIX}azure-load-balancer-health-probe-interval",
            f"{PREFIX}azure-load-balancer-health-probe-num-of-probe",
        )
        old = self.stored({keys[0]: "100", keys[1]: "2"})
        _, causes = updated(web(type="LoadBalancer"), old, OURS)
        assert causes == []
        _, causes = updated(web(type="LoadBalancer"), old, OURS, annotations={keys[0]: "100", keys[1]: "3"})
        assert faults(causes) == wanted(f"metadata.annotations[{keys[1]}] invalid")
        _, causes = updated(web(type="LoadBalancer"), old, OURS, annotations={keys[1]: "2"})
        assert causes == []

    def test_tags_and_ranges(self):
        key = f"{PREFIX}azure-allowed-service-tags"
        ranges = {"loadBalancerSourceRanges": ["10.0.0.0/8"]}
        both = self.stored({key: "Internet"}, **ranges)
        _, causes = updated(web(type="LoadBalancer", **ranges), both, OURS)
        assert causes == []
        one = self.stored({key: "Internet"})
        _, causes = updated(web(type="LoadBalancer", **ranges), one, OURS)
        assert faults(causes) == wanted(f"metadata.annotations[{key}] forbidden")
        other = self.stored({}, **ranges)
        _, causes = updated(web(type="LoadBalancer", **ranges), other, OURS, annotations={key: "Internet"})
        assert faults(causes) == wanted(f"metadata.annotations[{key}] forbidden")
