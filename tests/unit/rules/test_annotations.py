"""The annotations of a load balancer: good values, bad ones, unknown keys, what is read, and when they matter."""

from pathlib import Path

import pytest

import app
from app.domain.declarations.service import SERVICE
from app.domain.errors import shortened
from app.domain.rules.service.annotations import PORT_READERS, READERS, WITHOUT_EFFECT
from app.domain.rules.service.foreign_annotations import FOREIGN_READERS
from app.domain.rules.service.load_balancer_wish import PortWish, ProbeWish, wish_of
from app.domain.rules.service_tags import ServiceTags
from tests.unit.rules.builders import ALIAS, OURS, OURS_DUAL, SINGLE, cluster, created, faults, updated, wanted, web

PREFIX = "service.beta.kubernetes.io/"
BOOLEAN = "must be true or false"
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
TAGS = "must be names of service tags, such as AzureCloud or Storage.WestEurope, not "
PATH = "must be a path, such as /healthz"
FROM_POOLS = "addresses come from pools"
ONE_EACH = "there is one load balancer for all public Services and one for all internal ones"
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

LISTED = [key for key, (attribute, _) in FOREIGN_READERS.items() if attribute.startswith("listed.")]
POOLS_OF_METALLB = [key for key, (attribute, _) in FOREIGN_READERS.items() if attribute.startswith("pools.")]
SHARING = [key for key, (attribute, _) in FOREIGN_READERS.items() if attribute.startswith("sharing.")]


def whole(key):
    """A key with its prefix; those of other origins are given whole."""
    return key if "/" in key else PREFIX + key


def balanced(at=OURS, spec=None, **annotations):
    keyed = {whole(key): value for key, value in annotations.items()}
    return created(web(type="LoadBalancer", **(spec or {})), at, annotations=keyed)


COMPANIONS = {
    "azure-deny-all-except-load-balancer-source-ranges": {"azure-allowed-ip-ranges": "10.0.0.0/8"},
}
"""What a key needs beside it."""

GOOD = [
    *((key, value) for key in BOOLEANS for value in ("true", "false", "False", "")),
    *((key, "TRUE") for key in BOOLEANS if key != "azure-load-balancer-internal"),
    ("azure-load-balancer-internal-subnet", "apps"),
    ("azure-load-balancer-internal-subnet", ""),
    ("azure-load-balancer-internal-subnet", " "),
    ("azure-load-balancer-ipv4", ""),
    ("azure-pip-name", ""),
    ("azure-load-balancer-tcp-idle-timeout", "+30"),
    ("azure-load-balancer-health-probe-protocol", " http "),
    ("azure-load-balancer-health-probe-request-path", "healthz"),
    ("azure-load-balancer-internal-subnet", "Apps_1.b-c"),
    ("azure-load-balancer-internal-subnet", "x" * 80),
    ("azure-load-balancer-ipv4", "20.0.0.1"),
    ("azure-load-balancer-ipv6", "2001:db8::1"),
    ("azure-pip-name", "front"),
    ("azure-pip-name-ipv6", "front"),
    ("azure-pip-name", "net/front"),
    ("azure-dns-label-name", "web"),
    ("azure-dns-label-name", ""),
    ("azure-allowed-ip-ranges", "10.0.0.0/8"),
    ("azure-allowed-ip-ranges", "10.0.0.0/8, 2001:db8::/32"),
    ("load-balancer-source-ranges", "10.0.0.0/8, 2001:db8::/32"),
    ("azure-allowed-service-tags", "Internet"),
    ("azure-allowed-service-tags", ""),
    ("azure-allowed-service-tags", "AzureCloud, storage.WestEurope, AzureFrontDoor.Backend"),
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
    ("port_80_health-probe_port", "HTTP"),
    ("fairlead.io/proxy-protocol", "v1"),
    *((key, "20.0.0.1, 2001:db8::1") for key in LISTED),
    *((key, "external") for key in POOLS_OF_METALLB),
    *((key, "any text") for key in SHARING),
    ("fairlead.io/proxy-protocol", "V2"),
]

BAD = [
    *((key, value, BOOLEAN) for key in BOOLEANS for value in (" true", "yes", "t", "1")),
    ("azure-load-balancer-internal", "True", f"{BOOLEAN}, in lower case"),
    ("azure-load-balancer-internal-subnet", "a b", NAME),
    ("azure-load-balancer-internal-subnet", "-a", NAME),
    ("azure-load-balancer-internal-subnet", "a.", NAME),
    ("azure-load-balancer-internal-subnet", "x" * 81, NAME),
    ("azure-load-balancer-ipv4", "x", "must be an IPv4 address"),
    ("azure-load-balancer-ipv4", "2001:db8::1", "must be an IPv4 address"),
    ("azure-load-balancer-ipv4", "20.0.0.01", "must be an IPv4 address"),
    ("azure-load-balancer-ipv6", "20.0.0.1", "must be an IPv6 address"),
    ("azure-load-balancer-ipv6", "::ffff:20.0.0.1", "must be an IPv6 address"),
    ("azure-pip-name", "a/b/c", "before the '/' there must be the name of a namespace"),
    ("azure-pip-name-ipv6", "a/", NAME),
    ("azure-dns-label-name", "a.b", LABEL),
    ("azure-dns-label-name", "Web", LABEL),
    ("azure-dns-label-name", "1web", "must begin with a letter"),
    ("azure-allowed-ip-ranges", "x", CIDRS),
    ("azure-allowed-ip-ranges", "10.0.0.0/8,x", CIDRS),
    ("azure-allowed-ip-ranges", "", "must be CIDRs such as 10.9.8.0/24, not ''"),
    ("azure-allowed-ip-ranges", "10.0.0.1", "must be CIDRs such as 10.9.8.0/24, not '10.0.0.1'"),
    ("azure-allowed-ip-ranges", "10.0.0.1/8", "must be CIDRs such as 10.9.8.0/24, not '10.0.0.1/8'"),
    ("azure-allowed-service-tags", ",", f"{TAGS}''"),
    ("azure-allowed-service-tags", "Internet,10.0.0.0/8", f"{TAGS}'10.0.0.0/8'"),
    ("azure-allowed-service-tags", "a" * 81, f"{TAGS}'{'a' * 81}'"),
    ("azure-additional-public-ips", "20.0.0.1, 20.0.0.2", "must have no spaces between addresses"),
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
    ("azure-load-balancer-health-probe-request-path", " /healthz", PATH),
    ("azure-load-balancer-health-probe-request-path", "", PATH),
    ("azure-load-balancer-health-probe-request-path", "/a\nb", PATH),
    ("port_80_health-probe_protocol", "udp", PROTOCOL),
    ("port_80_health-probe_interval", "4", INTERVAL),
    ("port_80_health-probe_num-of-probe", "1", PROBES),
    ("port_80_health-probe_request-path", "", PATH),
    ("port_80_health-probe_port", "0", PORT + LETTER),
    ("port_80_health-probe_port", "65536", PORT + LETTER),
    ("port_80_health-probe_port", "a_b", PORT + CHARACTERS),
    ("fairlead.io/proxy-protocol", "v3", "must be one of v1, v2"),
    *((key, "20.0.0.1,20.0.0.2", "must be one address of each IP family at most") for key in LISTED),
    *((key, "x", ADDRESSES) for key in LISTED),
    *((key, "a/b", NAME) for key in POOLS_OF_METALLB),
    ("azure-additional-public-ips", "x", ADDRESSES),
    ("azure-additional-public-ips", "20.0.0.1,x", ADDRESSES),
]


def test_the_tables_cover_every_key():
    keys = {key.removeprefix("port_80_") for key, *_ in (*GOOD, *BAD)}
    assert keys == {*(key.removeprefix(PREFIX) for key in READERS), *PORT_READERS}


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_good_values(key, value):
    spec = {"ipFamilyPolicy": "RequireDualStack", "ports": [{"name": "http", "port": 80}]}
    _, causes = balanced(OURS_DUAL, spec, **{key: value, **COMPANIONS.get(key, {})})
    assert causes == []


@pytest.mark.parametrize(("key", "value", "problem"), BAD)
def test_bad_values(key, value, problem):
    _, causes = balanced(**{key: value})
    assert [(cause.field, cause.reason, cause.message) for cause in causes] == [
        (f"metadata.annotations[{whole(key)}]", "FieldValueInvalid", f'Invalid value: "{shortened(value)}": {problem}')
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


RANGES_KEY = f"metadata.annotations[{PREFIX}azure-allowed-ip-ranges]"
CONTRADICTIONS = [
    ({"azure-allowed-service-tags": "Internet"}, ["10.0.0.0/8"], []),
    ({"azure-allowed-service-tags": "Internet", "azure-allowed-ip-ranges": "10.0.0.0/8"}, None, []),
    ({"azure-allowed-ip-ranges": "10.0.0.0/8"}, ["10.0.0.0/8"], [f"{RANGES_KEY} forbidden"]),
    (
        {"load-balancer-source-ranges": "10.0.0.0/8"}, ["10.0.0.0/8"],
        [f"metadata.annotations[{PREFIX}load-balancer-source-ranges] forbidden"],
    ),
    ({"load-balancer-source-ranges": " "}, ["10.0.0.0/8"], []),
    ({}, ["fd00::/8"], ["spec.loadBalancerSourceRanges invalid"]),
    ({"azure-allowed-ip-ranges": "fd00::/8"}, None, [f"{RANGES_KEY} invalid"]),
    ({"azure-allowed-ip-ranges": "fd00::/8", "azure-allowed-service-tags": "Storage"}, None, []),
    ({}, ["fd00::/8", "10.0.0.0/8"], []),
    (
        {"azure-deny-all-except-load-balancer-source-ranges": "true"}, None,
        [f"metadata.annotations[{PREFIX}azure-deny-all-except-load-balancer-source-ranges] forbidden"],
    ),
    ({"azure-deny-all-except-load-balancer-source-ranges": "true"}, ["10.0.0.0/8"], []),
    ({"port_80_health-probe_port": "HTTP"}, None, []),
    (
        {"port_80_health-probe_port": "admin"}, None,
        [f"metadata.annotations[{PREFIX}port_80_health-probe_port] invalid"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("annotations", "ranges", "expected"), CONTRADICTIONS)
def test_values_that_contradict_each_other(annotations, ranges, expected):
    spec = {"ports": [{"name": "http", "port": 80}], "loadBalancerSourceRanges": ranges}
    _, causes = balanced(spec=spec, **annotations)
    assert faults(causes) == wanted(*expected)


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


MEANT = "is unknown and has no effect; do you mean"
UNKNOWN = [
    (
        "azure-load-balancer-intrenal",
        f"is unknown and has no effect; do you mean {PREFIX}azure-load-balancer-internal?",
    ),
    ("port_80_no_lb_rul", f"is unknown and has no effect; do you mean {PREFIX}port_80_no_lb_rule?"),
    ("azure-something-else", "is unknown and has no effect; is it misspelt?"),
    ("port_81_no_lb_rule", "is ignored: the Service has no port 81"),
    ("azure-pls-create", "has no effect here: there are no private link services"),
    ("azure-pip-prefix-id", f"has no effect here: {FROM_POOLS}; name the address or its pool"),
    ("azure-pip-prefix-id-ipv6", f"has no effect here: {FROM_POOLS}; name the address or its pool"),
    ("azure-pip-tags", f"has no effect here: {FROM_POOLS}, which have no tags"),
    ("azure-pip-ip-tags", f"has no effect here: {FROM_POOLS}, which have no tags"),
    ("azure-load-balancer-configurations", f"has no effect here: {ONE_EACH}"),
    ("azure-load-balancer-mode", f"has no effect here: {ONE_EACH}"),
    (
        "azure-load-balancer-resource-group",
        "has no effect here: addresses belong to namespaces, not to resource groups",
    ),
    ("azure-shared-securityrule", "has no effect here: each Service has access rules of its own"),
]


@pytest.mark.parametrize(("key", "text"), UNKNOWN)
def test_keys_without_effect_are_warned_of(key, text):
    new, causes = balanced(**{key: "true"})
    assert causes == []
    assert SERVICE.strategy.warnings(new, None, OURS) == [f"annotation {PREFIX}{key} {text}"]


def test_thousands_of_unknown_keys_cost_no_more_than_a_few():
    new, _ = balanced(**{f"azure-load-balancer-intrenal{number}": "true" for number in range(5000)})
    warnings = SERVICE.strategy.warnings(new, None, OURS)
    assert sum("do you mean" in warning for warning in warnings) == 8
    assert len(warnings) == 5000


LOCAL = {"externalTrafficPolicy": "Local", "healthCheckNodePort": 30100}
INTERNAL = {"azure-load-balancer-internal": "true"}
HIGH = {"azure-load-balancer-enable-high-availability-ports": "true"}
HEALTHZ = "with externalTrafficPolicy Local, /healthz of the healthCheckNodePort is probed"
NO_PATH = "a TCP probe has no path"
PROBE = "azure-load-balancer-health-probe-"
USELESS = [
    (HIGH, {}, next(iter(HIGH)), "only an internal load balancer can have such a rule"),
    ({**HIGH, **INTERNAL}, {}, None, ""),
    (
        {**HIGH, **INTERNAL, "port_80_no_lb_rule": "true"}, {}, "port_80_no_lb_rule", "one rule covers all ports",
    ),
    (
        {"azure-load-balancer-internal-subnet": "apps"}, {}, "azure-load-balancer-internal-subnet",
        "only an internal load balancer takes its addresses from a subnet",
    ),
    (
        {"azure-dns-label-name": "shop", **INTERNAL}, {}, "azure-dns-label-name",
        "an internal load balancer has no public name",
    ),
    ({f"{PROBE}request-path": "/x"}, {}, f"{PROBE}request-path", NO_PATH),
    ({f"{PROBE}request-path": "/x", f"{PROBE}protocol": "http"}, {}, None, ""),
    ({"port_80_health-probe_request-path": "/x"}, {}, "port_80_health-probe_request-path", NO_PATH),
    ({f"{PROBE}interval": "7"}, {"ports": [{"port": 53, "protocol": "UDP"}]}, f"{PROBE}interval", "nothing is probed"),
    (
        {"port_80_health-probe_interval": "7", "port_80_no_probe_rule": "true"}, {}, "port_80_health-probe_interval",
        "port 80 is not probed",
    ),
    ({f"{PROBE}protocol": "http"}, LOCAL, f"{PROBE}protocol", HEALTHZ),
    ({f"{PROBE}interval": "7"}, LOCAL, None, ""),
    ({"port_80_health-probe_interval": "7"}, LOCAL, "port_80_health-probe_interval", HEALTHZ),
    ({"port_30100_health-probe_interval": "7"}, LOCAL, None, ""),
    (
        {"port_30100_health-probe_protocol": "tcp"}, LOCAL, "port_30100_health-probe_protocol",
        "this probe asks for /healthz by HTTP",
    ),
    ({"port_80_health-probe_port": "8080", "port_80_health-probe_interval": "7"}, LOCAL, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("annotations", "spec", "key", "reason"), USELESS)
def test_known_keys_that_have_no_effect_on_a_service_are_warned_of(annotations, spec, key, reason):
    new, causes = balanced(spec=spec, **annotations)
    assert causes == []
    expected = [] if key is None else [f"annotation {PREFIX}{key} is ignored: {reason}"]
    assert SERVICE.strategy.warnings(new, None, OURS) == expected


@pytest.mark.parametrize("key", SHARING)
def test_a_key_for_sharing_has_an_effect_only_beside_an_address(key):
    alone, _ = balanced(**{key: "front"})
    assert SERVICE.strategy.warnings(alone, None, OURS) == [
        f"annotation {key} is ignored: Services share an address by naming it, or the StaticAddress that keeps it"
    ]
    named, _ = balanced(**{key: "front", LISTED[0]: "20.0.0.1"})
    assert SERVICE.strategy.warnings(named, None, OURS) == []


def test_other_keys_of_other_load_balancers_are_let_alone():
    new, causes = balanced(**{"metallb.io/ip-allocated-from-pool": "x", "kube-vip.io/vipHost": "y"})
    assert causes == []
    assert SERVICE.strategy.warnings(new, None, OURS) == []


def test_a_tag_that_admits_nobody_is_warned_of():
    new, causes = balanced(**{"azure-allowed-service-tags": "Internet,Storage,Sql"})
    assert causes == []
    known = ServiceTags.read(b'{"values": [{"name": "Storage", "properties": {"addressPrefixes": ["13.66.0.0/16"]}}]}')
    assert SERVICE.strategy.warnings(new, None, cluster(ours=True, service_tags=known)) == [
        "the service tag Sql admits nobody: --service-tags names no list that has its addresses"
    ]


@pytest.mark.parametrize("key", ["port_x_no_lb_rule", "something-else"])
def test_keys_of_others_are_let_alone(key):
    new, causes = balanced(**{key: "10.0.0.0/8"})
    assert causes == []
    assert SERVICE.strategy.warnings(new, None, OURS) == []


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

    def test_contradictions(self):
        key = f"{PREFIX}azure-allowed-ip-ranges"
        ranges = {"loadBalancerSourceRanges": ["10.0.0.0/8"]}
        both = self.stored({key: "10.0.0.0/8"}, **ranges)
        _, causes = updated(web(type="LoadBalancer", **ranges), both, OURS)
        assert causes == []
        one = self.stored({key: "10.0.0.0/8"})
        _, causes = updated(web(type="LoadBalancer", **ranges), one, OURS)
        assert faults(causes) == wanted(f"metadata.annotations[{key}] forbidden")
        other = self.stored({}, **ranges)
        _, causes = updated(web(type="LoadBalancer", **ranges), other, OURS, annotations={key: "10.0.0.0/8"})
        assert faults(causes) == wanted(f"metadata.annotations[{key}] forbidden")


def test_the_page_about_load_balancers_names_every_key():
    page = (Path(app.__path__[0]).parent / "docs" / "load-balancers.md").read_text(encoding="utf-8")
    keys = [key.removeprefix(PREFIX) for key in (*READERS, *WITHOUT_EFFECT)]
    keys += [f"_{key.rpartition('_')[2]}" if "probe_" in key else f"port_{{p}}_{key}" for key in PORT_READERS]
    assert [key for key in keys if key not in page] == []
