"""The rules of a ResourceQuota, and what objects are charged for."""

import msgspec
import pytest

from app.domain.declarations.pod import POD
from app.domain.declarations.resource_quota import RESOURCE_QUOTA
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.documents.quantities import canonical_quantity, read_quantity
from app.domain.errors import BadRequest
from app.domain.rules.known_addresses import NoAddresses, StoredTogether
from app.domain.rules.pool_description import PoolDescription
from app.domain.rules.quota_resources import Limit, is_integer, limits_of, measure_of, used_of
from tests.unit.rule_runner import CLUSTER, cells, create, created, parse, update, write_status

INVALID, REQUIRED = "Invalid", "Required"
INTERNAL = {"annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}}
EXTERNAL_ADDRESSES, INTERNAL_ADDRESSES = "fairlead.io/external-addresses", "fairlead.io/internal-addresses"
POOLS = (
    PoolDescription.of("edge", "external", ["203.0.113.0/24"]),
    PoolDescription.of("office", "internal", ["10.9.0.0/24"]),
)
WITH_POOLS = msgspec.structs.replace(CLUSTER, pools=POOLS)


def quota(hard=None, **spec):
    return {"spec": {**({"hard": hard} if hard is not None else {}), **spec}}


def matching(scope, operator="Exists", *values):
    return {
        "matchExpressions": [{"scopeName": scope, "operator": operator, **({"values": list(values)} if values else {})}]
    }


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"),
        ("5", "5"),
        ("+5", "5"),
        ("999", "999"),
        ("1000", "1k"),
        ("1001", "1001"),
        ("1500k", "1500k"),
        ("1000k", "1M"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("0.0000000001", "1n"),
        ("1e3", "1e3"),
        ("1E3", "1e3"),
        ("1E", "1E"),
        ("3e0", "3"),
        ("1024", "1024"),
        ("1Ki", "1Ki"),
        ("0.5Ki", "512"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.1Mi", "104858"),
        ("-1000", "-1k"),
        ("100E", "9223372036854775807"),
        ("1" * 30, "9223372036854775807"),
    ],
)
def test_quantities_are_written_as_kubernetes_writes_them(text, canonical):
    assert canonical_quantity(text) == canonical
    assert canonical_quantity(canonical) == canonical


@pytest.mark.parametrize("text", ["", "5x", "k", "1 ", "1\n", "0x10", "1Kii", "1e", "--1", "1e100"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="quantities must match"):
        read_quantity(text)
    with pytest.raises(BadRequest, match=r"spec\.hard\.services must be a quantity"):
        parse(RESOURCE_QUOTA, quota({"services": text}))


@pytest.mark.parametrize("value", [True, {}, ["5"]])
def test_a_quantity_is_a_text_or_a_number(value):
    with pytest.raises(BadRequest, match="must be a quantity"):
        parse(RESOURCE_QUOTA, quota({"services": value}))


@pytest.mark.parametrize(("value", "stored"), [(5, "5"), (1000, "1k"), (0.5, "500m"), (1e3, "1k"), ("2000", "2k")])
def test_quantities_may_be_numbers(value, stored):
    assert created(RESOURCE_QUOTA, quota({"cpu": value})).spec.hard == {"cpu": stored}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        (quota(), set()),
        (quota({"services": "5", "count/services": "5", "count/leases.coordination.k8s.io": "1"}), set()),
        (quota({"cpu": "500m", "requests.memory": "1Gi", "hugepages-2Mi": "1Gi", "limits.cpu": "1.5"}), set()),
        (quota({"requests.nvidia.com/gpu": "4", "gold.storageclass.storage.k8s.io/requests.storage": "5Gi"}), set()),
        (quota({EXTERNAL_ADDRESSES: "0", INTERNAL_ADDRESSES: "3", "example.com/x": "1"}), set()),
        (quota({"bogus": "1"}), {("spec.hard[bogus]", INVALID)}),
        (quota({"a b": "1"}), {("spec.hard[a b]", INVALID)}),
        (quota({"count/": "1"}), {("spec.hard[count/]", INVALID)}),
        (quota({"services": "-1"}), {("spec.hard[services]", INVALID)}),
        (quota({"services": "500m"}), {("spec.hard[services]", INVALID)}),
        (quota({EXTERNAL_ADDRESSES: "0.5"}), {(f"spec.hard[{EXTERNAL_ADDRESSES}]", INVALID)}),
        (quota({"count/services": "1.5"}), {("spec.hard[count/services]", INVALID)}),
        (quota({"pods": "1", "cpu": "1"}, scopes=["Terminating"]), set()),
        (quota({"pods": "1"}, scopes=["Terminating", "BestEffort"]), set()),
        (quota({"count/services": "1"}, scopes=["Terminating"]), set()),
        (quota({"services": "1"}, scopes=["Terminating"]), {("spec.scopes", INVALID)}),
        (quota({"cpu": "1"}, scopes=["BestEffort"]), {("spec.scopes", INVALID)}),
        (quota({"pods": "1"}, scopes=["Bogus"]), {("spec.scopes", INVALID)}),
        (quota({"pods": "1"}, scopes=["BestEffort", "NotBestEffort"]), {("spec.scopes", INVALID)}),
        (quota({"pods": "1"}, scopeSelector=matching("PriorityClass", "In", "high")), set()),
        (quota({"requests.storage": "1"}, scopeSelector=matching("VolumeAttributesClass", "In", "a")), set()),
        (quota({"pods": "1"}, scopeSelector=matching("PriorityClass", "In")), {("values", REQUIRED)}),
        (quota({"pods": "1"}, scopeSelector=matching("PriorityClass", "Exists", "x")), {("values", INVALID)}),
        (quota({"pods": "1"}, scopeSelector=matching("PriorityClass", "Has")), {("operator", INVALID)}),
        (quota({"pods": "1"}, scopeSelector=matching("Terminating", "DoesNotExist")), {("operator", INVALID)}),
        (quota({"pods": "1"}, scopeSelector=matching("Bogus")), {("scopeName", INVALID)}),
        (quota({"services": "1"}, scopeSelector=matching("PriorityClass")), {("", INVALID)}),
    ],
)
def test_a_quota_is_validated(spec, wrong):
    selector = "spec.scopeSelector.matchExpressions"
    expected = {
        (field if field.startswith("spec") else f"{selector}.{field}".rstrip("."), reason) for field, reason in wrong
    }
    assert create(RESOURCE_QUOTA, spec)[1] == expected


def test_only_the_status_subresource_writes_the_status():
    old = created(RESOURCE_QUOTA, quota({"services": "1"}) | {"status": {"used": {"services": "3"}}})
    assert old.status.used is None
    told, causes = write_status(RESOURCE_QUOTA, old, {"status": {"hard": {"services": "1000"}, "used": {"cpu": "-1"}}})
    assert (told.status.hard, told.spec.hard, causes) == (
        {"services": "1k"}, {"services": "1"}, {("status.used[cpu]", INVALID)}
    )  # fmt: skip
    changed, causes = update(RESOURCE_QUOTA, old, quota({"services": "2"}, scopes=[]))
    assert (changed.spec.hard, changed.status.hard, causes) == ({"services": "2"}, None, set())


def test_scopes_cannot_change():
    old = created(RESOURCE_QUOTA, quota({"pods": "1"}, scopes=["Terminating"]))
    assert update(RESOURCE_QUOTA, old, quota({"pods": "1"}, scopes=["BestEffort"]))[1] == {("spec.scopes", INVALID)}
    assert update(RESOURCE_QUOTA, old, quota({"pods": "2"}, scopes=["Terminating"]))[1] == set()


def test_requests_above_limits_are_warned_of():
    obj = created(
        RESOURCE_QUOTA, quota({"cpu": "2", "limits.cpu": "1", "requests.memory": "1Gi", "limits.memory": "2"})
    )
    assert RESOURCE_QUOTA.strategy.warnings(obj, None, CLUSTER) == [
        "ResourceQuota cpu (2) should be less than limits.cpu (1)",
        "ResourceQuota requests.memory (1Gi) should be less than limits.memory (2)",
    ]
    assert RESOURCE_QUOTA.strategy.warnings(obj, obj, CLUSTER) == []


@pytest.mark.parametrize(
    ("resource", "measure"),
    [
        ("services", "count/services"),
        ("count/services", "count/services"),
        ("count/staticaddresses.fairlead.io", "count/staticaddresses.fairlead.io"),
        ("services.nodeports", "services.nodeports"),
        ("pods", "pods"),
        ("count/pods", "count/pods"),
        (EXTERNAL_ADDRESSES, EXTERNAL_ADDRESSES),
        ("count/events", ""),
        ("count/events.events.k8s.io", ""),
        ("cpu", ""),
        ("persistentvolumeclaims", ""),
        ("example.com/x", ""),
    ],
)
def test_what_is_counted_for_a_resource(resource, measure):
    assert measure_of(resource) == measure


def test_limits_are_of_what_can_be_counted():
    assert limits_of({"services": "1k", "cpu": "1", "pods": "3"}) == (
        Limit("pods", "pods", 3, "3"),
        Limit("services", "count/services", 1000, "1k"),
    )
    scoped = created(RESOURCE_QUOTA, quota({"pods": "1"}, scopes=["Terminating"]))
    assert RESOURCE_QUOTA.strategy.limits(scoped) == ()


def test_used_is_told_of_what_means_something_here():
    hard = (
        "services", "secrets", "cpu", "requests.nvidia.com/gpu", "persistentvolumeclaims", "requests.storage",
        "count/widgets.example.com", "example.com/x", "count/events", EXTERNAL_ADDRESSES,
    )  # fmt: skip
    used = used_of(hard, {"services", "secrets"}, {"count/services": 1000, EXTERNAL_ADDRESSES: 2})
    assert used == {
        "services": "1k", "secrets": "0", "cpu": "0", "requests.nvidia.com/gpu": "0", "persistentvolumeclaims": "0",
        "requests.storage": "0", EXTERNAL_ADDRESSES: "2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "integer"),
    [("services", True), ("example.com/x", True), ("count/a.b", True), ("cpu", False), ("requests.x.com/y", False),
     ("kubernetes.io/x", False)],
)  # fmt: skip
def test_which_resources_are_whole(resource, integer):
    assert is_integer(resource) is integer


def service_of(type_, *ports, metadata=None, **spec):
    spec = {"type": type_, "ports": [{"port": 80 + n, "name": f"p{n}", **port} for n, port in enumerate(ports)], **spec}
    service = parse(SERVICE, {"metadata": metadata or {}, "spec": spec})
    SERVICE.strategy.default(service)
    service.spec.ip_families = service.spec.ip_families or ["IPv4"]
    return service


@pytest.mark.parametrize(
    ("service", "charges"),
    [
        (service_of("ClusterIP", {}), {}),
        (service_of("ExternalName", externalName="example.org"), {}),
        (service_of("NodePort", {}, {}), {"services.nodeports": 2}),
        (service_of("LoadBalancer", {}), {"services.nodeports": 1, "services.loadbalancers": 1, EXTERNAL_ADDRESSES: 1}),
        (
            service_of("LoadBalancer", {}, {"nodePort": 30001}, allocateLoadBalancerNodePorts=False),
            {"services.nodeports": 1, "services.loadbalancers": 1, EXTERNAL_ADDRESSES: 1},
        ),
        (
            service_of("LoadBalancer", metadata=INTERNAL, ipFamilies=["IPv4", "IPv6"]),
            {"services.loadbalancers": 1, INTERNAL_ADDRESSES: 2},
        ),
        (service_of("LoadBalancer", loadBalancerClass="example.com/x"), {"services.loadbalancers": 1}),
        (
            service_of("LoadBalancer", loadBalancerIP="203.0.113.9"),
            {"services.loadbalancers": 1, EXTERNAL_ADDRESSES: 1},
        ),
    ],
)
def test_what_a_service_uses(service, charges):
    assert SERVICE.strategy.charges(service, CLUSTER) == charges


def test_an_address_that_is_kept_is_charged_once():
    static = parse(STATIC_ADDRESS, {"metadata": {"name": "front"}, "spec": {"pool": "edge"}})
    static.status.address = "203.0.113.7"
    cluster = msgspec.structs.replace(WITH_POOLS, addresses=StoredTogether(NoAddresses(), [static]))
    assert STATIC_ADDRESS.strategy.charges(static, cluster) == {EXTERNAL_ADDRESSES: 1}
    named = {"annotations": {"service.beta.kubernetes.io/azure-pip-name": "front"}}
    for service in (
        service_of("LoadBalancer", loadBalancerIP="203.0.113.7"),
        service_of("LoadBalancer", metadata=named),
    ):
        assert SERVICE.strategy.charges(service, cluster) == {"services.loadbalancers": 1}
    office = parse(STATIC_ADDRESS, {"spec": {"pool": "office"}})
    assert STATIC_ADDRESS.strategy.charges(office, cluster) == {INTERNAL_ADDRESSES: 1}


def test_additional_addresses_of_pools_are_charged():
    listed = {"service.beta.kubernetes.io/azure-additional-public-ips": "203.0.113.7,10.9.0.7,192.0.2.1"}
    service = service_of("LoadBalancer", metadata={"annotations": listed})
    charged = {"services.loadbalancers": 1, EXTERNAL_ADDRESSES: 2, INTERNAL_ADDRESSES: 1}
    assert SERVICE.strategy.charges(service, WITH_POOLS) == charged


def test_a_pod_that_has_ended_is_no_pod():
    pod = parse(POD, {"spec": {"containers": [{"name": "main"}]}})
    assert POD.strategy.charges(pod, CLUSTER) == {"pods": 1}
    for phase in ("Succeeded", "Failed"):
        pod.status.phase = phase
        assert POD.strategy.charges(pod, CLUSTER) == {}


def test_the_table_tells_what_is_used():
    status = {"hard": {"services": "5", "limits.cpu": "2", "cpu": "1"}, "used": {"services": "3", "cpu": "0"}}
    shown = cells(RESOURCE_QUOTA, {"status": status})
    assert (shown["Request"], shown["Limit"]) == ("cpu: 0/1, services: 3/5", "limits.cpu: 0/2")
