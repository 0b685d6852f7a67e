"""What AKS promises its users of load balancers, each by its number, through the API."""

from tests.api.balancing.client import GROUP, INTERNAL, PREFIX, addresses
from tests.api.objects import SERVICES
from tests.e2e.waiting import eventually

TWO = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
IPV4 = "azure-load-balancer-ipv4"


async def pods(lb, name, *placed):
    """Register Pods that a Service selects, each on a Node."""
    for number, node in enumerate(placed):
        await lb.http.post("/api/v1/nodes", json={"metadata": {"name": node}})
        address = f"172.16.0.{number + 1}"
        pod = {
            "metadata": {"name": f"{name}-{number}", "labels": {"app": name}},
            "spec": {"nodeName": node, "containers": [{"name": "main"}]},
        }
        assert (await lb.http.post("/api/v1/namespaces/default/pods", json=pod)).is_success
        ready = [{"type": "Ready", "status": "True"}]
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": ready}
        path = f"/api/v1/namespaces/default/pods/{name}-{number}/status"
        merge = {"content-type": "application/merge-patch+json"}
        assert (await lb.http.patch(path, json={"status": status}, headers=merge)).is_success


async def members(lb, name="web"):
    found = (await lb.http.get(f"{GROUP}/namespaces/default/loadbalancers/{name}")).json()
    return found["status"]["members"]


async def external_ip(lb, name):
    """The cell of kubectl's column EXTERNAL-IP."""
    table = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    found = (await lb.http.get(f"{SERVICES}/{name}", headers=table)).json()
    columns = [each["name"] for each in found["columnDefinitions"]]
    return found["rows"][0]["cells"][columns.index("External-IP")]


async def test_promise_1_four_types_and_what_each_adds(lb):
    plain = await lb.made("plain", type=None)
    assert plain["spec"]["type"] == "ClusterIP"
    node_port = await lb.made("node-port", type="NodePort")
    assert node_port["spec"]["ports"][0]["nodePort"]
    balanced = await lb.made("web", ports=TWO)
    assert balanced["spec"]["clusterIP"]
    assert all(port["nodePort"] for port in balanced["spec"]["ports"])
    assert len(addresses(balanced)) == 1
    await pods(lb, "web", "node-a", "node-b")

    async def two_members():
        return await members(lb) == {"ready": 2, "total": 2}

    await eventually(two_members)
    spec = await lb.balancer()
    assert [(each["protocol"], each["frontendPort"]) for each in spec["rules"]] == [("Tcp", 80), ("Udp", 53)]
    await lb.made("alias", type="ExternalName", externalName="db.example.com")
    record = (await lb.http.get(f"{GROUP}/namespaces/default/dnsrecordsets/alias.cname")).json()
    assert record["spec"]["values"] == ["db.example.com."]


async def test_promise_2_each_service_has_an_address_of_its_own_and_pending_until_then(lb):
    services = [await lb.made(f"web-{number}") for number in range(3)]
    assert len({address for service in services for address in addresses(service)}) == 3
    waiting = await lb.made("waiting", {**INTERNAL, "azure-load-balancer-internal-subnet": "later"})
    assert addresses(waiting) == []
    assert await external_ip(lb, "waiting") == "<pending>"
    await lb.pool("later", "10.226.0.4", scope="internal")

    async def is_served():
        return await external_ip(lb, "waiting") == "10.226.0.4"

    await eventually(is_served)


async def test_promise_3_a_dynamic_address_dies_with_its_service_a_static_one_stays_and_a_missing_one_is_named(lb):
    await lb.pool("single", "10.227.0.4", scope="internal", autoAssign=False)
    single = {**INTERNAL, "azure-load-balancer-internal-subnet": "single"}
    assert addresses(await lb.made("first", single)) == ["10.227.0.4"]
    assert addresses(await lb.made("second", single)) == []
    assert (await lb.http.delete(f"{SERVICES}/first")).is_success

    async def has_it():
        return addresses((await lb.http.get(f"{SERVICES}/second")).json()) == ["10.227.0.4"]

    await eventually(has_it)
    await lb.made("static", {"azure-pip-name": "front-door"})
    assert await external_ip(lb, "static") == "<pending>"
    assert "front-door" in await lb.told("AddressNotFound", "static")
    await lb.static("front-door", pool="external", address="20.50.0.99")

    async def has_the_static_one():
        return await external_ip(lb, "static") == "20.50.0.99"

    await eventually(has_the_static_one)
    assert (await lb.http.delete(f"{SERVICES}/static")).is_success
    kept = (await lb.http.get(f"{GROUP}/namespaces/default/staticaddresses/front-door")).json()
    assert kept["status"]["address"] == "20.50.0.99"


async def test_promise_4_an_internal_load_balancer_has_a_private_address_only(lb):
    (address,) = addresses(await lb.made("web", INTERNAL))
    assert address.startswith("10.224.0.")
    assert await external_ip(lb, "web") == address
    field = f"metadata.annotations[{PREFIX}{IPV4}]"
    assert addresses(await lb.made("chosen", {**INTERNAL, IPV4: "10.224.0.50"})) == ["10.224.0.50"]
    assert await lb.refusal("outside", {**INTERNAL, IPV4: "10.225.9.9"}) == [field]
    assert await lb.refusal("cluster", {**INTERNAL, IPV4: "10.96.0.10"}) == [field]
    taken = await lb.post("taken", {**INTERNAL, IPV4: "10.224.0.50"})
    assert taken.status_code == 422
    assert "chosen" in taken.text


async def test_promise_5_the_field_of_the_spec_works_and_annotations_win(lb):
    for number in range(60, 63):
        await lb.static(f"sip-{number}", address=f"20.50.0.{number}")
    assert addresses(await lb.made("web", loadBalancerIP="20.50.0.60")) == ["20.50.0.60"]
    assert addresses(await lb.made("other", {IPV4: "20.50.0.61"}, loadBalancerIP="20.50.0.62")) == ["20.50.0.61"]
    assert await lb.refusal("wrong", loadBalancerIP="2603:1020:200::5") == ["spec.loadBalancerIP"]


async def test_promise_6_a_dns_label_is_a_label(lb):
    await lb.made("web", {"azure-dns-label-name": "shop"})
    removed = await lb.changed("web", {"azure-dns-label-name": ""})
    assert addresses(removed)
    field = f"metadata.annotations[{PREFIX}azure-dns-label-name]"
    assert await lb.refusal("wrong", {"azure-dns-label-name": "Shop.Example"}) == [field]


async def test_promise_7_source_ranges_restrict_clients_and_combine(lb):
    ranges, annotated = {"loadBalancerSourceRanges": ["203.0.113.0/24"]}, {"azure-allowed-ip-ranges": "198.51.100.0/24"}
    await lb.made("web", **ranges)
    assert (await lb.balancer())["access"][0]["sources"] == ["203.0.113.0/24"]
    await lb.changed("web", {**annotated, "load-balancer-source-ranges": "192.0.2.0/24"})
    assert (await lb.balancer())["access"][0]["sources"] == ["192.0.2.0/24", "198.51.100.0/24"]
    await lb.changed("web", {"azure-allowed-service-tags": "AzureCloud"}, **ranges)
    assert (await lb.balancer())["access"][0]["sources"] == ["AzureCloud", "203.0.113.0/24"]
    field = f"metadata.annotations[{PREFIX}azure-allowed-ip-ranges]"
    assert await lb.refusal("both", annotated, **ranges) == [field]


async def test_promise_8_the_policy_local_probes_its_own_port(lb):
    service = await lb.made("web", ports=TWO, externalTrafficPolicy="Local")
    port = service["spec"]["healthCheckNodePort"]
    spec = await lb.balancer()
    (probe,) = spec["probes"]
    assert (probe["protocol"], probe["port"], probe["path"]) == ("Http", port, "/healthz")
    assert {rule["probe"] for rule in spec["rules"]} == {probe["name"]}


async def test_promise_9_defaults_of_timeouts_and_probes(lb):
    await lb.made("web")
    spec = await lb.balancer()
    assert (spec["rules"][0]["idleTimeoutMinutes"], spec["rules"][0]["tcpReset"]) == (4, True)
    assert (spec["probes"][0]["intervalSeconds"], spec["probes"][0]["threshold"]) == (5, 2)
    for minutes, code in (("4", 200), ("100", 200), ("3", 422), ("101", 422)):
        answer = await lb.put("web", {"azure-load-balancer-tcp-idle-timeout": minutes})
        assert answer.status_code == code


async def test_promise_10_excluded_nodes_leave_the_backend_pool(lb):
    await lb.made("shop")
    await pods(lb, "shop", "node-a", "node-b", "node-b")

    async def counted(total):
        return (await members(lb, "shop"))["total"] == total

    await eventually(lambda: counted(3))
    label = {"metadata": {"labels": {"node.kubernetes.io/exclude-from-external-load-balancers": "true"}}}
    merge = {"content-type": "application/merge-patch+json"}
    assert (await lb.http.patch("/api/v1/nodes/node-b", json=label, headers=merge)).is_success
    await eventually(lambda: counted(1))
    label["metadata"]["labels"] = dict.fromkeys(label["metadata"]["labels"])
    assert (await lb.http.patch("/api/v1/nodes/node-b", json=label, headers=merge)).is_success
    await eventually(lambda: counted(3))


async def test_promise_11_dual_stack_has_two_frontends_and_the_load_balancer_goes_with_its_service(lb):
    service = await lb.made("web", ipFamilyPolicy="RequireDualStack")
    assert [":" in address for address in addresses(service)] == [False, True]
    spec = await lb.balancer()
    assert [each["family"] for each in spec["frontends"]] == ["IPv4", "IPv6"]
    assert len({rule["frontend"] for rule in spec["rules"]}) == 2
    assert (await lb.http.delete(f"{SERVICES}/web")).is_success
    assert (await lb.http.get(f"{GROUP}/namespaces/default/loadbalancers/web")).status_code == 404
    await lb.told("DeletedLoadBalancer")
