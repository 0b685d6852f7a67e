"""Public names: what a Service asks for, what it gets, and what it is told of the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.declarations.service import SERVICE
from app.domain.rules.service.conditions import PUBLIC_NAMES, find_condition
from app.domain.rules.service.name_wish import (
    DEFAULT_TTL,
    HOSTNAME,
    INTERNAL_HOSTNAME,
    LABEL,
    NAMES,
    TARGET,
    TIME_TO_LIVE,
    name_wish,
)
from app.domain.rules.service.public_names import DNS_LABEL, asks_for_names, name_claims, settle_names
from app.domain.rules.zone_description import ZoneDescription
from tests.unit.rule_runner import CLUSTER, create, parse, update, write_status

INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
ZONES = (
    ZoneDescription("cluster.local", "cluster", "cluster.local"),
    ZoneDescription("example.net", "public", "net", namespaces=frozenset(["elsewhere"])),
    ZoneDescription("example.org", "public", "org", location="west"),
)
AT = replace(CLUSTER, zones=ZONES)


def service(annotations=None, **spec):
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}]} | spec
    return parse(SERVICE, {"metadata": {"annotations": annotations or {}}, "spec": spec})


def settled(obj, held=None, cluster=AT):
    """Names, label and condition of a Service afterwards; `held` has by claim who else has it."""
    settle_names(obj, cluster, lambda claim: (held or {}).get(claim.key, ""))
    annotations = obj.metadata.annotations or {}
    condition = find_condition(obj, PUBLIC_NAMES)
    told = (condition.status, condition.reason) if condition else None
    return annotations.get(NAMES, ""), annotations.get(LABEL, ""), told


NAMED = ("True", "Named")
CASES = [
    ({}, {}, ("", "", None)),
    ({DNS_LABEL: "shop"}, {}, ("shop.west.example.org", "shop", NAMED)),
    ({DNS_LABEL: ""}, {}, ("", "", None)),
    ({DNS_LABEL: "shop", INTERNAL: "true"}, {}, ("", "", None)),
    ({DNS_LABEL: "shop"}, {"type": "ClusterIP"}, ("", "", None)),
    ({DNS_LABEL: "shop"}, {"loadBalancerClass": "other/one"}, ("", "", None)),
    ({HOSTNAME: "www.example.org"}, {}, ("www.example.org", "", NAMED)),
    ({HOSTNAME: "WWW.Example.ORG., b.example.org"}, {}, ("www.example.org,b.example.org", "", NAMED)),
    ({HOSTNAME: "www.example.org,www.example.com"}, {}, ("www.example.org", "", ("False", "NoZone"))),
    ({HOSTNAME: "www.example.net"}, {}, ("", "", ("False", "NoZone"))),
    ({HOSTNAME: "a.svc.cluster.local"}, {}, ("", "", ("False", "NoZone"))),
    ({HOSTNAME: "x.west.example.org"}, {}, ("", "", ("False", "InvalidName"))),
    ({HOSTNAME: "*.example.org"}, {}, ("", "", ("False", "InvalidName"))),
    ({HOSTNAME: f"{'a' * 64}.example.org"}, {}, ("", "", ("False", "InvalidName"))),
    ({HOSTNAME: "example.org"}, {}, ("example.org", "", NAMED)),
    ({HOSTNAME: "example.org", TARGET: "lb.example.com"}, {}, ("", "", ("False", "InvalidName"))),
    ({HOSTNAME: "www.example.org"}, {"type": "ClusterIP"}, ("", "", ("False", "NoAddress"))),
    ({HOSTNAME: "www.example.org", TARGET: "192.0.2.1"}, {"type": "ClusterIP"}, ("www.example.org", "", NAMED)),
    ({INTERNAL_HOSTNAME: "in.example.org"}, {"type": "ClusterIP"}, ("in.example.org", "", NAMED)),
    ({HOSTNAME: "www.example.org"}, {"clusterIP": "None", "clusterIPs": ["None"], "type": "ClusterIP"},
     ("www.example.org", "", NAMED)),
    ({HOSTNAME: "www.example.org"}, {"type": "ExternalName", "externalName": "a.example.com"},
     ("www.example.org", "", NAMED)),
    ({DNS_LABEL: "shop", HOSTNAME: "www.example.org"}, {}, ("shop.west.example.org,www.example.org", "shop", NAMED)),
    ({HOSTNAME: "www.example.org", TIME_TO_LIVE: "soon"}, {}, ("www.example.org", "", ("False", "InvalidName"))),
]  # fmt: skip


@pytest.mark.parametrize(("annotations", "spec", "expected"), CASES)
def test_names(annotations, spec, expected):
    assert settled(service(annotations, **spec)) == expected


def test_a_label_that_is_taken_names_its_holder():
    obj = service({DNS_LABEL: "shop", HOSTNAME: "www.example.org"})
    held = {"public/shop": 'the Service "a/b"', "example.org/www": 'the Service "c/d"'}
    assert settled(obj, held) == ("", "", ("False", "NameTaken"))
    message = find_condition(obj, PUBLIC_NAMES).message
    assert 'the label "shop" is taken by the Service "a/b"' in message
    assert 'www.example.org is taken by the Service "c/d"' in message


def test_a_label_stays_when_the_annotation_goes_and_goes_when_it_is_empty():
    obj = service({DNS_LABEL: "shop"})
    settled(obj)
    del obj.metadata.annotations[DNS_LABEL]
    assert settled(obj) == ("shop.west.example.org", "shop", NAMED)
    obj.metadata.annotations[DNS_LABEL] = ""
    assert settled(obj) == ("", "", None)
    assert obj.status.conditions is None


def test_a_label_without_a_zone_is_kept_for_when_there_is_one():
    obj = service({DNS_LABEL: "shop"})
    assert settled(obj, cluster=CLUSTER) == ("", "shop", ("False", "NoZone"))
    assert [claim.key for claim in name_claims(obj)] == ["public/shop"]
    assert settled(obj) == ("shop.west.example.org", "shop", NAMED)
    assert [claim.key for claim in name_claims(obj)] == ["public/shop", "west.example.org/shop"]


def test_clients_cannot_write_what_the_server_shows():
    shown = {NAMES: "www.example.org", LABEL: "shop"}
    document = {"metadata": {"annotations": {"a": "b", **shown}}, "spec": {"ports": [{"port": 80}]}}
    made, _ = create(SERVICE, document)
    assert made.metadata.annotations == {"a": "b"}
    made.metadata.annotations = {"a": "b", **shown}
    changed, _ = update(SERVICE, made, {"metadata": {"annotations": {NAMES: "else"}}, "spec": document["spec"]})
    assert changed.metadata.annotations == shown
    changed, _ = write_status(SERVICE, made, {"metadata": {}, "spec": document["spec"]})
    assert changed.metadata.annotations == shown


def test_who_asks():
    assert not asks_for_names(service({"external-dns.alpha.kubernetes.io/controller": "x"}))
    assert asks_for_names(service({HOSTNAME: "-"}))
    assert asks_for_names(service({DNS_LABEL: ""}))
    assert asks_for_names(service({LABEL: "shop"}))


TTLS = [
    ("60", 60), ("1m", 60), ("1h1m1s", 3661), ("90s", 90), ("1.5s", 1), ("2147483647", 2147483647),
    ("0", None), ("2147483648", None), ("-1", None), ("", None), ("m", None), ("1d", None), ("9" * 5000, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), TTLS)
def test_times_to_live(text, seconds):
    wish = name_wish(service({TIME_TO_LIVE: text}))
    assert (wish.ttl, bool(wish.problems)) == (seconds or DEFAULT_TTL, seconds is None)


TARGETS = [
    ("192.0.2.1,2001:DB8::1", ("192.0.2.1", "2001:db8::1"), 0),
    ("LB.Example.com.", ("lb.example.com",), 0),
    ("a.example,b.example", (), 1),
    ("a.example,192.0.2.1", (), 1),
    ("-", (), 1),
]


@pytest.mark.parametrize(("text", "targets", "problems"), TARGETS)
def test_targets(text, targets, problems):
    wish = name_wish(service({TARGET: text}))
    assert (wish.targets, len(wish.problems)) == (targets, problems)


@given(st.dictionaries(st.sampled_from([HOSTNAME, INTERNAL_HOSTNAME, TARGET, TIME_TO_LIVE, DNS_LABEL]), st.text()))
def test_settling_twice_changes_nothing(annotations):
    obj = service(annotations)
    once = settled(obj)
    assert settled(obj) == once
    assert all(name.endswith(".example.org") or name == "example.org" for name in filter(None, once[0].split(",")))
