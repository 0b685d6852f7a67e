"""DNSZones: which are accepted, and which there are without being asked for."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.documents.decoding import to_document
from app.domain.rules.dns_servers import server_endpoint
from app.domain.rules.pool_description import PoolDescription
from app.domain.rules.zone_description import ZoneDescription, ancestors, is_within, zone_of
from app.domain.wanted.initial_zones import initial_zones, reverse_zones
from tests.unit.rule_runner import CLUSTER, cells, create, created, parse, shown, update, write_status


def zone(name="example.org", kind="public", **spec):
    return {"spec": {"name": name, "kind": kind, **spec}}


NAMES = [
    ("example.org", "public", set()),
    ("Example.ORG.", "public", set()),
    ("org", "public", set()),
    ("", "public", {("spec.name", "Required")}),
    ("exa_mple.org", "public", {("spec.name", "Invalid")}),
    ("example..org", "public", {("spec.name", "Invalid")}),
    ("example.org", "", {("spec.kind", "Required")}),
    ("example.org", "Public", {("spec.kind", "NotSupported")}),
    ("cluster.local", "cluster", set()),
    ("cluster.example", "cluster", {("spec.name", "Invalid")}),
    ("svc.cluster.local", "public", {("spec.name", "Invalid")}),
    ("2.0.192.in-addr.arpa", "reverse", set()),
    ("8.b.d.0.1.0.0.2.ip6.arpa", "reverse", set()),
    ("example.org", "reverse", {("spec.name", "Invalid")}),
    ("2.0.192.in-addr.arpa", "public", {("spec.kind", "Invalid")}),
]


@pytest.mark.parametrize(("name", "kind", "causes"), NAMES)
def test_which_names_are_refused(name, kind, causes):
    assert create(DNS_ZONE, zone(name, kind))[1] == causes


SERVERS = [
    (
        {"secondaries": [{"address": "192.0.2.1"}, {"address": "[2001:db8::1]:5353", "tsigKeyName": "key.example"}]},
        set(),
    ),
    ({"secondaries": [{"address": "ns1.example.org"}]}, {("spec.secondaries[0].address", "Invalid")}),
    ({"secondaries": [{"address": "192.0.2.1:0"}]}, {("spec.secondaries[0].address", "Invalid")}),
    ({"secondaries": [{"address": "192.0.2.1"}] * 2}, {("spec.secondaries[1].address", "Duplicate")}),
    ({"secondaries": [{"address": f"192.0.2.{n}"} for n in range(33)]}, {("spec.secondaries", "TooMany")}),
    (
        {"secondaries": [{"address": "192.0.2.1", "tsigKeyName": "a key"}]},
        {("spec.secondaries[0].tsigKeyName", "Invalid")},
    ),
    ({"allowTransfer": [{"network": "192.0.2.0/24"}, {"network": "::/0", "tsigKeyName": "key"}]}, set()),
    ({"allowTransfer": [{"network": "192.0.2.1/24"}]}, {("spec.allowTransfer[0].network", "Invalid")}),
    ({"nameServers": ["ns1.example.org", "ns2.example.net"]}, set()),
    ({"nameServers": ["ns1.example.org", "NS1.example.org."]}, {("spec.nameServers[1]", "Duplicate")}),
    ({"nameServers": ["-"]}, {("spec.nameServers[0]", "Invalid")}),
    ({"primary": {"address": "192.0.2.1", "tsigKeyName": "key"}}, set()),
    ({"primary": {"address": ""}}, {("spec.primary.address", "Invalid")}),
    (
        {"primary": {"address": "192.0.2.1"}, "secondaries": [{"address": "192.0.2.2"}]},
        {("spec.secondaries", "Forbidden")},
    ),
    ({"location": "westeurope", "namespaceSelector": {"matchLabels": {"team": "a"}}}, set()),
    ({"location": "west.europe"}, {("spec.location", "Invalid")}),
    (
        {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}},
        {("spec.namespaceSelector.matchExpressions[0].operator", "NotSupported")},
    ),
]


@pytest.mark.parametrize(("spec", "causes"), SERVERS)
def test_which_specs_are_refused(spec, causes):
    assert create(DNS_ZONE, zone(**spec))[1] == causes


def test_only_a_public_zone_has_what_is_about_names_of_services():
    spec = {"location": "here", "namespaceSelector": {}, "primary": {"address": "192.0.2.1"}}
    assert create(DNS_ZONE, zone("cluster.local", "cluster", **spec))[1] == {
        ("spec.location", "Forbidden"),
        ("spec.namespaceSelector", "Forbidden"),
        ("spec.primary", "Forbidden"),
    }


def test_names_are_written_in_one_way():
    made = created(DNS_ZONE, zone("Example.ORG.", nameServers=["NS1.Example.org."], location="West"))
    assert (made.spec.name, made.spec.name_servers, made.spec.location) == ("example.org", ["ns1.example.org"], "west")
    assert made.metadata.generation == 1


def test_a_name_is_of_one_zone():
    other = ZoneDescription("example.org", "public", "other")
    cluster = replace(CLUSTER, zones=(other,))
    obj = parse(DNS_ZONE, zone())
    assert shown(DNS_ZONE.strategy.validate_create(obj, cluster)) == {("spec.name", "Duplicate")}
    assert [claim.key for claim in DNS_ZONE.strategy.claims(obj, cluster)] == ["example.org/@"]
    obj.metadata.name = "other"
    assert DNS_ZONE.strategy.validate_create(obj, cluster) == []


def test_name_and_kind_stay_and_the_status_is_the_servers():
    old = created(DNS_ZONE, zone())
    assert update(DNS_ZONE, old, zone("example.net"))[1] == {("spec.name", "Invalid")}
    assert update(DNS_ZONE, old, zone(kind="reverse"))[1] == {("spec.kind", "Invalid")}
    new, causes = update(DNS_ZONE, old, {**zone(nameServers=["ns.example.net"]), "status": {"serial": 7}})
    assert (causes, new.metadata.generation, new.status.serial) == (set(), 2, 0)


def test_a_client_cannot_set_serials_back():
    old = created(DNS_ZONE, zone())
    checkpoint = {"revision": 1, "serial": 2, "offset": 3}
    new, _ = write_status(DNS_ZONE, old, {"status": {"serial": 7, "checkpoint": checkpoint}})
    assert (new.status.serial, new.status.checkpoint) == (7, None)


def test_everybody_may_read_is_warned_of():
    made = created(DNS_ZONE, zone(allowTransfer=[{"network": "0.0.0.0/0"}, {"network": "::/0", "tsigKeyName": "k"}]))
    assert [text.partition(":")[0] for text in DNS_ZONE.strategy.warnings(made, None, CLUSTER)] == [
        "spec.allowTransfer[0]"
    ]


def test_columns():
    shown_ = cells(
        DNS_ZONE,
        {
            **zone(secondaries=[{"address": "192.0.2.1"}, {"address": "192.0.2.2"}]),
            "status": {
                "serial": 12,
                "servers": [{"address": "192.0.2.1", "state": "Current"}, {"address": "192.0.2.2", "state": "Behind"}],
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        },
    )
    assert shown_.items() >= {
        "Zone": "example.org", "Serial": 12, "Current": "1/2", "Ready": "True", "Synchronized": "Unknown",
    }.items()  # fmt: skip


ENDPOINTS = [
    ("192.0.2.1", ("192.0.2.1", 53)),
    ("192.0.2.1:5353", ("192.0.2.1", 5353)),
    ("2001:DB8::1", ("2001:db8::1", 53)),
    ("[2001:db8::1]", ("2001:db8::1", 53)),
    ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ("192.0.2.1:", None),
    ("192.0.2.1:65536", None),
    ("[192.0.2.1]:53", None),
    ("192.0.2", None),
    ("localhost", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "found"), ENDPOINTS)
def test_addresses_of_servers(text, found):
    assert server_endpoint(text) == found


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_an_address(text):
    found = server_endpoint(text)
    assert found is None or (found.host and 1 <= found.port <= 65535)


REVERSE = [
    (["10.96.0.0/16"], ["96.10.in-addr.arpa"]),
    (["10.96.0.0/15"], ["96.10.in-addr.arpa", "97.10.in-addr.arpa"]),
    (["10.96.0.0/12"], [f"{n}.10.in-addr.arpa" for n in range(96, 112)]),
    (["192.0.2.16/28"], ["2.0.192.in-addr.arpa"]),
    (["10.0.0.0/8", "10.96.0.0/24"], ["10.in-addr.arpa"]),
    (["2001:db8::/32"], ["8.b.d.0.1.0.0.2.ip6.arpa"]),
    (["2001:db8::/31"], ["8.b.d.0.1.0.0.2.ip6.arpa", "9.b.d.0.1.0.0.2.ip6.arpa"]),
]


@pytest.mark.parametrize(("networks", "zones"), REVERSE)
def test_the_zones_of_reverse_names(networks, zones):
    assert reverse_zones(map(ip_network, networks)) == zones


def test_the_zones_that_there_are_from_the_start():
    zones = initial_zones(replace(CLUSTER, pools=(PoolDescription.of("it", "external", ["192.0.2.10-192.0.3.7"]),)))
    assert [(each.spec.name, each.spec.kind) for each in zones] == [
        ("cluster.local", "cluster"),
        ("96.10.in-addr.arpa", "reverse"),
        (f"{'0.' * 16}6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa", "reverse"),
        ("2.0.192.in-addr.arpa", "reverse"),
        ("3.0.192.in-addr.arpa", "reverse"),
    ]
    for each in zones:
        made, causes = create(DNS_ZONE, {"metadata": {"name": each.metadata.name}, **to_document(each)})
        assert (made.spec, causes) == (each.spec, set())


@given(st.ip_addresses(v=4), st.integers(8, 32))
def test_every_address_has_its_reverse_name_in_one_of_the_zones(address, prefix):
    pool = PoolDescription.of("it", "external", [f"{address}-255.255.255.255"] if prefix == 8 else [str(address)])
    zones = [each.spec.name for each in initial_zones(replace(CLUSTER, service_cidrs=(), pools=(pool,)))]
    assert sum(is_within(address.reverse_pointer, each) for each in zones) == 1


def test_no_networks_have_no_zones():
    assert reverse_zones([]) == []


def test_a_name_belongs_to_the_zone_with_the_longest_name():
    zones = [ZoneDescription(name, "public", name) for name in ("org", "example.org", "b.example.org")]
    found = {name: zone_of(name, zones) for name in ("a.example.org", "xexample.org", "b.example.org", "net")}
    assert {name: each and each.name for name, each in found.items()} == {
        "a.example.org": "example.org", "xexample.org": "org", "b.example.org": "b.example.org", "net": None,
    }  # fmt: skip
    assert list(ancestors("a.b.c")) == ["a.b.c", "b.c", "c"]
