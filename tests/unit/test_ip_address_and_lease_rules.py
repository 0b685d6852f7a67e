import pytest

from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.lease import LEASE
from app.domain.rules.claim import Claim
from tests.unit.backend_objects import make_service
from tests.unit.rule_runner import CLUSTER, cells, create, created, shown, update

PARENT = {"resource": "services", "namespace": "shop", "name": "web"}


def address(name="10.96.0.9", parent=PARENT):
    return {"metadata": {"name": name}, "spec": {"parentRef": parent} if parent is not None else {}}


@pytest.mark.parametrize(
    ("given", "causes"),
    [
        (address(), set()),
        (address("fd00::9"), set()),
        (address("FD00::9"), {("metadata.name", "Invalid")}),
        (address("fd00:0::9"), {("metadata.name", "Invalid")}),
        (address("10.96.0.09"), {("metadata.name", "Invalid")}),
        (address("web"), {("metadata.name", "Invalid")}),
        (address(parent=None), {("spec.parentRef", "Required")}),
        (address(parent={}), {("spec.parentRef.resource", "Required"), ("spec.parentRef.name", "Required")}),
        (address(parent={**PARENT, "group": "A"}), {("spec.parentRef.group", "Invalid")}),
        (address(parent={**PARENT, "namespace": "a/b"}), {("spec.parentRef.namespace", "Invalid")}),
        (address(parent={**PARENT, "name": ".."}), {("spec.parentRef.name", "Invalid")}),
        (address(parent={"resource": "nodes", "name": "n"}), set()),
    ],
)
def test_addresses(given, causes):
    assert create(IP_ADDRESS, given)[1] == causes


def test_the_parent_stays():
    old = created(IP_ADDRESS, address())
    assert update(IP_ADDRESS, old, address())[1] == set()
    assert update(IP_ADDRESS, old, address(parent={**PARENT, "name": "else"}))[1] == {("spec.parentRef", "Invalid")}


def test_an_address_made_by_hand_is_held():
    held = IP_ADDRESS.strategy.claims(created(IP_ADDRESS, address()), CLUSTER)
    assert held == (Claim("cluster_ips", "10.96.0.9", "metadata.name"),)


@pytest.mark.parametrize(
    ("parent", "cell"),
    [
        (PARENT, "services/shop/web"),
        ({"group": "example.com", "resource": "Gateways", "name": "g"}, "gateways.example.com/g"),
        (None, ""),
    ],
)
def test_address_columns(parent, cell):
    assert cells(IP_ADDRESS, address(parent=parent)) == {"Name": "10.96.0.9", "ParentRef": cell}


def test_the_addresses_of_a_service():
    service = make_service(cluster_ips=["10.96.0.10", "fd00::10"])
    service.metadata.resource_version = "7"
    made = IP_ADDRESS.derivation.derive(service, (), CLUSTER)
    assert [(each.metadata.name, each.metadata.namespace) for each in made] == [
        ("10.96.0.10", None),
        ("fd00::10", None),
    ]
    assert [each.metadata.labels for each in made] == [
        {
            "ipaddress.kubernetes.io/ip-family": family,
            "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        }
        for family in ("IPv4", "IPv6")
    ]
    assert {each.metadata.resource_version for each in made} == {"7"}
    assert len({each.metadata.uid for each in made}) == 2
    parent = made[0].spec.parent_ref
    assert (parent.group, parent.resource, parent.namespace, parent.name) == ("", "services", "shop", "web")
    assert all(shown(IP_ADDRESS.strategy.validate_create(each, CLUSTER)) == set() for each in made)


@pytest.mark.parametrize("ips", [None, [""], ["None"]])
def test_a_service_without_an_address_has_none(ips):
    assert IP_ADDRESS.derivation.derive(make_service(cluster_ips=ips), (), CLUSTER) == []


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({}, set()),
        ({"holderIdentity": "a", "leaseDurationSeconds": 15, "leaseTransitions": 0}, set()),
        ({"leaseDurationSeconds": 0}, {("spec.leaseDurationSeconds", "Invalid")}),
        ({"leaseTransitions": -1}, {("spec.leaseTransitions", "Invalid")}),
        ({"strategy": "OldestEmulationVersion", "preferredHolder": "b"}, set()),
        ({"strategy": "example.com/own"}, set()),
        ({"strategy": "Own"}, {("spec.strategy", "NotSupported")}),
        ({"strategy": "a b/own"}, {("spec.strategy", "Invalid")}),
        ({"preferredHolder": "b"}, {("spec.preferredHolder", "Forbidden")}),
    ],
)
def test_leases(spec, causes):
    assert create(LEASE, {"spec": spec})[1] == causes


def test_lease_columns_and_times():
    assert cells(LEASE, {"spec": {"holderIdentity": "a"}})["Holder"] == "a"
    assert cells(LEASE, {})["Holder"] == ""
    lease = created(LEASE, {"spec": {"renewTime": "2026-01-01T00:00:00Z"}})
    assert lease.spec.renew_time == "2026-01-01T00:00:00.000000Z"
    assert not LEASE.unconditional_update
