import pytest

from app.domain.kinds.container import Container, ContainerPort
from app.domain.kinds.endpoint_slice import EndpointPort
from app.domain.kinds.service import ServicePort
from app.domain.wanted.endpoint_slices import CONTROLLER, LIMIT, plan_endpoint_slices
from app.domain.wanted.slice_packing import TRIGGER_TIME_ANNOTATION
from tests.unit.backend_objects import UID, Store, make_node, make_pod, make_service

NODES = {"n1": make_node("n1", "a"), "n2": make_node("n2", "b"), "bare": make_node("bare", "")}


def planned(service, pods, nodes=NODES, existing=()):
    return plan_endpoint_slices(service, pods, nodes, existing)


def only_slice(service, pods, nodes=NODES):
    plan = planned(service, pods, nodes)
    assert len(plan.create) == 1
    assert not plan.update
    assert not plan.delete
    return plan.create[0]


def many(count, prefix="p", **kwargs):
    return [make_pod(f"{prefix}{i:04d}", f"10.0.{i // 250}.{i % 250 + 1}", **kwargs) for i in range(count)]


def test_a_slice_names_its_service_owner_and_controller():
    made = only_slice(make_service(labels={"tier": "front", "kubernetes.io/service-name": "lie"}), [])
    assert made.metadata.generate_name == "web-"
    assert made.metadata.name == ""
    assert made.metadata.namespace == "shop"
    assert made.metadata.labels == {
        "tier": "front",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": CONTROLLER,
    }
    (owner,) = made.metadata.owner_references
    assert (owner.api_version, owner.kind, owner.name, owner.uid) == ("v1", "Service", "web", UID)
    assert owner.controller
    assert owner.block_owner_deletion


def test_an_empty_service_keeps_one_placeholder_a_family():
    store = Store()
    service = make_service(ip_families=["IPv4", "IPv6"])
    store.apply(planned(service, []))
    assert sorted((each.address_type, each.endpoints, each.ports) for each in store.all()) == [
        ("IPv4", None, None),
        ("IPv6", None, None),
    ]
    assert not planned(service, [], existing=store.all())


def test_the_placeholder_becomes_the_first_slice_and_the_last_slice_the_placeholder():
    store, service = Store(), make_service()
    store.apply(planned(service, []))
    assert store.apply(planned(service, many(1), existing=store.all())) == 1
    assert [len(each.endpoints) for each in store.all()] == [1]
    assert store.apply(planned(service, [], existing=store.all())) == 1
    assert [(each.endpoints, each.ports) for each in store.all()] == [(None, None)]
    assert store.made == 1


@pytest.mark.parametrize(
    ("pod", "publish", "expected"),
    [
        ({"ready": True}, False, (True, True, False)),
        ({"ready": False}, False, (False, False, False)),
        ({"ready": False}, True, (True, False, False)),
        ({"ready": True, "terminating": True}, False, (False, True, True)),
        ({"ready": False, "terminating": True}, False, (False, False, True)),
        ({"ready": True, "terminating": True}, True, (True, True, True)),
    ],
)
def test_conditions(pod, publish, expected):
    service = make_service(publish_not_ready_addresses=publish)
    (endpoint,) = only_slice(service, [make_pod("p", "10.0.0.1", **pod)]).endpoints
    got = endpoint.conditions
    assert (got.ready, got.serving, got.terminating) == expected


@pytest.mark.parametrize(
    ("pod", "publish", "shown"),
    [
        (make_pod("p", "10.0.0.1"), False, True),
        (make_pod("p"), False, False),
        (make_pod("p", "10.0.0.1", phase="Succeeded"), False, False),
        (make_pod("p", "10.0.0.1", phase="Failed"), True, False),
        (make_pod("p", "10.0.0.1", node="gone"), False, False),
        (make_pod("p", "10.0.0.1", node="gone"), True, True),
        (make_pod("p", "10.0.0.1", node=""), False, True),
        (make_pod("p", "10.0.0.1", labels={"app": "other"}), False, False),
        (make_pod("p", "fd00::1"), False, False),
    ],
)
def test_which_pods_are_shown(pod, publish, shown):
    made = only_slice(make_service(publish_not_ready_addresses=publish), [pod])
    assert [each.addresses for each in made.endpoints or []] == ([["10.0.0.1"]] if shown else [])


def test_an_endpoint_says_whose_it_is_and_where():
    pod = make_pod("p", "10.0.0.1", hostname="db-0", subdomain="web")
    (endpoint,) = only_slice(make_service(), [pod]).endpoints
    target = endpoint.target_ref
    assert (target.kind, target.namespace, target.name, target.uid) == ("Pod", "shop", "p", "uid-of-p")
    assert (endpoint.node_name, endpoint.zone, endpoint.hostname) == ("n1", "a", "db-0")


def test_a_hostname_counts_only_below_its_own_service():
    pod = make_pod("p", "10.0.0.1", hostname="db-0", subdomain="other")
    assert only_slice(make_service(), [pod]).endpoints[0].hostname is None


def test_a_pod_without_a_node_brings_its_own_zone():
    pod = make_pod("p", "10.0.0.1", node="", labels={"topology.kubernetes.io/zone": "z"})
    assert only_slice(make_service(), [pod]).endpoints[0].zone == "z"


def test_dual_stack_pods_appear_in_both_families():
    plan = planned(make_service(ip_families=["IPv6", "IPv4"]), [make_pod("p", "10.0.0.1", "fd00::0:1")])
    assert {each.address_type: [e.addresses for e in each.endpoints] for each in plan.create} == {
        "IPv4": [["10.0.0.1"]],
        "IPv6": [["fd00::1"]],
    }


def test_a_family_that_was_dropped_loses_its_slices():
    store, pods = Store(), [make_pod("p", "10.0.0.1", "fd00::1")]
    store.apply(planned(make_service(ip_families=["IPv4", "IPv6"]), pods))
    plan = planned(make_service(), pods, existing=store.all())
    assert [each.address_type for each in plan.delete] == ["IPv6"]
    assert not plan.create
    assert not plan.update


def test_named_ports_are_looked_up_in_each_pod_and_part_the_slices():
    service = make_service(ports=[ServicePort(name="http", protocol="TCP", port=80, target_port="http")])
    pods = [
        make_pod("a", "10.0.0.1", ports={"http": 8080}),
        make_pod("b", "10.0.0.2", ports={"http": 9090}),
        make_pod("c", "10.0.0.3", ports={"http": 8080}),
        make_pod("d", "10.0.0.4"),
    ]
    plan = planned(service, pods)
    shown = {
        tuple(port.port for port in each.ports or []): [e.target_ref.name for e in each.endpoints]
        for each in plan.create
    }
    assert shown == {(8080,): ["a", "c"], (9090,): ["b"], (): ["d"]}


def test_a_named_port_may_be_a_sidecars_but_no_other_init_containers():
    service = make_service(ports=[ServicePort(name="m", protocol="TCP", port=80, target_port="metrics")])
    port = [ContainerPort(name="metrics", container_port=9100)]
    pod = make_pod("a", "10.0.0.1")
    pod.spec.init_containers = [Container(name="once", ports=port)]
    assert only_slice(service, [pod]).ports is None
    pod.spec.init_containers = [Container(name="sidecar", ports=port, restart_policy="Always")]
    assert only_slice(service, [pod]).ports == [EndpointPort("m", "TCP", 9100)]


def test_a_port_of_another_protocol_is_another_port():
    service = make_service(ports=[ServicePort(name="dns", protocol="UDP", port=53, target_port="dns")])
    assert only_slice(service, [make_pod("a", "10.0.0.1", ports={"dns": 53})]).ports is None


def test_a_port_without_target_goes_to_its_own_number_and_keeps_its_app_protocol():
    service = make_service(ports=[ServicePort(name="g", protocol="TCP", port=50051, app_protocol="kubernetes.io/h2c")])
    assert only_slice(service, many(1)).ports == [EndpointPort("g", "TCP", 50051, "kubernetes.io/h2c")]


def test_headless_slices_say_so_and_may_have_no_ports():
    service = make_service(cluster_ip="None", cluster_ips=["None"], ports=None)
    made = only_slice(service, many(2))
    assert made.metadata.labels["service.kubernetes.io/headless"] == ""
    assert made.ports is None
    assert len(made.endpoints) == 2


@pytest.mark.parametrize(
    ("wish", "zones", "nodes"),
    [
        (None, None, None),
        ("PreferClose", ["a"], None),
        ("PreferSameZone", ["a"], None),
        ("PreferSameNode", ["a"], ["n1"]),
    ],
)
def test_hints_follow_traffic_distribution(wish, zones, nodes):
    (endpoint,) = only_slice(make_service(traffic_distribution=wish), many(1)).endpoints
    hints = endpoint.hints
    assert (hints and hints.for_zones and [each.name for each in hints.for_zones]) == zones
    assert (hints and hints.for_nodes and [each.name for each in hints.for_nodes]) == nodes


def test_only_ready_endpoints_in_a_known_place_get_hints():
    service = make_service(traffic_distribution="PreferSameZone")
    pods = [make_pod("off", "10.0.0.1", ready=False), make_pod("nowhere", "10.0.0.2", node="bare")]
    assert [each.hints for each in only_slice(service, pods).endpoints] == [None, None]


def test_hints_that_are_no_longer_wanted_are_taken_away():
    store = Store()
    store.apply(planned(make_service(traffic_distribution="PreferClose"), many(1)))
    plan = planned(make_service(), many(1), existing=store.all())
    assert [each.endpoints[0].hints for each in plan.update] == [None]


@pytest.mark.parametrize("spec", [{"selector": None}, {"selector": {}}, {"type": "ExternalName"}])
def test_slices_of_others_are_left_alone(spec):
    store = Store()
    store.apply(planned(make_service(), many(3)))
    assert not planned(make_service(**spec), many(3), existing=store.all())


def test_slices_of_an_earlier_service_of_the_same_name_go():
    store = Store()
    store.apply(planned(make_service(), many(1)))
    before = store.all()[0]
    before.metadata.owner_references[0].uid = "another"
    plan = planned(make_service(), many(1), existing=[before])
    assert [each.metadata.name for each in plan.delete] == [before.metadata.name]
    assert len(plan.create) == 1


def test_a_service_being_deleted_gets_no_new_slices_but_true_ones():
    store = Store()
    store.apply(planned(make_service(), many(100)))
    plan = planned(make_service(deleted=True), many(101)[1:], existing=store.all())
    assert not plan.create
    assert [len(each.endpoints) for each in plan.update] == [100]
    plan = planned(make_service(deleted=True), many(150), existing=store.all())
    assert not plan


def test_slices_are_filled_to_the_limit_and_no_further():
    made = planned(make_service(), many(2 * LIMIT + 1)).create
    assert sorted(len(each.endpoints) for each in made) == [1, LIMIT, LIMIT]


def test_a_new_endpoint_goes_to_the_fullest_slice_with_room():
    store, service = Store(), make_service()
    store.apply(planned(service, many(250)))
    pods = many(250)[:240]
    store.apply(planned(service, pods, existing=store.all()))
    newcomer = make_pod("new", "10.9.9.9")
    plan = planned(service, [*pods, newcomer], existing=store.all())
    assert len(plan.update) == 1
    assert not plan.create
    fill = sorted(len(each.endpoints) for each in store.all())
    assert len(plan.update[0].endpoints) == fill[0] + 1


def test_slices_that_are_written_anyway_are_filled_first():
    store, service = Store(), make_service()
    store.apply(planned(service, many(150)))
    survivors = many(150)[1:]
    plan = planned(service, [*survivors, make_pod("new", "10.9.9.9")], existing=store.all())
    assert [len(each.endpoints) for each in plan.update] == [LIMIT]
    assert not plan.create


def test_a_readiness_change_writes_one_slice():
    store, service = Store(), make_service()
    store.apply(planned(service, many(150)))
    pods = many(150)
    pods[7] = make_pod(pods[7].metadata.name, pods[7].status.pod_ip, ready=False)
    plan = planned(service, pods, existing=store.all())
    assert (len(plan.create), len(plan.update), len(plan.delete)) == (0, 1, 0)
    states = {e.addresses[0]: e.conditions.ready for e in plan.update[0].endpoints}
    assert states.pop(pods[7].status.pod_ip) is False
    assert set(states.values()) == {True}


def test_labels_follow_the_service_and_foreign_ones_go():
    store = Store()
    store.apply(planned(make_service(), many(150)))
    store.all()[0].metadata.labels["stray"] = "x"
    store.all()[0].metadata.annotations = {"kept": "y"}
    plan = planned(make_service(labels={"v": "2"}), many(150), existing=store.all())
    assert len(plan.update) == 2
    assert all(each.metadata.labels.get("v") == "2" and "stray" not in each.metadata.labels for each in plan.update)
    assert [each.metadata.annotations for each in plan.update].count({"kept": "y"}) == 1


def test_the_existing_slices_are_not_changed_by_planning():
    store, service = Store(), make_service()
    store.apply(planned(service, many(5)))
    (before,) = store.all()
    pods = many(6)
    turned(pods[5:], THEN)
    plan = planned(service, pods, existing=[before])
    assert len(before.endpoints) == 5
    assert before.metadata.annotations is None
    assert plan.update[0].metadata.annotations == {TRIGGER_TIME_ANNOTATION: THEN}


THEN, NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z", "2026-01-01T00:00:10Z"


def turned(pods, *times):
    """Pods that became ready, the first of them at these times."""
    for pod, time in zip(pods, times, strict=False):
        pod.status.conditions[0].last_transition_time = time
    return pods


def told(slice_):
    return (slice_.metadata.annotations or {}).get(TRIGGER_TIME_ANNOTATION)


def test_a_slice_tells_when_the_earliest_change_happened_that_it_was_written_for():
    store, service = Store(), make_service()
    store.apply(planned(service, turned(many(2), NOW, THEN)))
    assert told(store.all()[0]) == THEN
    strays = turned([make_pod("stray", "10.9.9.9", labels={"app": "other"})], LATER)
    assert not planned(service, [*turned(many(2), NOW, THEN), *strays], existing=store.all())
    (later,) = planned(service, turned(many(3), NOW, THEN, LATER), existing=store.all()).update
    assert told(later) == LATER


def test_a_pod_that_is_over_counts_from_when_it_went_not_ready():
    store, service = Store(), make_service()
    store.apply(planned(service, turned(many(2), THEN, THEN)))
    over = turned([make_pod("p0000", "10.0.0.1", phase="Failed", ready=False), *many(2)[1:]], NOW, THEN)
    (update,) = planned(service, over, existing=store.all()).update
    assert told(update) == NOW


def test_pods_from_before_the_service_count_from_its_creation():
    service = make_service()
    service.metadata.creation_timestamp = NOW
    (made,) = planned(service, turned(many(2), THEN, LATER)).create
    assert told(made) == NOW


def test_a_change_of_no_pods_readiness_tells_no_time_however_often_it_is_written():
    store, service = Store(), make_service()
    store.apply(planned(service, turned(many(2), THEN, NOW)))
    store.apply(planned(make_service(labels={"v": "2"}), turned(many(2), THEN, NOW), existing=store.all()))
    assert told(store.all()[0]) is None
    (update,) = planned(service, turned(many(1), THEN), existing=store.all()).update
    assert told(update) is None


def test_duplicates_over_the_limit_and_strays_in_existing_slices_are_repaired():
    store, service = Store(), make_service()
    store.apply(planned(service, many(150)))
    one, other = store.all()
    one.endpoints = one.endpoints + other.endpoints
    store.apply(planned(service, many(150), existing=store.all()))
    assert sorted(len(each.endpoints) for each in store.all()) == [50, 100]
    assert len({e.addresses[0] for each in store.all() for e in each.endpoints}) == 150
