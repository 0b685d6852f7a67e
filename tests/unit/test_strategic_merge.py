import json

import pytest

from app.domain.documents.schema import schema_of
from app.domain.errors import ApiError, BadRequest, Invalid
from app.domain.kinds.service import Service
from app.domain.patching.strategic import MAX_SAME_KEY, strategic_merge

HTTP = {"name": "http", "port": 80, "protocol": "TCP"}
HTTPS = {"name": "https", "port": 443, "protocol": "TCP", "nodePort": 30443}
DNS = {"name": "dns", "port": 53, "protocol": "UDP"}


def live():
    return {
        "metadata": {"name": "web", "labels": {"app": "x", "tier": "web"}, "finalizers": ["a", "b", "c"]},
        "spec": {"type": "NodePort", "selector": {"app": "x"}, "ports": [HTTP, HTTPS, DNS], "externalIPs": ["1.1.1.1"]},
    }


def patched(patch, document=None):
    document = live() if document is None else document
    before = json.dumps([document, patch])
    result = strategic_merge(schema_of(Service), document, patch)
    assert json.dumps([document, patch]) == before
    return result


def spec(patch):
    return patched({"spec": patch})["spec"]


def names(patch):
    return [port["name"] for port in spec(patch)["ports"]]


def finalizers(patch):
    return patched({"metadata": patch})["metadata"]["finalizers"]


def test_objects_merge_and_null_removes():
    result = patched({"metadata": {"labels": {"tier": None, "new": "1", "no": None}}, "spec": {"type": "ClusterIP"}})
    assert result["metadata"]["labels"] == {"app": "x", "new": "1"}
    assert result["spec"]["type"] == "ClusterIP"
    assert result["spec"]["ports"] == live()["spec"]["ports"]


def test_ports_merge_by_port_number():
    assert spec({"ports": [{"port": 443, "targetPort": 8443, "nodePort": None}]})["ports"] == [
        HTTP,
        {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 8443},
        DNS,
    ]


def test_lists_without_a_merge_strategy_are_replaced():
    assert spec({"externalIPs": ["2.2.2.2"]})["externalIPs"] == ["2.2.2.2"]


@pytest.mark.parametrize(
    ("ports", "order"),
    [
        ([{"port": 8080, "name": "new"}], ["new", "http", "https", "dns"]),
        ([{"port": 443}, {"port": 80}], ["https", "http", "dns"]),
        ([{"port": 53}], ["http", "https", "dns"]),
        ([{"port": 443}, {"port": 8080, "name": "new"}], ["http", "https", "new", "dns"]),
        ([{"port": 8080, "name": "new"}, {"port": 443}], ["new", "http", "https", "dns"]),
        ([{"port": 80, "$patch": "delete"}], ["https", "dns"]),
        ([{"port": 9999, "$patch": "delete"}], ["http", "https", "dns"]),
        ([{"port": 80, "$patch": "delete"}, {"port": 80, "name": "again"}], ["again", "https", "dns"]),
        ([{"$patch": "replace"}, {"port": 7000, "name": "only"}], ["only"]),
        ([{"port": 7000, "name": "only"}, {"$patch": "replace"}], ["only"]),
        ([{"$patch": "replace"}], []),
        ([{"port": 80, "$patch": "merge", "targetPort": 1}], ["http", "https", "dns"]),
    ],
)
def test_order_and_directives_of_keyed_lists(ports, order):
    assert names({"ports": ports}) == order


@pytest.mark.parametrize(
    ("order", "ports", "result"),
    [
        ([53, 443, 80], [], ["dns", "https", "http"]),
        ([53, 80], [], ["https", "dns", "http"]),
        ([443, 8080, 80], [{"port": 8080, "name": "new"}], ["https", "new", "http", "dns"]),
        ([443, 53], [{"port": 80, "$patch": "delete"}], ["https", "dns"]),
        ([80, 443, 53], [{"port": 53, "nodePort": 1}], ["http", "https", "dns"]),
        ([], [{"port": 53, "nodePort": 1}], ["http", "https", "dns"]),
    ],
)
def test_set_element_order_of_keyed_lists(order, ports, result):
    patch = {"$setElementOrder/ports": [{"port": port} for port in order]}
    if ports:
        patch["ports"] = ports
    assert names(patch) == result


@pytest.mark.parametrize(
    ("patch", "result"),
    [
        ({"finalizers": ["d"]}, ["d", "a", "b", "c"]),
        ({"finalizers": ["b", "d"]}, ["a", "b", "d", "c"]),
        ({"$deleteFromPrimitiveList/finalizers": ["b", "x"]}, ["a", "c"]),
        ({"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["d"]}, ["d", "b", "c"]),
        ({"$setElementOrder/finalizers": ["c", "a", "b"]}, ["c", "a", "b"]),
        ({"$setElementOrder/finalizers": ["d", "c"], "finalizers": ["d"]}, ["d", "a", "b", "c"]),
        ({"finalizers": ["d", "d", "a"]}, ["d", "a", "b", "c"]),
    ],
)
def test_lists_of_scalars_merge_as_sets(patch, result):
    assert finalizers(patch) == result


def test_a_list_that_is_not_there_is_taken_without_its_directives():
    document = {"metadata": {"name": "web"}, "spec": {}}
    patch = {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "$setElementOrder/finalizers": ["a"]},
        "spec": {
            "$setElementOrder/ports": [{"port": 80}],
            "ports": [{"$patch": "delete", "port": 443}, {"port": 80, "nodePort": None}],
        },
    }
    assert patched(patch, document) == {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
    assert patched({"spec": {"ports": [{"$patch": "delete", "port": 80}]}}, document)["spec"] == {"ports": []}
    assert patched({"spec": {"selector": {"$patch": "delete"}}}, document)["spec"] == {}


def test_objects_can_be_replaced_and_deleted():
    assert spec({"$patch": "replace", "type": "ExternalName"}) == {"type": "ExternalName"}
    assert spec({"$patch": "delete"}) == {}
    assert spec({"selector": {"$patch": "replace", "new": "1"}})["selector"] == {"new": "1"}


def test_retain_keys_drops_what_it_does_not_list():
    assert spec({"$retainKeys": ["type", "selector"], "type": "ClusterIP"}) == {
        "type": "ClusterIP",
        "selector": {"app": "x"},
    }
    assert "ports" not in spec({"$retainKeys": ["type"], "ports": None})


def test_whole_numbers_may_have_a_fraction():
    assert spec({"ports": [{"$patch": "replace"}, {"port": 80.0, "name": "n"}]})["ports"] == [{"port": 80, "name": "n"}]
    assert type(spec({"healthCheckNodePort": 30000.0})["healthCheckNodePort"]) is int


def test_a_different_type_replaces():
    assert spec({"ports": {"a": 1}})["ports"] == {"a": 1}
    assert spec({"selector": "x"})["selector"] == "x"


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ([], BadRequest),
        ("x", BadRequest),
        ({"spec": {"$patch": "bogus"}}, BadRequest),
        ({"spec": {"$patch": 1}}, BadRequest),
        ({"spec": {"$patch": ["replace"]}}, BadRequest),
        ({"spec": {"ports": [{"port": 80, "$patch": "bogus"}]}}, BadRequest),
        ({"spec": {"ports": [{"name": "no key"}]}}, BadRequest),
        ({"spec": {"ports": [{"$patch": "delete"}]}}, BadRequest),
        ({"spec": {"ports": [1]}}, BadRequest),
        ({"spec": {"ports": [None]}}, BadRequest),
        ({"spec": {"ports": [[]]}}, Invalid),
        ({"spec": {"$retainKeys": "type"}}, BadRequest),
        ({"spec": {"$retainKeys": [1]}}, BadRequest),
        ({"spec": {"$retainKeys": ["type"], "selector": {}}}, BadRequest),
        ({"metadata": {"finalizers": ["d", 1]}}, BadRequest),
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": "a"}}, BadRequest),
        ({"metadata": {"$setElementOrder/finalizers": "a"}}, BadRequest),
        ({"metadata": {"$setElementOrder/labels": []}}, BadRequest),
        ({"metadata": {"$setElementOrder/finalizers": ["a"], "finalizers": ["d"]}}, BadRequest),
        ({"spec": {"$setElementOrder/ports": [{"port": 443}, {"port": 80}], "ports": [{"port": 80}, {"port": 443}]}},
         BadRequest),
    ],
)  # fmt: skip
def test_malformed_patches_are_refused(patch, error):
    with pytest.raises(error) as refused:
        patched(patch)
    assert isinstance(refused.value, ApiError)


def test_true_and_one_are_different_keys():
    assert len(spec({"ports": [{"port": True, "name": "odd"}]})["ports"]) == 4


def test_a_few_items_of_a_patch_may_have_the_same_key():
    """A port may come twice, with two protocols; both change the first item that has the key."""
    items = [{"port": 80, "nodePort": 30000 + index} for index in range(MAX_SAME_KEY)]
    assert patched({"spec": {"ports": items}})["spec"]["ports"][0]["nodePort"] == 30000 + MAX_SAME_KEY - 1
    with pytest.raises(BadRequest, match="same merge key"):
        patched({"spec": {"ports": [*items, {"port": 80}]}})
    others = [{"port": port} for port in range(1, 100)]
    assert len(patched({"spec": {"ports": others}})["spec"]["ports"]) == 99 + 1
