import ipaddress

import pytest
from msgspec.structs import replace

from app.domain.declarations.dns_record_set import DNS_RECORD_SET
from app.domain.kinds.endpoint_slice import Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from app.domain.kinds.service import ServicePort
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.name_wish import INTERNAL_HOSTNAME, NAMES
from app.domain.rules.zone_description import ZoneDescription
from app.domain.wanted.dns_record_sets import record_sets
from app.domain.wanted.dns_records import TOLERATE_UNREADY, TTL, dashed, dns_records
from app.domain.wanted.service_records import record_names, service_records
from tests.unit.backend_objects import make_service

ZONE = "cluster.local"
NAME = "web.shop.svc.cluster.local."
CLUSTER = Cluster(
    service_cidrs=("10.96.0.0/16",),
    node_port_range=(30000, 32767),
    cluster_domain=ZONE,
    manages_load_balancers=True,
    now="2026-01-01T00:00:00Z",
)


def records(service, *slices):
    return {(each.name, each.type): each.values for each in dns_records(service, slices, ZONE)}


def endpoints(family, *items, ports=(("http", "TCP", 8080),)):
    return EndpointSlice(
        address_type=family,
        endpoints=[
            Endpoint(addresses=list(ips), hostname=host, conditions=EndpointConditions(ready=ready))
            for ips, host, ready in items
        ],
        ports=[EndpointPort(*each) for each in ports],
    )


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "LoadBalancer"])
def test_a_service_with_a_cluster_ip(kind):
    assert records(make_service(type=kind, external_ips=["192.0.2.1"])) == {
        (NAME, "A"): ("10.96.0.10",),
        (f"_http._tcp.{NAME}", "SRV"): (f"0 100 80 {NAME}",),
        ("10.0.96.10.in-addr.arpa.", "PTR"): (NAME,),
    }


def test_dual_stack_has_both_kinds_of_addresses_and_pointers():
    found = records(make_service(cluster_ips=["10.96.0.10", "fd00::10"], ports=[ServicePort(port=80, protocol="TCP")]))
    reverse = ipaddress.ip_address("fd00::10").reverse_pointer
    assert found == {
        (NAME, "A"): ("10.96.0.10",),
        (NAME, "AAAA"): ("fd00::10",),
        ("10.0.96.10.in-addr.arpa.", "PTR"): (NAME,),
        (f"{reverse}.", "PTR"): (NAME,),
    }


def test_each_named_port_has_its_own_service_record():
    ports = [ServicePort("dns", "UDP", None, 53), ServicePort("dns-tcp", "TCP", None, 53)]
    found = records(make_service(ports=ports))
    assert found[f"_dns._udp.{NAME}", "SRV"] == (f"0 100 53 {NAME}",)
    assert found[f"_dns-tcp._tcp.{NAME}", "SRV"] == (f"0 100 53 {NAME}",)


def test_before_allocation_there_are_no_records():
    assert records(make_service(cluster_ip="", cluster_ips=None)) == {}


@pytest.mark.parametrize("target", ["db.example.com", "db.example.com."])
def test_an_external_name_is_an_alias_and_nothing_else(target):
    service = make_service(type="ExternalName", cluster_ip="", cluster_ips=None, external_name=target)
    assert records(service) == {(NAME, "CNAME"): ("db.example.com.",)}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"type": "LoadBalancer", "cluster_ips": ["10.96.0.10", "fd00::10"]},
        {"ports": [ServicePort("dns", "UDP", None, 53), ServicePort("", "TCP", None, 53), ServicePort("s", "SCTP")]},
        {"cluster_ip": "", "cluster_ips": None},
        {"type": "ExternalName", "cluster_ip": "", "cluster_ips": None, "external_name": "db.example.com"},
        {"type": "ExternalName", "cluster_ip": "", "cluster_ips": None, "external_name": "x" * 64},
    ],
)
@pytest.mark.parametrize("name", ["web", "w" * 63])
@pytest.mark.parametrize("annotations", [None, {NAMES: "shop.example.org", INTERNAL_HOSTNAME: "shop.example.org"}])
def test_names_are_known_without_the_records(spec, name, annotations):
    service = make_service(**spec)
    service.metadata.name, service.metadata.annotations = name, annotations
    for domain in (ZONE, "a" * 63 + "." + "b" * 63 + "." + "c" * 63):
        assert record_names(service, domain) == {each.name for each in service_records(service, (), domain)}


def headless(**spec):
    return make_service(cluster_ip="None", cluster_ips=["None"], **spec)


def test_a_headless_service_names_its_ready_endpoints():
    found = records(
        headless(),
        endpoints("IPv4", (["10.1.0.2"], None, True), (["10.1.0.1"], "db-0", None), (["10.1.0.3"], None, False)),
    )
    assert found == {
        (NAME, "A"): ("10.1.0.1", "10.1.0.2"),
        (f"10-1-0-2.{NAME}", "A"): ("10.1.0.2",),
        (f"db-0.{NAME}", "A"): ("10.1.0.1",),
        (f"_http._tcp.{NAME}", "SRV"): (f"0 50 8080 10-1-0-2.{NAME}", f"0 50 8080 db-0.{NAME}"),
        ("1.0.1.10.in-addr.arpa.", "PTR"): (f"db-0.{NAME}",),
        ("2.0.1.10.in-addr.arpa.", "PTR"): (f"10-1-0-2.{NAME}",),
    }


@pytest.mark.parametrize("value", ["true", "false"])
@pytest.mark.parametrize("how", ["field", "annotation"])
def test_endpoints_that_are_not_ready_can_be_published(how, value):
    service = headless(publish_not_ready_addresses=how == "field" and value == "true")
    if how == "annotation":
        service.metadata.annotations = {TOLERATE_UNREADY: value}
    found = records(service, endpoints("IPv4", (["10.1.0.1"], None, True), (["10.1.0.3"], "db-0", False)))
    assert found[NAME, "A"] == (("10.1.0.1", "10.1.0.3") if value == "true" else ("10.1.0.1",))
    assert (("3.0.1.10.in-addr.arpa.", "PTR") in found) is (value == "true")
    assert ((f"db-0.{NAME}", "A") in found) is (value == "true")


def test_a_dual_stack_pod_has_one_hostname_with_both_addresses():
    found = records(
        headless(),
        endpoints("IPv4", (["10.1.0.1"], "db-0", True)),
        endpoints("IPv6", (["fd00::1"], "db-0", True)),
    )
    assert found[f"db-0.{NAME}", "A"] == ("10.1.0.1",)
    assert found[f"db-0.{NAME}", "AAAA"] == ("fd00::1",)
    assert found[f"_http._tcp.{NAME}", "SRV"] == (f"0 100 8080 db-0.{NAME}",)


def test_endpoints_with_different_ports_are_weighed_together():
    found = records(
        headless(),
        endpoints("IPv4", (["10.1.0.1"], "a", True), ports=[("http", "TCP", 8080)]),
        endpoints(
            "IPv4", (["10.1.0.2"], "b", True), ports=[("http", "TCP", 9090), (None, "TCP", 7), ("any", "TCP", None)]
        ),
    )
    assert found[f"_http._tcp.{NAME}", "SRV"] == (f"0 50 8080 a.{NAME}", f"0 50 9090 b.{NAME}")
    assert sum(kind == "SRV" for _, kind in found) == 1


@pytest.mark.parametrize(
    "slices",
    [[], [endpoints("IPv4", (["10.1.0.1"], None, False))], [endpoints("FQDN", (["a.example.com"], None, True))]],
)
def test_without_ready_endpoints_a_headless_name_does_not_exist(slices):
    assert records(headless(), *slices) == {}


def test_many_endpoints_still_weigh_something():
    items = [([f"10.1.{i // 250}.{i % 250}"], None, True) for i in range(300)]
    values = records(headless(), endpoints("IPv4", *items))[f"_http._tcp.{NAME}", "SRV"]
    assert len(values) == 300
    assert {value.split()[1] for value in values} == {"1"}


@pytest.mark.parametrize(
    ("address", "label"),
    [("1.2.3.4", "1-2-3-4"), ("fd00::5", "fd00--5"), ("::1", "0--1"), ("fd00::", "fd00--0"), ("::", "0--0")],
)
def test_addresses_as_labels(address, label):
    assert dashed(address) == label


def test_record_sets_are_objects_named_after_their_service():
    service = make_service(cluster_ips=["10.96.0.10", "fd00::10"])
    service.metadata.resource_version, service.metadata.creation_timestamp = "7", "2026-01-01T00:00:00Z"
    made = record_sets(service, (), CLUSTER)
    assert [each.metadata.name for each in made] == [
        "web.a",
        "web.aaaa",
        "web.srv.http.tcp",
        "web.ptr.10-96-0-10",
        "web.ptr.fd00--10",
    ]
    assert len({each.metadata.uid for each in made}) == 5
    assert [each.metadata.uid for each in record_sets(service, (), CLUSTER)] == [each.metadata.uid for each in made]
    first = made[0]
    assert (first.api_version, first.kind, first.metadata.namespace) == ("fairlead.io/v1", "DNSRecordSet", "shop")
    assert (first.metadata.resource_version, first.metadata.creation_timestamp) == ("7", "2026-01-01T00:00:00Z")
    assert (first.spec.name, first.spec.type, first.spec.ttl, first.spec.values) == (NAME, "A", TTL, ["10.96.0.10"])
    assert first.status.servers is None
    assert DNS_RECORD_SET.derivation.derive(service, (), CLUSTER) == made


def test_record_sets_say_who_serves_them():
    zones = (
        ZoneDescription("96.10.in-addr.arpa", "reverse", "x"),
        ZoneDescription(ZONE, "cluster", ZONE, copies=("192.0.2.1", "192.0.2.2:54")),
    )
    made = record_sets(make_service(cluster_ips=["10.96.0.7", "fd00::7"]), (), replace(CLUSTER, zones=zones))
    told = {each.spec.type: (each.status.zone, each.status.servers, each.status.conditions[0].status) for each in made}
    assert told["A"] == (ZONE, ["192.0.2.1", "192.0.2.2:54"], "True")
    assert told["PTR"] == ("", None, "False")
    assert [each.status.zone for each in made if each.spec.type == "PTR"] == ["96.10.in-addr.arpa", ""]


def test_names_of_record_sets_differ_and_lead_back_to_the_service():
    items = [([f"10.1.0.{i}"], host, True) for i, host in enumerate(["a", "aaaa", None, "srv"])]
    made = record_sets(headless(), [endpoints("IPv4", *items), endpoints("IPv6", (["fd00::"], "a", True))], CLUSTER)
    names = [each.metadata.name for each in made]
    assert len(names) == len(set(names))
    assert {name.split(".")[0] for name in names} == {"web"}


def test_columns():
    (first, *_) = record_sets(make_service(), (), CLUSTER)
    first.metadata.creation_timestamp = "2025-12-31T23:59:00Z"
    cells = [column.cell(first, CLUSTER.now) for column in DNS_RECORD_SET.columns]
    assert cells == ["web.a", NAME, "A", "10.96.0.10", TTL, "60s"]
