import pytest

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.endpoints import EndpointAddress, EndpointPort, Endpoints, EndpointSubset
from app.domain.kinds.meta import ObjectReference
from app.domain.wanted.mirrored_slices import CONTROLLER, LIMIT, plan_mirrored_slices
from tests.unit.backend_objects import Store, make_service

BARE = make_service(selector=None)


def make_endpoints(*subsets, labels=None, annotations=None, deleted=None):
    meta = ObjectMeta("web", namespace="shop", uid="uid-of-endpoints", labels=labels, annotations=annotations)
    meta.deletion_timestamp = deleted
    return Endpoints(api_version="v1", kind="Endpoints", metadata=meta, subsets=list(subsets))


def subset(ready, not_ready=(), port=80):
    return EndpointSubset(
        [EndpointAddress(ip) for ip in ready] or None,
        [EndpointAddress(ip) for ip in not_ready] or None,
        [EndpointPort("http", port, "TCP")],
    )


def shown(slices):
    return {
        (each.address_type, each.ports[0].port): [(e.addresses[0], e.conditions.ready) for e in each.endpoints]
        for each in slices
    }


def test_one_slice_a_subset_and_family():
    endpoints = make_endpoints(subset(["10.0.0.1", "fd00::1"], ["10.0.0.2"]), subset(["10.0.0.9"], port=81))
    plan = plan_mirrored_slices(endpoints, BARE, [])
    assert shown(plan.create) == {
        ("IPv4", 80): [("10.0.0.1", True), ("10.0.0.2", False)],
        ("IPv6", 80): [("fd00::1", True)],
        ("IPv4", 81): [("10.0.0.9", True)],
    }


def test_labels_annotations_and_owner():
    endpoints = make_endpoints(
        subset(["10.0.0.1"]),
        labels={"tier": "x", "kubernetes.io/service-name": "lie"},
        annotations={
            "note": "y",
            "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00Z",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        },
    )
    (made,) = plan_mirrored_slices(endpoints, BARE, []).create
    assert made.metadata.labels == {
        "tier": "x",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": CONTROLLER,
    }
    assert made.metadata.annotations == {"note": "y"}
    assert made.metadata.generate_name == "web-"
    (owner,) = made.metadata.owner_references
    assert (owner.kind, owner.uid, owner.controller) == ("Endpoints", "uid-of-endpoints", True)


def test_what_an_address_says_is_kept():
    target = ObjectReference(kind="Pod", namespace="shop", name="p", uid="u")
    address = EndpointAddress("10.0.0.1", "h", "n1", target)
    endpoints = make_endpoints(EndpointSubset([address], None, [EndpointPort("g", 1, "TCP", "grpc")]))
    (made,) = plan_mirrored_slices(endpoints, BARE, []).create
    (endpoint,) = made.endpoints
    assert (endpoint.hostname, endpoint.node_name, endpoint.target_ref) == ("h", "n1", target)
    assert made.ports[0].app_protocol == "grpc"


@pytest.mark.parametrize(
    ("endpoints", "service"),
    [
        (make_endpoints(subset(["10.0.0.1"]), labels={"endpointslice.kubernetes.io/skip-mirror": "true"}), BARE),
        (make_endpoints(subset(["10.0.0.1"]), annotations={"control-plane.alpha.kubernetes.io/leader": "{}"}), BARE),
        (make_endpoints(subset(["10.0.0.1"])), make_service()),
        (make_endpoints(subset(["10.0.0.1"])), None),
        (make_endpoints(subset(["10.0.0.1"]), deleted="2026-01-01T00:00:00Z"), BARE),
        (make_endpoints(), BARE),
    ],
)
def test_what_is_not_mirrored_loses_its_slices(endpoints, service):
    store = Store()
    store.apply(plan_mirrored_slices(make_endpoints(subset(["10.0.0.1"])), BARE, []))
    assert not plan_mirrored_slices(endpoints, service, [])
    store.apply(plan_mirrored_slices(endpoints, service, store.all()))
    assert store.all() == []


def test_changes_are_written_where_they_belong_and_nothing_else():
    store = Store()
    before = make_endpoints(subset(["10.0.0.1", "10.0.0.2"]), subset(["10.0.0.9"], port=81))
    store.apply(plan_mirrored_slices(before, BARE, []))
    assert not plan_mirrored_slices(before, BARE, store.all())
    after = make_endpoints(subset(["10.0.0.1"], ["10.0.0.2"]), subset(["10.0.0.9"], port=81))
    assert store.apply(plan_mirrored_slices(after, BARE, store.all())) == 1
    assert shown(store.all())["IPv4", 80] == [("10.0.0.1", True), ("10.0.0.2", False)]
    relabelled = make_endpoints(*after.subsets, annotations={"a": "b"})
    plan = plan_mirrored_slices(relabelled, BARE, store.all())
    assert [each.metadata.annotations for each in plan.update] == [{"a": "b"}] * 2


def test_a_large_subset_is_cut():
    ready = [f"10.1.{i // 250}.{i % 250 + 1}" for i in range(LIMIT - 1)]
    plan = plan_mirrored_slices(make_endpoints(subset(ready, ["10.2.0.1", "10.2.0.2"])), BARE, [])
    (made,) = plan.create
    assert len(made.endpoints) == LIMIT
    assert [e.conditions.ready for e in made.endpoints].count(False) == 1
