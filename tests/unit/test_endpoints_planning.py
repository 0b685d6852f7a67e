import pytest

from app.domain.kinds.endpoints import EndpointAddress, EndpointPort, EndpointSubset
from app.domain.kinds.meta import ObjectReference
from app.domain.kinds.service import ServicePort
from app.domain.rules.endpoint_subsets import repack
from app.domain.wanted.endpoints import CAPACITY, OVER_CAPACITY_ANNOTATION, plan_endpoints
from app.domain.wanted.slice_packing import TRIGGER_TIME_ANNOTATION
from tests.unit.backend_objects import make_pod, make_service

HTTP = EndpointPort("http", 8080, "TCP")


def addresses(subset):
    return [each.ip for each in subset.addresses or []], [each.ip for each in subset.not_ready_addresses or []]


def test_ready_and_not_ready_pods_share_a_subset():
    pods = [make_pod("b", "10.0.0.2"), make_pod("a", "10.0.0.1"), make_pod("c", "10.0.0.3", ready=False)]
    made = plan_endpoints(make_service(labels={"tier": "x"}), pods, None)
    (subset,) = made.subsets
    assert addresses(subset) == (["10.0.0.1", "10.0.0.2"], ["10.0.0.3"])
    assert subset.ports == [HTTP]
    assert made.metadata.name == "web"
    assert made.metadata.namespace == "shop"
    assert made.metadata.labels == {"tier": "x", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    assert made.metadata.annotations is None


def test_an_address_says_whose_it_is():
    pod = make_pod("p", "10.0.0.1", hostname="h", subdomain="web", node="n9")
    (address,) = plan_endpoints(make_service(), [pod], None).subsets[0].addresses
    assert (address.hostname, address.node_name, address.target_ref.name) == ("h", "n9", "p")


@pytest.mark.parametrize(
    ("pod", "publish", "shown"),
    [
        (make_pod("p", "10.0.0.1", terminating=True), False, ([], [])),
        (make_pod("p", "10.0.0.1", terminating=True), True, (["10.0.0.1"], [])),
        (make_pod("p", "10.0.0.1", ready=False), True, (["10.0.0.1"], [])),
        (make_pod("p", "10.0.0.1", phase="Failed"), True, ([], [])),
        (make_pod("p", "fd00::1"), False, ([], [])),
        (make_pod("p", "10.0.0.1", labels={"app": "x"}), False, ([], [])),
        (make_pod("p"), False, ([], [])),
    ],
)
def test_which_pods_are_shown(pod, publish, shown):
    subsets = plan_endpoints(make_service(publish_not_ready_addresses=publish), [pod], None).subsets or []
    assert [addresses(each) for each in subsets] == ([shown] if any(shown) else [])


def test_only_the_primary_family_is_shown():
    made = plan_endpoints(make_service(ip_families=["IPv6", "IPv4"]), [make_pod("p", "10.0.0.1", "fd00::1")], None)
    assert addresses(made.subsets[0]) == (["fd00::1"], [])


def test_pods_that_offer_other_numbers_make_other_subsets():
    service = make_service(ports=[ServicePort(name="http", protocol="TCP", port=80, target_port="http")])
    pods = [make_pod("a", "10.0.0.1", ports={"http": 1}), make_pod("b", "10.0.0.2", ports={"http": 2})]
    made = plan_endpoints(service, [*pods, make_pod("c", "10.0.0.3")], None)
    assert [(each.ports[0].port, addresses(each)[0]) for each in made.subsets] == [(1, ["10.0.0.1"]), (2, ["10.0.0.2"])]


def test_a_headless_service_without_ports_shows_addresses_and_its_label():
    service = make_service(cluster_ip="None", ports=None)
    made = plan_endpoints(service, [make_pod("a", "10.0.0.1")], None)
    assert made.subsets == [EndpointSubset(addresses=made.subsets[0].addresses)]
    assert made.metadata.labels["service.kubernetes.io/headless"] == ""


def test_what_is_right_is_not_written_again():
    service, pods = make_service(), [make_pod("a", "10.0.0.1")]
    made = plan_endpoints(service, pods, None)
    assert plan_endpoints(service, pods, made) is None
    assert plan_endpoints(make_service(labels={"new": "label"}), pods, made) is not None
    assert plan_endpoints(service, [], made).subsets is None


@pytest.mark.parametrize("spec", [{"selector": None}, {"type": "ExternalName"}])
def test_endpoints_of_others_are_left_alone(spec):
    assert plan_endpoints(make_service(**spec), [make_pod("a", "10.0.0.1")], None) is None


def pods(count, **kwargs):
    prefix = "r" if kwargs.get("ready", True) else "u"
    third = 1 if kwargs.get("ready", True) else 2
    return [make_pod(f"{prefix}{i}", f"10.{third}.{i // 250}.{i % 250 + 1}", **kwargs) for i in range(count)]


@pytest.mark.parametrize(
    ("ready", "not_ready", "kept"),
    [(999, 1, (999, 1)), (990, 50, (990, 10)), (1000, 5, (1000, 0)), (1200, 5, (1000, 0)), (0, 1001, (0, 1000))],
)
def test_capacity_prefers_ready_addresses(ready, not_ready, kept):
    made = plan_endpoints(make_service(), [*pods(ready), *pods(not_ready, ready=False)], None)
    (subset,) = made.subsets
    assert (len(subset.addresses or []), len(subset.not_ready_addresses or [])) == kept
    truncated = ready + not_ready > CAPACITY
    assert (made.metadata.annotations or {}).get(OVER_CAPACITY_ANNOTATION) == ("truncated" if truncated else None)
    if truncated:
        assert plan_endpoints(make_service(), pods(3), made).metadata.annotations is None


def test_capacity_is_shared_among_subsets():
    service = make_service(ports=[ServicePort(name="http", protocol="TCP", port=80, target_port="http")])
    large = [make_pod(f"a{i}", f"10.1.{i // 250}.{i % 250 + 1}", ports={"http": 1}) for i in range(1500)]
    small = [make_pod(f"b{i}", f"10.2.{i // 250}.{i % 250 + 1}", ports={"http": 2}) for i in range(500)]
    made = plan_endpoints(service, large + small, None)
    assert [len(each.addresses) for each in made.subsets] == [750, 250]


def subset(ready=(), not_ready=(), ports=()):
    def listed(ips):
        return [EndpointAddress(ip) for ip in ips] or None

    return EndpointSubset(listed(ready), listed(not_ready), [EndpointPort(*each) for each in ports] or None)


A, B = ("a", 80, "TCP"), ("b", 81, "TCP")


@pytest.mark.parametrize(
    ("given", "packed"),
    [
        ([], []),
        ([subset(["2.2.2.2", "1.1.1.1"], [], [B, A])], [subset(["1.1.1.1", "2.2.2.2"], [], [A, B])]),
        ([subset(["1.1.1.1"], [], [A]), subset(["1.1.1.1"], [], [B])], [subset(["1.1.1.1"], [], [A, B])]),
        ([subset(["1.1.1.1"], [], [A]), subset(["2.2.2.2"], [], [A])], [subset(["1.1.1.1", "2.2.2.2"], [], [A])]),
        (
            [subset(["1.1.1.1"], [], [A]), subset(["2.2.2.2"], [], [B])],
            [subset(["1.1.1.1"], [], [A]), subset(["2.2.2.2"], [], [B])],
        ),
        ([subset(["1.1.1.1"], ["1.1.1.1"], [A])], [subset([], ["1.1.1.1"], [A])]),
        (
            [subset(["1.1.1.1"], [], [A, B]), subset([], ["1.1.1.1"], [B])],
            [subset(["1.1.1.1"], [], [A]), subset([], ["1.1.1.1"], [B])],
        ),
        ([subset(["1.1.1.1", "1.1.1.1"])], [subset(["1.1.1.1"])]),
        (
            [subset(["1.1.1.1"]), subset(["1.1.1.1"], [], [A])],
            [subset(["1.1.1.1"]), subset(["1.1.1.1"], [], [A])],
        ),
    ],
)
def test_repacking(given, packed):
    assert repack(given) == packed
    assert repack(packed) == packed


def test_the_same_ip_of_two_targets_counts_twice():
    both = [EndpointAddress("1.1.1.1", target_ref=ObjectReference(uid=uid)) for uid in ("x", "y")]
    (packed,) = repack([EndpointSubset(both, None, [HTTP])])
    assert len(packed.addresses) == 2


def test_it_tells_when_the_change_happened_that_it_was_written_for():
    def pods(*times):
        made = [make_pod(f"p{number}", f"10.0.0.{number + 1}") for number in range(len(times))]
        for pod, time in zip(made, times, strict=True):
            pod.status.conditions[0].last_transition_time = time
        return made

    first, second = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"
    made = plan_endpoints(make_service(), pods(second, first), None)
    assert made.metadata.annotations == {TRIGGER_TIME_ANNOTATION: first}
    assert plan_endpoints(make_service(), pods(second, first), made) is None
    relabelled = plan_endpoints(make_service(labels={"v": "2"}), pods(second, first), made)
    assert relabelled.metadata.annotations is None
    grown = plan_endpoints(make_service(), pods(second, first, second), relabelled)
    assert grown.metadata.annotations == {TRIGGER_TIME_ANNOTATION: second}
