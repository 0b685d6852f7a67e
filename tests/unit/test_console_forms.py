"""Forms of the console: a document's values in fields, and back without losing what the fields do not tell of."""

import pytest

from app.console.api_client import Refused
from app.console.forms import fields_of, filled, help_texts, shown

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"tier": "front"}, "resourceVersion": "7"},
    "spec": {
        "type": "NodePort",
        "clusterIP": "10.96.0.7",
        "selector": {"app": "web", "tier": "front"},
        "ports": [
            {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "web", "nodePort": 30080},
            {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53, "nodePort": 30053},
        ],
    },
}
POOL = {
    "metadata": {"name": "outside"},
    "spec": {
        "scope": "external",
        "addresses": ["198.18.0.0/24", "198.18.1.1"],
        "autoAssign": False,
        "priority": 3,
        "drain": True,
        "namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
    },
}


@pytest.mark.parametrize(
    ("kind", "document"),
    [("services", SERVICE), ("addresspools", POOL), ("staticaddresses", {"spec": {"drain": True}})],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_a_form_that_nobody_changed_changes_nothing(kind, document, is_new):
    fields = fields_of(kind, is_new=is_new)
    assert filled(fields, shown(fields, document), document) == document


def test_a_service_in_fields():
    values = shown(fields_of("services", is_new=False), SERVICE)
    assert values == {
        "type": "NodePort",
        "ports": "80:web, 53/UDP",
        "selector": "app=web, tier=front",
        "external_name": "",
        "internal": "",
    }


def test_ports_keep_what_their_field_does_not_tell_of():
    fields = fields_of("services", is_new=False)
    made = filled(fields, shown(fields, SERVICE) | {"ports": "80:8080 53/UDP 443"}, SERVICE)
    assert made["spec"]["ports"] == [
        {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 30080},
        {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30053},
        {"name": "port-443", "port": 443},
    ]


def test_what_is_emptied_goes_with_what_surrounds_it():
    fields = fields_of("addresspools", is_new=False)
    chosen = filled(fields, {"addresses": "198.18.0.7", "namespaces": "team=shop"}, {"spec": {}})
    assert chosen["spec"] == {"addresses": ["198.18.0.7"], "namespaceSelector": {"matchLabels": {"team": "shop"}}}
    assert filled(fields, {"addresses": "198.18.0.7"}, chosen)["spec"] == {"addresses": ["198.18.0.7"]}
    assert "namespaceSelector" in filled(fields, {"addresses": "198.18.0.7"}, POOL)["spec"]


@pytest.mark.parametrize(
    ("kind", "field", "content"),
    [("services", "ports", "http"), ("services", "selector", "web"), ("addresspools", "priority", "high")],
)
def test_what_cannot_be_read_is_refused_with_its_words(kind, field, content):
    with pytest.raises(Refused, match=content):
        filled(fields_of(kind, is_new=True), {field: content}, {"spec": {}})


@pytest.mark.parametrize("strange", [None, "text", [], {"ports": "text", "selector": 7}])
def test_a_text_of_another_shape_is_no_obstacle(strange):
    made = filled(fields_of("services", is_new=True), {"name": "web", "ports": "80"}, {"metadata": 7, "spec": strange})
    assert (made["metadata"], made["spec"]["ports"]) == ({"name": "web"}, [{"name": "port-80", "port": 80}])


def test_help_is_what_the_api_says():
    identity = {"group": "", "version": "v1", "kind": "Service"}
    schemas = {
        "Service": {
            "x-kubernetes-group-version-kind": [identity],
            "properties": {"spec": {"allOf": [{"$ref": "#/components/schemas/Spec"}]}},
        },
        "Spec": {"properties": {"ports": {"description": "The ports of the Service."}}},
    }
    helps = help_texts(fields_of("services", is_new=True), schemas, identity)
    assert (helps["ports"], helps["name"], helps["internal"]) == ("The ports of the Service.", "", "")
    assert set(help_texts(fields_of("services", is_new=True), {}, identity).values()) == {""}
