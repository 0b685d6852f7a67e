"""What the annotations of a load balancer say, as one typed value."""

from pathlib import Path

import pytest

import app
from app.domain.rules.service.annotations import ADDRESS_KEYS, NAME_KEYS, PORT_READERS, PREFIX, READERS
from app.domain.rules.service.foreign_annotations import FOREIGN_READERS
from app.domain.rules.service.load_balancer_wish import AskedAddress, LoadBalancerWish, PortWish, ProbeWish, wish_of
from tests.unit.rules.builders import service, web

PROBE = "azure-load-balancer-health-probe-"


def wished(spec=None, **annotations):
    keyed = {key if "/" in key else PREFIX + key: text for key, text in annotations.items()}
    return wish_of(service(web(type="LoadBalancer", ipFamilies=["IPv4"], **(spec or {})), annotations=keyed))


def listed(key, *addresses):
    return {
        "IPv6" if ":" in address else "IPv4": AskedAddress(
            address, "", f"metadata.annotations[{key}]", must_exist=False
        )
        for address in addresses
    }


LISTED = [key for key, (attribute, _) in FOREIGN_READERS.items() if attribute.startswith("listed.")]
READ = [
    ("azure-load-balancer-internal", "true", {"internal": True}),
    ("azure-load-balancer-internal", "True", {"internal": False}),
    ("azure-load-balancer-internal-subnet", "apps", {"subnet": ""}),
    ("azure-dns-label-name", "web", {"dns_label": "web"}),
    ("azure-dns-label-name", "", {"dns_label": ""}),
    ("azure-dns-label-name", "a.b", {"dns_label": None}),
    ("azure-allowed-ip-ranges", "10.0.0.0/8, FD00::/8,x", {"allowed_ranges": ("10.0.0.0/8", "fd00::/8")}),
    ("load-balancer-source-ranges", " 10.0.0.0/8,x", {"source_ranges": ("10.0.0.0/8",)}),
    ("azure-allowed-service-tags", "Internet, VirtualNetwork", {"allowed_tags": ("Internet", "VirtualNetwork")}),
    ("azure-deny-all-except-load-balancer-source-ranges", "true", {"denies_all_else": True}),
    ("azure-load-balancer-tcp-idle-timeout", "10", {"idle_timeout": 10}),
    ("azure-load-balancer-tcp-idle-timeout", "x", {"idle_timeout": None}),
    ("azure-load-balancer-disable-tcp-reset", "true", {"tcp_reset_disabled": True}),
    (PROBE + "protocol", "HTTP", {"probe": ProbeWish(protocol="http")}),
    (PROBE + "protocol", "udp", {"probe": ProbeWish()}),
    (PROBE + "interval", "7", {"probe": ProbeWish(interval=7)}),
    (PROBE + "num-of-probe", "3", {"probe": ProbeWish(count=3)}),
    (PROBE + "request-path", "/healthz", {"probe": ProbeWish(path="/healthz")}),
    (PROBE + "request-path", "healthz", {"probe": ProbeWish(path="healthz")}),
    (PROBE + "request-path", "", {"probe": ProbeWish()}),
    ("azure-load-balancer-disable-tcp-reset", "True", {"tcp_reset_disabled": True}),
    ("azure-load-balancer-disable-tcp-reset", " true", {"tcp_reset_disabled": False}),
    ("azure-additional-public-ips", "20.0.0.1, FD02::1,20.0.0.1", {"additional_addresses": ("20.0.0.1", "fd02::1")}),
    ("azure-load-balancer-enable-high-availability-ports", "true", {"high_availability_ports": True}),
    ("azure-disable-load-balancer-floating-ip", "true", {"floating_ip_disabled": True}),
    ("port_80_no_lb_rule", "true", {"ports": {80: PortWish(rule_disabled=True)}}),
    ("port_80_no_probe_rule", "true", {"ports": {80: PortWish(probe_disabled=True)}}),
    ("port_80_health-probe_protocol", "tcp", {"ports": {80: PortWish(probe=ProbeWish(protocol="tcp"))}}),
    ("port_80_health-probe_interval", "7", {"ports": {80: PortWish(probe=ProbeWish(interval=7))}}),
    ("port_80_health-probe_num-of-probe", "3", {"ports": {80: PortWish(probe=ProbeWish(count=3))}}),
    ("port_80_health-probe_request-path", "/a", {"ports": {80: PortWish(probe=ProbeWish(path="/a"))}}),
    ("port_80_health-probe_port", "8080", {"ports": {80: PortWish(probe=ProbeWish(port=8080))}}),
    ("port_80_health-probe_port", "http", {"ports": {80: PortWish(probe=ProbeWish(port="http"))}}),
    ("fairlead.io/proxy-protocol", "V2", {"proxy_protocol": "v2"}),
    ("fairlead.io/proxy-protocol", "v3", {}),
    *((key, "20.0.0.7,FD02::7", {"asked": listed(key, "20.0.0.7", "fd02::7")}) for key in LISTED),
    *((key, "shop", {"pool": "shop"}) for key in ("metallb.io/address-pool", "metallb.universe.tf/address-pool")),
    *((key, "x", {}) for key in FOREIGN_READERS if "shar" in key),
    ("azure-load-balancer-intrenal", "true", {}),
    ("port_80_no_lb_rul", "true", {}),
    ("something-else", "true", {}),
]


@pytest.mark.parametrize(("key", "text", "values"), READ)
def test_each_annotation(key, text, values):
    wish = wished(**{key: text})
    for name in LoadBalancerWish.__struct_fields__:
        if name != "annotations":
            assert getattr(wish, name) == values.get(name, getattr(LoadBalancerWish(), name))


def test_the_table_covers_every_key():
    asked = {*ADDRESS_KEYS.values(), *NAME_KEYS.values()}
    keys = {key.removeprefix("port_80_") for key, *_ in READ}
    assert {*(key.removeprefix(PREFIX) for key in READERS.keys() - asked), *PORT_READERS} <= keys


NAMED = AskedAddress("", "front", f"metadata.annotations[{PREFIX}azure-pip-name]")
ANNOTATED = AskedAddress("20.0.0.6", "", f"metadata.annotations[{PREFIX}azure-load-balancer-ipv4]")
IN_SPEC = AskedAddress("20.0.0.5", "", "spec.loadBalancerIP")


@pytest.mark.parametrize(
    ("name", "address", "in_spec", "asked"),
    [
        ("front", "20.0.0.6", "20.0.0.5", NAMED),
        ("", "20.0.0.6", "20.0.0.5", ANNOTATED),
        ("", "fd02::6", "20.0.0.5", IN_SPEC),
        ("", "", "20.0.0.5", IN_SPEC),
        ("", "", "20.0.0.05", None),
        ("", "", "", None),
    ],
)
def test_a_name_beats_an_address_and_both_beat_the_spec(name, address, in_spec, asked):
    wish = wished({"loadBalancerIP": in_spec}, **{"azure-pip-name": name, "azure-load-balancer-ipv4": address})
    assert wish.asked == ({} if asked is None else {"IPv4": asked})


def test_annotations_of_azure_beat_those_of_others_and_these_beat_the_spec():
    others = {LISTED[2]: "20.0.0.8,fd02::8", LISTED[0]: "20.0.0.7"}
    assert wished({"loadBalancerIP": "20.0.0.5"}, **others).asked == {
        **listed(LISTED[0], "20.0.0.7"),
        **listed(LISTED[2], "fd02::8"),
    }
    assert wished(**others, **{"azure-load-balancer-ipv4": "20.0.0.6"}).asked["IPv4"] == ANNOTATED


def test_a_subnet_beats_a_pool_of_metallb():
    keys = {"azure-load-balancer-internal": "true", "azure-load-balancer-internal-subnet": "apps"}
    wish = wished(**keys, **{"metallb.io/address-pool": "shop"})
    assert (wish.pool, wish.subnet) == ("apps", "apps")


def test_each_family_is_asked_for_by_itself():
    wish = wished({"loadBalancerIP": "20.0.0.5"}, **{"azure-pip-name-ipv6": "six"})
    assert wish.asked == {
        "IPv4": IN_SPEC,
        "IPv6": AskedAddress("", "six", f"metadata.annotations[{PREFIX}azure-pip-name-ipv6]"),
    }


def test_an_additional_address_that_is_asked_for_is_the_frontend():
    annotations = {"azure-additional-public-ips": "20.0.0.6,fd02::6", "azure-load-balancer-ipv4": "20.0.0.6"}
    assert wished(**annotations, **{"azure-load-balancer-ipv6": "fd02::6"}).additional_addresses == ("fd02::6",)


def test_a_subnet_is_for_private_frontends():
    wish = wished(**{"azure-load-balancer-internal-subnet": "apps", "azure-load-balancer-internal": "true"})
    assert (wish.internal, wish.subnet, wish.pool) == (True, "apps", "apps")


def test_each_port_is_wished_for_by_itself():
    wish = wished(
        **{"port_80_no_lb_rule": "true", "port_443_health-probe_interval": "7", "port_443_no_lb_rule": "false"}
    )
    assert wish.ports == {80: PortWish(rule_disabled=True), 443: PortWish(probe=ProbeWish(interval=7))}


def test_one_wish_is_not_taken_for_another():
    internal = "azure-load-balancer-internal"
    assert wished(**{internal: "true"}).internal
    assert not wished(**{internal: "false"}).internal
    assert wished({"loadBalancerIP": "20.0.0.5"}).asked == {"IPv4": IN_SPEC}
    assert wished() == LoadBalancerWish()


def test_nobody_else_reads_these_annotations():
    root = Path(app.__path__[0])
    files = (path for path in root.rglob("*.py") if "console" not in path.parts)  # a form of the console writes one
    readers = [path.name for path in files if f'"{PREFIX}' in path.read_text(encoding="utf-8")]
    assert readers == ["annotations.py"]
