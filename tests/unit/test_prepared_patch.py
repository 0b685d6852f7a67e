import json

import pytest

from app.domain.declarations.service import SERVICE
from app.domain.documents.decoding import Strictness, to_document
from app.domain.errors import BadRequest, Invalid, UnsupportedMediaType
from app.domain.patching.apply import Applying
from app.domain.patching.prepared import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, prepare_patch

LIVE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "resourceVersion": "7"},
    "spec": {"ports": [{"port": 80, "protocol": "TCP"}], "type": "ClusterIP"},
    "status": {"loadBalancer": {}},
}
APPLYING = Applying("alice", False, "", "2026-01-01T00:00:00Z")


def prepared(media_type, body, strictness=Strictness.WARN):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return prepare_patch(SERVICE, media_type, data, strictness=strictness, applying=APPLYING)


def patched(media_type, body, strictness=Strictness.WARN):
    patch = prepared(media_type, body, strictness)
    service, warnings = patch.decode(patch.apply(LIVE))
    return to_document(service), warnings


CONFIG = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "NodePort"}}


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (JSON_PATCH, [{"op": "replace", "path": "/spec/type", "value": "NodePort"}]),
        (MERGE_PATCH, {"spec": {"type": "NodePort"}}),
        (STRATEGIC_MERGE_PATCH, {"spec": {"type": "NodePort"}}),
    ],
)
def test_the_media_type_says_how_to_patch(media_type, body):
    document, warnings = patched(media_type, body)
    assert document == {**LIVE, "spec": {**LIVE["spec"], "type": "NodePort"}}
    assert warnings == []
    patch = prepared(media_type, body)
    assert (patch.creates, patch.operation) == (False, "Update")


def test_an_apply_creates_and_keeps_managed_fields():
    live = {**LIVE, "spec": {**LIVE["spec"], "type": "NodePort"}}
    patch = prepared(APPLY_PATCH, b"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort}\n")
    assert (patch.creates, patch.operation) == (True, "Apply")
    for document in ({}, live):
        service, warnings = patch.decode(patch.apply(document))
        assert warnings == []
        assert service.spec.type == "NodePort"
        assert "alice" in {entry.manager for entry in service.metadata.managed_fields}


def test_an_applied_body_may_be_json_with_any_escape():
    wanted = {**CONFIG, "metadata": {"name": "web", "annotations": {"note": "\U0001f600"}}}
    service, _ = prepared(APPLY_PATCH, wanted).decode(prepared(APPLY_PATCH, wanted).apply({}))
    assert service.metadata.annotations == {"note": "\U0001f600"}
    flow = prepared(APPLY_PATCH, b"{apiVersion: v1, kind: Service, metadata: {name: web}}")
    assert flow.decode(flow.apply({}))[0].metadata.name == "web"


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (JSON_PATCH, {"op": "add"}),
        (JSON_PATCH, b"["),
        (JSON_PATCH, b'[{"op":1}]'),
        (MERGE_PATCH, []),
        (MERGE_PATCH, b"{"),
        (MERGE_PATCH, b"null"),
        (STRATEGIC_MERGE_PATCH, [1]),
        (STRATEGIC_MERGE_PATCH, b"\xff"),
        (APPLY_PATCH, b"a: b: c"),
        (APPLY_PATCH, b'{"a":'),
    ],
)
def test_malformed_bodies_are_bad_requests(media_type, body):
    with pytest.raises(BadRequest):
        prepared(media_type, body)


def test_other_media_types_are_refused():
    with pytest.raises(UnsupportedMediaType):
        prepared("application/json", {})


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (MERGE_PATCH, {"kind": "Pod"}),
        (MERGE_PATCH, {"apiVersion": "v2"}),
        (MERGE_PATCH, {"spec": "x"}),
        (MERGE_PATCH, {"spec": {"ports": [{"port": 80.0}]}}),
        (STRATEGIC_MERGE_PATCH, {"spec": {"ports": [{"port": 80, "targetPort": []}]}}),
        (STRATEGIC_MERGE_PATCH, {"spec": {"type": 1}}),
        (STRATEGIC_MERGE_PATCH, {"spec": {"healthCheckNodePort": 2**40}}),
        (JSON_PATCH, [{"op": "replace", "path": "", "value": []}]),
        (JSON_PATCH, [{"op": "add", "path": "/spec/ports/-", "value": 1}]),
        (JSON_PATCH, [{"op": "add", "path": "/kind", "value": "Pod"}]),
    ],
)
def test_a_result_that_is_no_object_of_the_kind_is_the_patch_s_fault(media_type, body):
    for strictness in Strictness:
        with pytest.raises(Invalid) as error:
            patched(media_type, body, strictness)
        assert [(cause.field, cause.reason) for cause in error.value.causes] == [("patch", "FieldValueInvalid")]


def test_an_applied_value_of_a_wrong_type_is_the_patch_s_fault():
    with pytest.raises(Invalid) as error:
        patched(APPLY_PATCH, {**CONFIG, "spec": {"type": 5}})
    assert [cause.field for cause in error.value.causes] == ["patch"]


def test_a_strategic_merge_patch_cannot_change_the_kind():
    assert (
        patched(STRATEGIC_MERGE_PATCH, {"kind": "Pod", "spec": {"type": "NodePort"}})[0]["spec"]["type"] == "NodePort"
    )


@pytest.mark.parametrize(
    ("media_type", "body", "problems"),
    [
        (MERGE_PATCH, b'{"spec":{"bogus":1}}', ['unknown field "spec.bogus"']),
        (MERGE_PATCH, b'{"spec":{"type":"a","type":"b"}}', ['duplicate field "spec.type"']),
        (MERGE_PATCH, b'{"spec":{"ports":[{"$patch":"delete","port":80}]}}', ['unknown field "spec.ports[0].$patch"']),
        (STRATEGIC_MERGE_PATCH, b'{"spec":{"bogus":1,"type":"a","type":"b"}}',
         ['duplicate field "spec.type"', 'unknown field "spec.bogus"']),
        (JSON_PATCH, b'[{"op":"add","path":"/spec/bogus","value":1,"x":1,"op":"add"}]',
         ['json patch unknown field "[0].x"', 'json patch duplicate field "[0].op"', 'unknown field "spec.bogus"']),
    ],
)  # fmt: skip
def test_unknown_and_duplicate_fields_warn_or_are_invalid(media_type, body, problems):
    assert patched(media_type, body, Strictness.IGNORE)[1] == []
    assert patched(media_type, body, Strictness.WARN)[1] == problems
    with pytest.raises(Invalid) as error:
        patched(media_type, body, Strictness.STRICT)
    assert [(cause.field, cause.reason) for cause in error.value.causes] == [("patch", "FieldValueInvalid")]
    assert all(problem in error.value.message for problem in problems)


def test_duplicates_in_an_applied_configuration_warn_or_are_bad_requests():
    body = b"apiVersion: v1\nkind: Service\nmetadata: {name: web, name: web}\nspec: {type: NodePort, type: ClusterIP}\n"
    assert patched(APPLY_PATCH, body, Strictness.IGNORE)[1] == []
    assert len(patched(APPLY_PATCH, body)[1]) == 1
    with pytest.raises(BadRequest):
        patched(APPLY_PATCH, body, Strictness.STRICT)


def test_a_patch_cannot_nest_without_end():
    path, operations = "/metadata/annotations", []
    for _ in range(200):
        operations.append({"op": "add", "path": path, "value": {}})
        path += "/a"
    with pytest.raises(Invalid, match="nested"):
        patched(JSON_PATCH, operations)
