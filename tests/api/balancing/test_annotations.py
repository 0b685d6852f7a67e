"""Each annotation of a load balancer by its key, through the API: its effect, its bad values, what is warned of."""

import pytest

from tests.api.balancing.client import INTERNAL, PREFIX, addresses

HTTPS = {"name": "https", "port": 443}
TWO = [{"name": "http", "port": 80}, HTTPS]
RANGE = {"azure-allowed-ip-ranges": "203.0.113.0/24"}
PROBE = "azure-load-balancer-health-probe-"
HIGH = "azure-load-balancer-enable-high-availability-ports"
DENY = "azure-deny-all-except-load-balancer-source-ranges"


def rule(spec):
    return spec["rules"][0]


def probe(spec):
    return spec["probes"][0]


EFFECTS = {
    "azure-load-balancer-internal": ("true", {}, lambda spec: spec["frontends"][0]["scope"], "internal"),
    "azure-allowed-ip-ranges": (
        "203.0.113.0/24, 198.51.100.0/24", {},
        lambda spec: spec["access"][0]["sources"], ["198.51.100.0/24", "203.0.113.0/24"],
    ),
    "load-balancer-source-ranges": (
        "203.0.113.0/24", {}, lambda spec: spec["access"][0]["sources"], ["203.0.113.0/24"],
    ),
    "azure-allowed-service-tags": (
        "AzureCloud,Storage.WestEurope", {"loadBalancerSourceRanges": ["203.0.113.0/24"]},
        lambda spec: spec["access"][0]["sources"], ["AzureCloud", "Storage.WestEurope", "203.0.113.0/24"],
    ),
    DENY: ("true", {"loadBalancerSourceRanges": ["203.0.113.0/24"]}, lambda spec: spec["denyAll"], True),
    "azure-load-balancer-tcp-idle-timeout": ("30", {}, lambda spec: rule(spec)["idleTimeoutMinutes"], 30),
    "azure-load-balancer-disable-tcp-reset": ("true", {}, lambda spec: rule(spec)["tcpReset"], False),
    f"{PROBE}protocol": ("http", {}, lambda spec: (probe(spec)["protocol"], probe(spec)["path"]), ("Http", "/")),
    f"{PROBE}interval": ("9", {}, lambda spec: probe(spec)["intervalSeconds"], 9),
    f"{PROBE}num-of-probe": ("3", {}, lambda spec: probe(spec)["threshold"], 3),
    "port_80_no_lb_rule": ("true", {"ports": TWO}, lambda spec: rule(spec)["frontendPort"], 443),
    "port_80_no_probe_rule": ("true", {}, lambda spec: ("probe" in rule(spec), spec["probes"]), (False, [])),
    "port_80_health-probe_protocol": ("https", {}, lambda spec: probe(spec)["protocol"], "Https"),
    "port_80_health-probe_interval": ("9", {}, lambda spec: probe(spec)["intervalSeconds"], 9),
    "port_80_health-probe_num-of-probe": ("3", {}, lambda spec: probe(spec)["threshold"], 3),
    "port_80_health-probe_port": ("8080", {}, lambda spec: probe(spec)["port"], 8080),
    "azure-additional-public-ips": (
        "192.0.2.7", {}, lambda spec: spec["access"][0]["destinations"][1:], ["192.0.2.7"],
    ),
    "azure-disable-load-balancer-floating-ip": ("true", {}, lambda spec: rule(spec)["floatingIP"], False),
}  # fmt: skip


@pytest.mark.parametrize("key", EFFECTS)
async def test_effect(lb, key):
    value, spec, read, expected = EFFECTS[key]
    await lb.made(annotations={key: value}, **spec)
    assert read(await lb.balancer()) == expected


AS_AZURE_READS_THEM = {
    "azure-disable-load-balancer-floating-ip": ("TRUE", lambda spec: rule(spec)["floatingIP"], False),
    "azure-load-balancer-disable-tcp-reset": ("True", lambda spec: rule(spec)["tcpReset"], False),
    "azure-load-balancer-internal": ("False", lambda spec: spec["loadBalancer"], "kubernetes"),
    "port_80_no_lb_rule": ("True", lambda spec: spec["rules"], []),
    "port_80_no_probe_rule": ("", lambda spec: len(spec["probes"]), 1),
    "azure-load-balancer-tcp-idle-timeout": ("+30", lambda spec: rule(spec)["idleTimeoutMinutes"], 30),
    f"{PROBE}protocol": (" HTTP ", lambda spec: probe(spec)["protocol"], "Http"),
    "azure-load-balancer-ipv4": ("", lambda spec: len(spec["frontends"]), 1),
    "azure-pip-name": ("", lambda spec: len(spec["frontends"]), 1),
}
"""Values of other forms than usual that Azure takes: each as it takes them."""


@pytest.mark.parametrize("key", AS_AZURE_READS_THEM)
async def test_a_value_is_read_as_azure_reads_it(lb, key):
    value, read, expected = AS_AZURE_READS_THEM[key]
    await lb.made(annotations={key: value})
    assert read(await lb.balancer()) == expected


async def test_a_blank_subnet_is_the_default_one(lb):
    await lb.made(annotations={**INTERNAL, "azure-load-balancer-internal-subnet": " "})
    assert (await lb.balancer())["frontends"][0]["pool"] == "internal"


async def test_a_probe_path_is_shown_as_it_was_given(lb):
    await lb.made(annotations={f"{PROBE}protocol": "http", f"{PROBE}request-path": "healthz"})
    assert probe(await lb.balancer())["path"] == "healthz"


async def test_a_switch_to_the_other_side_cannot_keep_a_static_address_of_the_first(lb):
    text = await lb.static("switching", pool="external")
    for name, key, value in (("named", "azure-pip-name", "switching"), ("asked", "azure-load-balancer-ipv4", text)):
        await lb.made(name, {key: value}, ports=[{"name": "a", "port": 80 + len(name) + len(key)}])
        answer = await lb.put(name, {key: value, **INTERNAL})
        assert answer.status_code == 422
        assert "external" in answer.text
        assert (await lb.balancer(name))["frontends"][0]["address"] == text


@pytest.mark.parametrize(
    ("kind", "pool", "addresses_", "scope"),
    [
        (INTERNAL, "internal", ("10.224.0.77", "fd00:224::77"), "internal"),
        ({}, "external", ("20.50.0.77", "2603:1020:200::77"), "external"),
    ],
)
async def test_effect_of_azure_load_balancer_ipv4_and_ipv6(lb, kind, pool, addresses_, scope):
    for number, address in enumerate(addresses_):
        await lb.static(f"{pool}-{number}", pool=pool, address=address)
    keys = {"azure-load-balancer-ipv4": addresses_[0], "azure-load-balancer-ipv6": addresses_[1]}
    service = await lb.made(annotations={**kind, **keys}, ipFamilyPolicy="RequireDualStack")
    assert tuple(addresses(service)) == addresses_
    frontends = (await lb.balancer())["frontends"]
    assert [each["scope"] for each in frontends] == [scope, scope]
    assert [each["staticAddress"] for each in frontends] == [f"{pool}-0", f"{pool}-1"]


async def test_effect_of_azure_pip_name_and_its_ipv6(lb):
    await lb.static("front", pool="external", family="IPv4")
    await lb.static("front6", pool="external", family="IPv6")
    keys = {"azure-pip-name": "front", "azure-pip-name-ipv6": "front6"}
    service = await lb.made(annotations=keys, ipFamilyPolicy="RequireDualStack")
    frontends = (await lb.balancer())["frontends"]
    assert [each["staticAddress"] for each in frontends] == ["front", "front6"]
    assert [each["address"] for each in frontends] == addresses(service)


async def test_effect_of_azure_load_balancer_internal_subnet(lb):
    pool = {
        "scope": "internal",
        "addresses": ["10.225.0.4-10.225.0.254"],
        "autoAssign": False,
        "aliases": ["apps-subnet"],
    }
    pools = "/apis/fairlead.io/v1/addresspools"
    assert (await lb.http.post(pools, json={"metadata": {"name": "apps"}, "spec": pool})).is_success
    service = await lb.made(annotations={**INTERNAL, "azure-load-balancer-internal-subnet": "apps"})
    assert addresses(service)[0].startswith("10.225.0.")
    frontend = (await lb.balancer())["frontends"][0]
    assert (frontend["pool"], frontend["name"].endswith("-apps")) == ("apps", True)
    other = await lb.made("alias", {**INTERNAL, "azure-load-balancer-internal-subnet": "apps-subnet"})
    assert addresses(other)[0].startswith("10.225.0.")
    waiting = await lb.made("unknown", {**INTERNAL, "azure-load-balancer-internal-subnet": "nowhere"})
    assert addresses(waiting) == []
    assert '"nowhere"' in await lb.told("NoPool", "unknown")


async def test_effect_of_azure_load_balancer_health_probe_request_path(lb):
    await lb.made(annotations={f"{PROBE}request-path": "/live", f"{PROBE}protocol": "http"})
    assert probe(await lb.balancer())["path"] == "/live"
    await lb.changed(annotations={"port_80_health-probe_request-path": "/own", f"{PROBE}protocol": "http"})
    assert probe(await lb.balancer())["path"] == "/own"


async def test_effect_of_azure_load_balancer_enable_high_availability_ports(lb):
    await lb.made(annotations={HIGH: "true", **INTERNAL}, ports=TWO)
    (only,) = (await lb.balancer())["rules"]
    assert (only["protocol"], only["frontendPort"], only["backendPort"]) == ("All", 0, 0)


async def test_effect_of_fairlead_io_proxy_protocol(lb):
    assert await lb.warnings(annotations={"fairlead.io/proxy-protocol": "v2"}) == []
    key = "metadata.annotations[fairlead.io/proxy-protocol]"
    assert await lb.refusal(annotations={"fairlead.io/proxy-protocol": "v3"}) == [key]


BAD = {
    "azure-load-balancer-internal": "True",
    "azure-load-balancer-ipv4": "fd00::1",
    "azure-load-balancer-ipv6": "10.0.0.1",
    "azure-pip-name": "a b",
    "azure-pip-name-ipv6": "a b",
    "azure-dns-label-name": "a.b",
    "azure-allowed-ip-ranges": "203.0.113.7",
    "azure-allowed-service-tags": "203.0.113.0/24",
    DENY: "yes",
    "azure-load-balancer-tcp-idle-timeout": "3",
    "azure-load-balancer-disable-tcp-reset": "1",
    f"{PROBE}protocol": "udp",
    f"{PROBE}interval": "4",
    f"{PROBE}num-of-probe": "1",
    f"{PROBE}request-path": " /healthz",
    "port_80_no_lb_rule": " true",
    "port_80_no_probe_rule": "yes",
    "port_80_health-probe_protocol": "grpc",
    "port_80_health-probe_interval": "60",
    "port_80_health-probe_num-of-probe": "24",
    "port_80_health-probe_request-path": "",
    "port_80_health-probe_port": "nope",
    "azure-additional-public-ips": "192.0.2.7;192.0.2.8",
    HIGH: "on",
    "azure-disable-load-balancer-floating-ip": "t",
    "azure-load-balancer-internal-subnet": "a/b",
}


@pytest.mark.parametrize("key", BAD)
async def test_bad_value_is_refused_before_anything_is_stored(lb, key):
    assert await lb.refusal(annotations={key: BAD[key]}) == [f"metadata.annotations[{PREFIX}{key}]"]
    assert (await lb.http.get("/api/v1/namespaces/default/services/web")).status_code == 404


@pytest.mark.parametrize(
    "key",
    [
        "azure-load-balancer-mode",
        "azure-load-balancer-resource-group",
        "azure-load-balancer-configurations",
        "azure-pip-ip-tags",
        "azure-pip-tags",
        "azure-pip-prefix-id",
        "azure-shared-securityrule",
        "azure-pls-create",
    ],
)
async def test_known_key_without_effect_is_warned_of(lb, key):
    (text,) = await lb.warnings(annotations={key: "x"})
    assert f"{PREFIX}{key} has no effect here: " in text


async def test_unknown_key_is_warned_of_with_the_nearest_one(lb):
    (text,) = await lb.warnings(annotations={"azure-load-balancer-health-probe-intervall": "9"})
    assert f"do you mean {PREFIX}{PROBE}interval?" in text


async def test_an_empty_list_of_tags_is_as_none(lb):
    await lb.made(annotations={"azure-allowed-service-tags": ""})
    assert (await lb.balancer())["access"][0]["sources"] == ["Internet"]


async def test_a_tag_without_addresses_admits_nobody_and_a_condition_says_so(lb):
    assert await lb.warnings(annotations={"azure-allowed-service-tags": "AzureCloud"}) == []
    (text,) = await lb.warnings(annotations={"azure-allowed-service-tags": "Sql"})
    assert "the service tag Sql admits nobody" in text
    await lb.made(annotations={"azure-allowed-service-tags": "AzureCloud,Sql"})
    status = (await lb.http.get("/apis/fairlead.io/v1/namespaces/default/loadbalancers/web")).json()["status"]
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("TagsResolved", "False", "NoPrefixes")
    assert "Sql" in condition["message"]


@pytest.mark.parametrize(
    "key",
    [
        "metallb.io/loadBalancerIPs",
        "metallb.universe.tf/loadBalancerIPs",
        "lbipam.cilium.io/ips",
        "io.cilium/lb-ipam-ips",
        "kube-vip.io/loadbalancerIPs",
    ],
)
async def test_a_service_of_another_load_balancer_moves_over_with_its_address(lb, key):
    service = await lb.made(annotations={key: "20.50.0.88"})
    assert addresses(service) == ["20.50.0.88"]
    assert await lb.refusal("other", {key: "192.0.2.1"}) == [f"metadata.annotations[{key}]"]


async def test_services_of_metallb_move_over_with_their_shared_address_and_pool(lb):
    await lb.pool("metal", "198.51.100.10-198.51.100.20", scope="external", autoAssign=False)
    pooled = await lb.made("pooled", {"metallb.io/address-pool": "metal"})
    assert addresses(pooled)[0].startswith("198.51.100.")
    shared = {"metallb.io/loadBalancerIPs": "198.51.100.19", "metallb.io/allow-shared-ip": "dns"}
    assert await lb.warnings("tcp", shared) == []
    tcp = await lb.made("tcp", shared, ports=[{"name": "tcp", "port": 53}])
    udp = await lb.made("udp", shared, ports=[{"name": "udp", "port": 53, "protocol": "UDP"}])
    assert addresses(tcp) == addresses(udp) == ["198.51.100.19"]
    conflict = await lb.post("again", shared, ports=[{"name": "tcp", "port": 53}])
    assert conflict.status_code == 422
    assert "tcp" in conflict.text
