import json

import pytest

from app.domain.declarations.service import SERVICE
from app.domain.documents.decoding import Strictness, decode, to_document
from app.domain.errors import BadRequest, Conflict, Invalid
from app.domain.kinds.service import Service
from app.domain.patching.apply import LAST_APPLIED, Applying, apply
from app.domain.patching.managed_fields import record_update

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def config(metadata=None, status=None, **spec):
    document = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", **(metadata or {})}}
    if spec:
        document["spec"] = spec
    if status is not None:
        document["status"] = status
    return document


def applied(live, wanted, manager="alice", *, force=False, subresource="", now=EARLY):
    before = json.dumps([live, wanted])
    result = apply(SERVICE, live, wanted, Applying(manager, force, subresource, now))
    assert json.dumps([live, wanted]) == before
    return result


def posted(document, manager="poster", now=EARLY):
    service, _ = decode(Service, document, strictness=Strictness.STRICT)
    record_update(SERVICE, None, service, manager, now)
    return to_document(service)


def put(live, document, manager="putter", now=LATE, subresource=""):
    old, _ = decode(Service, live, strictness=Strictness.STRICT)
    new, _ = decode(Service, document, strictness=Strictness.STRICT)
    record_update(SERVICE, old, new, manager, now, subresource)
    return to_document(new)


def owned(document, manager, operation="Apply", subresource=""):
    """What one manager owns, or None."""
    for entry in document["metadata"].get("managedFields", []):
        identity = (entry["manager"], entry["operation"], entry.get("subresource", ""))
        if identity == (manager, operation, subresource):
            return entry["fieldsV1"]
    return None


def conflicts(live, wanted, manager="bob", **more):
    with pytest.raises(Conflict) as refused:
        applied(live, wanted, manager, **more)
    assert refused.value.code == 409
    assert {cause.reason for cause in refused.value.causes} == {"FieldManagerConflict"}
    return {cause.field: cause.message for cause in refused.value.causes}


PORT = {"port": 80, "protocol": "TCP"}
PORT_KEY = 'k:{"port":80,"protocol":"TCP"}'


def test_applying_creates_with_the_applier_as_owner():
    live = applied({}, config({"labels": {"app": "x"}}, ports=[{"port": 80, "name": "http"}], type="NodePort"))
    assert live["spec"] == {"ports": [{"port": 80, "name": "http"}], "type": "NodePort"}
    assert live["metadata"]["managedFields"] == [
        {
            "manager": "alice",
            "operation": "Apply",
            "apiVersion": "v1",
            "time": EARLY,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {"f:labels": {"f:app": {}}},
                "f:spec": {"f:ports": {PORT_KEY: {".": {}, "f:port": {}, "f:name": {}}}, "f:type": {}},
            },
        }
    ]


def test_applying_again_changes_nothing():
    wanted = config({"labels": {"app": "x"}}, ports=[PORT], selector={"a": "b"})
    live = applied({}, wanted)
    assert applied(live, wanted, now=LATE) == live


def test_what_is_no_longer_applied_is_removed():
    live = applied(
        {}, config({"labels": {"a": "1", "b": "2"}}, ports=[PORT, {"port": 443, "protocol": "TCP"}], type="X")
    )
    live = applied(live, config({"labels": {"b": "2"}}, ports=[PORT]), now=LATE)
    assert live["metadata"]["labels"] == {"b": "2"}
    assert live["spec"]["ports"] == [PORT]
    assert live["spec"].get("type") is None
    assert live["metadata"]["managedFields"][0]["time"] == LATE


def test_what_is_no_longer_applied_stays_while_others_own_it():
    wanted = config({"labels": {"a": "1"}}, ports=[PORT], type="X")
    live = applied(applied({}, wanted), wanted, "bob")
    live = applied(live, config({"labels": {"b": "2"}}))
    assert live["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert live["spec"] == {"ports": [PORT], "type": "X"}
    live = applied(live, config(), "bob")
    assert live["metadata"]["labels"] == {"b": "2"}
    assert "spec" not in live
    assert owned(live, "bob") is None


def test_other_values_of_owned_fields_conflict_and_name_their_managers():
    live = applied({}, config({"labels": {"a": "1"}}, ports=[{**PORT, "nodePort": 30001}], type="NodePort"))
    wanted = config({"labels": {"a": "2"}}, ports=[{**PORT, "nodePort": 30002}], type="NodePort", selector={"x": "y"})
    assert conflicts(live, wanted) == {
        ".metadata.labels.a": 'conflict with "alice"',
        '.spec.ports[port=80,protocol="TCP"].nodePort': 'conflict with "alice"',
    }


def test_equal_values_are_shared():
    live = applied({}, config(type="NodePort"))
    live = applied(live, config(type="NodePort"), "bob")
    assert owned(live, "alice") == owned(live, "bob") == {"f:spec": {"f:type": {}}}
    assert conflicts(live, config(type="ClusterIP"), "carol").keys() == {".spec.type"}


def test_force_takes_ownership():
    live = applied({}, config({"labels": {"a": "1", "b": "1"}}))
    live = applied(live, config({"labels": {"a": "2"}}), "bob", force=True)
    assert live["metadata"]["labels"] == {"a": "2", "b": "1"}
    assert owned(live, "alice") == {"f:metadata": {"f:labels": {"f:b": {}}}}
    assert owned(live, "bob") == {"f:metadata": {"f:labels": {"f:a": {}}}}


def test_updates_own_what_they_change_and_conflict_with_appliers():
    live = posted(config({"labels": {"a": "1"}}, ports=[PORT], type="NodePort"))
    assert owned(live, "poster", "Update") == {
        "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
        "f:spec": {"f:ports": {".": {}, PORT_KEY: {".": {}, "f:port": {}, "f:protocol": {}}}, "f:type": {}},
    }
    assert conflicts(live, config(type="ClusterIP")) == {".spec.type": 'conflict with "poster" using v1'}


def test_an_update_takes_fields_from_an_applier():
    live = applied({}, config({"labels": {"a": "1", "b": "1"}}, type="NodePort"))
    live = put(live, config({"labels": {"a": "2", "b": "1"}}))
    assert owned(live, "alice") == {"f:metadata": {"f:labels": {"f:b": {}}}}
    assert owned(live, "putter", "Update") == {"f:metadata": {"f:labels": {"f:a": {}}}}
    assert conflicts(live, config({"labels": {"a": "1", "b": "1"}}), "alice").keys() == {".metadata.labels.a"}


def test_an_applier_drops_a_field_that_an_update_owns_too():
    live = applied({}, config({"labels": {"a": "1"}}))
    live = put(live, config({"labels": {"a": "2"}}))
    live = applied(live, config({"labels": {"a": "2"}}))
    live = applied(live, config())
    assert live["metadata"]["labels"] == {"a": "2"}


def test_atomic_lists_and_maps_have_one_owner():
    live = applied({}, config(externalIPs=["1.1.1.1"], selector={"a": "1"}))
    assert owned(live, "alice") == {"f:spec": {"f:externalIPs": {}, "f:selector": {}}}
    wanted = config(externalIPs=["2.2.2.2"], selector={"b": "1"})
    assert conflicts(live, wanted).keys() == {".spec.externalIPs", ".spec.selector"}
    live = applied(live, wanted, "bob", force=True)
    assert live["spec"] == {"externalIPs": ["2.2.2.2"], "selector": {"b": "1"}}
    assert owned(live, "alice") is None


def test_sets_merge_by_value():
    live = applied({}, config({"finalizers": ["x/a", "x/b"]}))
    live = applied(live, config({"finalizers": ["x/c"]}), "bob")
    assert live["metadata"]["finalizers"] == ["x/a", "x/b", "x/c"]
    assert owned(live, "bob") == {"f:metadata": {"f:finalizers": {'v:"x/c"': {}}}}
    live = applied(live, config({"finalizers": ["x/b"]}))
    assert live["metadata"]["finalizers"] == ["x/b", "x/c"]


def test_ports_of_both_protocols_are_different_items():
    live = applied({}, config(ports=[{"port": 53, "name": "tcp"}]))
    live = applied(live, config(ports=[{"port": 53, "protocol": "UDP", "name": "udp"}]), "bob")
    assert [port["name"] for port in live["spec"]["ports"]] == ["tcp", "udp"]


def test_a_left_out_protocol_is_tcp():
    live = applied({}, config(ports=[{"port": 80, "protocol": "TCP", "name": "a"}]))
    live = applied(live, config(ports=[{"port": 80, "name": "b"}]), "bob", force=True)
    assert live["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "name": "b"}]


@pytest.mark.parametrize(
    ("first", "second", "order"),
    [
        ([1, 2, 3], [3, 1], [2, 3, 1]),
        ([1, 2, 3], [4], [1, 2, 3, 4]),
        ([1, 2, 3], [4, 2], [1, 4, 2, 3]),
        ([1, 2, 3], [2, 4], [1, 2, 3, 4]),
        ([1, 2, 3, 4], [4, 5, 2], [1, 3, 4, 5, 2]),
        ([], [2, 1], [2, 1]),
    ],
)
def test_items_keep_the_applied_order_and_the_place_of_the_others(first, second, order):
    live = applied({}, config(ports=[{"port": port} for port in first]))
    live = applied(live, config(ports=[{"port": port} for port in second]), "bob")
    assert [port["port"] for port in live["spec"]["ports"]] == order


def test_removing_an_item_takes_what_nobody_owns_along():
    live = applied({}, config(ports=[PORT, {"port": 443, "protocol": "TCP"}]))
    live["spec"]["ports"][1]["nodePort"] = 30443
    live = applied(live, config(ports=[PORT]))
    assert live["spec"]["ports"] == [PORT]


def test_an_item_that_somebody_else_has_a_field_of_stays():
    live = applied({}, config(ports=[PORT, {"port": 443, "protocol": "TCP", "name": "x"}]))
    live = applied(live, config(ports=[{"port": 443, "protocol": "TCP", "nodePort": 30443}]), "bob")
    live = applied(live, config(ports=[PORT]))
    assert live["spec"]["ports"] == [PORT, {"port": 443, "protocol": "TCP", "nodePort": 30443}]


def test_unowned_fields_are_left_alone():
    live = applied({}, config(type="NodePort", sessionAffinity="None"))
    live["spec"]["clusterIP"] = "10.0.0.1"
    live = applied(live, config(sessionAffinity="None"))
    assert live["spec"] == {"sessionAffinity": "None", "clusterIP": "10.0.0.1"}
    live = applied(live, config(clusterIP="10.0.0.2"), "bob")
    assert live["spec"]["clusterIP"] == "10.0.0.2"


def test_null_is_applied_as_the_zero_value_and_owned():
    live = applied({}, config(type="NodePort"))
    assert conflicts(live, config(type=None)).keys() == {".spec.type"}
    live = applied(live, config(type=None, ports=None), "bob", force=True)
    assert live["spec"]["type"] is None
    assert owned(live, "bob") == {"f:spec": {"f:type": {}, "f:ports": {}}}


def test_an_object_without_managers_is_owned_by_before_first_apply():
    live = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "uid": "u"},
        "spec": {"type": "NodePort"},
    }
    assert conflicts(live, config(type="ClusterIP")) == {".spec.type": 'conflict with "before-first-apply" using v1'}
    result = applied(live, config({"labels": {"a": "1"}}))
    assert owned(result, "before-first-apply", "Update") == {"f:spec": {"f:type": {}}}


def test_the_main_path_does_not_own_status_and_the_status_path_not_spec():
    wanted = config(status={"conditions": [{"type": "Ready", "status": "True"}]}, type="NodePort")
    live = applied({}, wanted)
    assert owned(live, "alice") == {"f:spec": {"f:type": {}}}
    live = applied(live, wanted, subresource="status")
    assert owned(live, "alice", subresource="status") == {
        "f:status": {"f:conditions": {'k:{"type":"Ready"}': {".": {}, "f:type": {}, "f:status": {}}}}
    }
    other = config(status={"conditions": [{"type": "Ready", "status": "False"}]})
    assert conflicts(live, other, subresource="status") == {
        '.status.conditions[type="Ready"].status': 'conflict with "alice" with subresource "status"'
    }
    live = put(live, {**live, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}, subresource="status")
    assert owned(live, "putter", "Update", "status") == {
        "f:status": {"f:conditions": {'k:{"type":"Ready"}': {"f:status": {}}}}
    }


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ([], BadRequest),
        (None, BadRequest),
        ({}, BadRequest),
        ({"kind": "Service"}, BadRequest),
        ({"apiVersion": "v2", "kind": "Service"}, BadRequest),
        ({"apiVersion": "v1", "kind": "Pod"}, BadRequest),
        (config({"managedFields": []}), BadRequest),
        (config(bogus=1), Invalid),
        ({**config(), "bogus": 1}, Invalid),
        ({**config(), "spec": "x"}, Invalid),
        (config(ports={}), Invalid),
        (config(ports=[1]), Invalid),
        (config(ports=[None]), Invalid),
        (config(ports=[{"name": "no port"}]), Invalid),
        (config(ports=[PORT, {"port": 80}]), Invalid),
        (config(ports=[{"port": 80, "bogus": 1}]), Invalid),
        (config(type={}), Invalid),
        (config(type=[]), Invalid),
        (config(type=5), Invalid),
        (config(healthCheckNodePort="x"), Invalid),
        (config({"finalizers": ["a", "a"]}), Invalid),
        (config({"finalizers": [{}]}), Invalid),
        (config({"labels": {"a": {}}}), Invalid),
    ],
)
def test_configurations_that_do_not_fit_are_refused(wanted, error):
    with pytest.raises(error):
        applied({}, wanted)


def test_kubectl_takes_over_from_client_side_apply_without_conflicts():
    last = config({"labels": {"a": "1"}}, type="NodePort")
    annotations = {LAST_APPLIED: json.dumps(last)}
    live = posted({**last, "metadata": {**last["metadata"], "annotations": annotations}}, "kubectl-client-side-apply")
    wanted = config({"labels": {"a": "2"}}, type="ClusterIP")
    assert conflicts(live, wanted, "other").keys() == {".metadata.labels.a", ".spec.type"}
    result = applied(live, wanted, "kubectl")
    assert result["spec"]["type"] == "ClusterIP"
    assert json.loads(result["metadata"]["annotations"][LAST_APPLIED]) == wanted


def test_kubectl_still_conflicts_where_somebody_else_changed_a_field():
    last = config({"labels": {"a": "1"}}, type="NodePort")
    annotations = {LAST_APPLIED: json.dumps(last)}
    live = posted({**last, "metadata": {**last["metadata"], "annotations": annotations}}, "kubectl-client-side-apply")
    live = put(live, {**live, "spec": {"type": "LoadBalancer"}})
    assert conflicts(live, config({"labels": {"a": "2"}}, type="ClusterIP"), "kubectl").keys() == {".spec.type"}


@pytest.mark.parametrize("annotation", ["", "{", "[]", "null", '{"apiVersion":"v2"}', "[" * 100_000])
def test_a_useless_last_applied_annotation_excuses_no_conflict(annotation):
    live = posted(config({"annotations": {LAST_APPLIED: annotation}}, type="NodePort"))
    assert conflicts(live, config(type="ClusterIP"), "kubectl").keys() == {".spec.type"}


def test_conflicts_are_counted_whole_and_named_up_to_a_hundred():
    labels = {f"l{index}": "a" for index in range(150)}
    live = applied({}, config({"labels": labels}))
    with pytest.raises(Conflict, match="150 conflicts") as refused:
        applied(live, config({"labels": dict.fromkeys(labels, "b")}), "bob")
    assert len(refused.value.causes) == 100


@pytest.mark.parametrize("annotation", ["[" * 100_000, "{", '{"kind":"Pod"}', json.dumps(config(bogus=1))])
def test_an_annotation_of_client_side_apply_that_makes_no_sense_has_no_effect(annotation):
    live = posted(config({"annotations": {LAST_APPLIED: annotation}, "labels": {"a": "1"}}))
    assert set(conflicts(live, config({"labels": {"a": "2"}}), "kubectl")) == {".metadata.labels.a"}
