from app.domain.rules.zone_description import ZoneDescription
from app.domain.wanted.dns_records import Records
from app.domain.wanted.dns_zones import apex_records, nodes_of


def test_the_cluster_zone_has_the_records_of_the_specification_and_its_server():
    records = apex_records(
        ZoneDescription("cluster.local", "cluster", "cluster.local"), 2**32 + 7, ["192.0.2.1", "2001:db8::1"]
    )
    assert [(each.name, each.type, each.values) for each in records] == [
        ("cluster.local.", "SOA", ("ns.dns.cluster.local. hostmaster.cluster.local. 7 300 60 604800 5",)),
        ("cluster.local.", "NS", ("ns.dns.cluster.local.",)),
        ("dns-version.cluster.local.", "TXT", ('"1.1.0"',)),
        ("ns.dns.cluster.local.", "A", ("192.0.2.1",)),
        ("ns.dns.cluster.local.", "AAAA", ("2001:db8::1",)),
    ]


def test_a_zone_with_servers_of_its_own_names_these():
    zone = ZoneDescription("96.10.in-addr.arpa", "reverse", "x", name_servers=("ns1.example.org", "ns2.example.org"))
    assert [(each.type, each.values) for each in apex_records(zone, 1, ["192.0.2.1"])] == [
        ("SOA", ("ns1.example.org. hostmaster.96.10.in-addr.arpa. 1 300 60 604800 5",)),
        ("NS", ("ns1.example.org.", "ns2.example.org.")),
    ]


def test_a_name_is_there_for_the_names_below_it():
    records = [
        Records("srv", "_http._tcp.web.shop.svc.cluster.local.", "SRV", ("0 100 80 web.shop.svc.cluster.local.",)),
        Records("ptr", "1.0.96.10.in-addr.arpa.", "PTR", ("web.shop.svc.cluster.local.",)),
    ]
    nodes = nodes_of(records, "web.shop.svc.cluster.local.")
    assert {name: list(node) for name, node in nodes.items()} == {
        "_http._tcp.web.shop.svc.cluster.local.": ["SRV"],
        "_tcp.web.shop.svc.cluster.local.": [],
        "web.shop.svc.cluster.local.": [],
        "1.0.96.10.in-addr.arpa.": ["PTR"],
    }
