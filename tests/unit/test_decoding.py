import json

import pytest

from app.domain.documents.decoding import (
    MAX_DEPTH,
    StrictDecodingError,
    Strictness,
    decode,
    decode_json,
    decode_yaml,
    parse_json,
    to_document,
)
from app.domain.documents.typed_documents import MAX_OBJECTS
from app.domain.errors import BadRequest
from app.domain.kinds.event import Event
from app.domain.kinds.service import Service, ServicePort


def read(body, strictness=Strictness.WARN, model=Service):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_json(model, data, strictness=strictness)


def test_a_plain_body_becomes_a_typed_object():
    service, warnings = read(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "labels": {"app": "x"}},
            "spec": {"ports": [{"port": 80, "targetPort": "http"}, {"port": 443, "targetPort": 8443}]},
        }
    )
    assert warnings == []
    assert (service.metadata.name, service.metadata.labels) == ("web", {"app": "x"})
    assert [port.target_port for port in service.spec.ports] == ["http", 8443]


@pytest.mark.parametrize(
    "body",
    [
        b'{"metadata":{"name":"web"},"spec":{"type":"ClusterIP","ports":[{"port":80}]}}',
        b'{ "metadata" : { "name" : "web" },\n"spec" :\t{"type": "ClusterIP", "ports" : [ {"port" : 80} ] } }',
        b'{"metadata":{"name":"w\\u0065b"},"spec":{"type":"ClusterIP","ports":[{"port":80}],"selector":{}}}',
        b'{"metadata":{"name":"web"},"bogus":1,"spec":{"type":"ClusterIP","ports":[{"port":80}],"externalIPs":[ ]}}',
        b'{"metadata":{"name":"web","labels":null},"spec":{"type":"ClusterIP","clusterIP":null,"ports":[{"port":80}]}}',
    ],
)
def test_spelling_does_not_change_the_object(body):
    service, _ = read(body, Strictness.IGNORE)
    assert to_document(service) == {
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80}], "type": "ClusterIP"},
        "status": {"loadBalancer": {}},
    }


def test_null_is_the_zero_value():
    service, warnings = read(
        b'{"metadata":null,"spec":{"ports":[null],"selector":{"a":null},"type":null,"clusterIPs":[null]},"status":null}'
    )
    assert warnings == []
    assert service.spec.ports == [ServicePort()]
    assert service.spec.selector == {"a": ""}
    assert (service.spec.type, service.spec.cluster_ips) == ("", [""])
    assert service.metadata.name == ""


@pytest.mark.parametrize(
    ("body", "path", "wanted"),
    [
        ({"spec": "x"}, "spec", "an object"),
        ({"spec": []}, "spec", "an object"),
        ({"spec": {"ports": {}}}, "spec.ports", "a list"),
        ({"spec": {"ports": [1]}}, "spec.ports[0]", "an object"),
        ({"spec": {"ports": [{"port": "80"}]}}, "spec.ports[0].port", "an integer"),
        ({"spec": {"ports": [{"port": 80.0}]}}, "spec.ports[0].port", "an integer"),
        ({"spec": {"ports": [{"port": True}]}}, "spec.ports[0].port", "an integer"),
        ({"spec": {"ports": [{"port": 2**31}]}}, "spec.ports[0].port", "between"),
        ({"spec": {"ports": [{"port": -(2**31) - 1}]}}, "spec.ports[0].port", "between"),
        ({"spec": {"ports": [{"port": 10**30}]}}, "spec.ports[0].port", "an integer"),
        ({"spec": {"ports": [{"targetPort": False}]}}, "spec.ports[0].targetPort", "an integer or a string"),
        ({"spec": {"ports": [{"targetPort": 2**40}]}}, "spec.ports[0].targetPort", "between"),
        ({"spec": {"type": 5}}, "spec.type", "a string"),
        ({"spec": {"publishNotReadyAddresses": "true"}}, "spec.publishNotReadyAddresses", "true or false"),
        ({"metadata": {"labels": {"a": 1}}}, "metadata.labels.a", "a string"),
        ({"metadata": {"labels": ["a"]}}, "metadata.labels", "an object"),
        ({"metadata": {"creationTimestamp": "yesterday"}}, "metadata.creationTimestamp", "RFC 3339"),
        ({"metadata": {"generation": 2**63}}, "metadata.generation", "between"),
    ],
)
def test_a_wrong_type_is_refused_with_its_path(body, path, wanted):
    with pytest.raises(BadRequest) as error:
        read(body, Strictness.IGNORE)
    assert error.value.code == 400
    assert error.value.message.startswith(path + " ")
    assert wanted in error.value.message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"{}x",
        b"null",
        b"[]",
        b'"text"',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b'{"metadata":{"name":"\xff"}}',
        b'{"metadata":{"name":"\\ud800"}}',
        b'{"bogus":"\\udc00x"}',
        b"\xef\xbb\xbf{}",
        '{"metadata":{"name":"x"}}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"metadata":{"managedFields":[{"fieldsV1":' + b'{"f:a":' * 300 + b"{}" + b"}" * 300 + b"}]}}",
    ],
)
def test_malformed_bodies_are_bad_requests(body):
    for strictness in Strictness:
        with pytest.raises(BadRequest):
            read(body, strictness)


def test_nesting_is_accepted_up_to_the_limit():
    levels = MAX_DEPTH - 3
    body = b'{"a":' + b"[" * levels + b"]" * levels + b"}"
    assert read(body)[1] == ['unknown field "a"']


def test_unknown_fields_are_named_with_their_paths():
    body = {
        "metadata": {"name": "x", "Labels": {}},
        "spec": {"foo": 1, "ports": [{"port": 1}, {"port": 2, "bar": {"deep": 1}}]},
        "spec.x": 1,
    }
    problems = [
        'unknown field "metadata.Labels"',
        'unknown field "spec.foo"',
        'unknown field "spec.ports[1].bar"',
        'unknown field "spec.x"',
    ]
    assert read(body, Strictness.IGNORE)[1] == []
    assert read(body, Strictness.WARN)[1] == problems
    with pytest.raises(StrictDecodingError) as error:
        read(body, Strictness.STRICT)
    assert list(error.value.problems) == problems
    assert error.value.code == 400
    assert "strict decoding error" in error.value.message


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b'{"kind":"A","kind":"B"}', ["kind"]),
        (b'{"kind":"A", "kind" :"A","kind": "A"}', ["kind"]),
        (b'{"metadata":{"labels":{"a":"1","a":"2"}}}', ["metadata.labels.a"]),
        (b'{"spec":{"ports":[{"port":1},{"port":2,"port":2}]}}', ["spec.ports[1].port"]),
        (b'{"kind":"A","\\u006bind":"B"}', ["kind"]),
        (b'{"metadata":{"annotations":{"a":"\\u003a","b":"1","b":"2"}}}', ["metadata.annotations.b"]),
        (b'{"metadata":{"annotations":{"a::":"x:y","a::":"x:y"}}}', ["metadata.annotations.a::"]),
    ],
)
def test_duplicate_fields_are_named_and_the_last_one_counts(body, paths):
    problems = [f'duplicate field "{path}"' for path in paths]
    service, warnings = read(body)
    assert warnings == problems
    assert to_document(service) == to_document(read(json.dumps(json.loads(body)).encode())[0])
    with pytest.raises(StrictDecodingError) as error:
        read(body, Strictness.STRICT)
    assert list(error.value.problems) == problems


def test_colons_in_values_are_no_duplicates():
    body = {"metadata": {"annotations": {"u:v": "http://[::1]:80/", "json": '{"a":1,"a":2}'}}, "spec": {"type": ": :"}}
    assert read(body, Strictness.STRICT)[0].metadata.annotations == body["metadata"]["annotations"]


def test_duplicates_inside_of_an_unknown_field_do_not_count():
    assert read(b'{"foo":{"a":1,"a":2},"foo":{}}')[1] == ['unknown field "foo"']


def test_problems_are_bounded():
    body = {f"f{index}": index for index in range(500)}
    assert len(read(body)[1]) == 100


def test_names_are_case_sensitive():
    assert read({"Kind": "Service"})[1] == ['unknown field "Kind"']


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
    ],
)
def test_timestamps_are_kept_in_seconds_utc(given, kept):
    assert read({"metadata": {"creationTimestamp": given}})[0].metadata.creation_timestamp == kept


def test_micro_times_are_kept_with_six_digits():
    event, _ = read({"eventTime": "2026-01-02T03:04:05.5Z"}, model=Event)
    assert event.event_time == "2026-01-02T03:04:05.500000Z"


def test_empty_lists_and_maps_mean_the_same_as_none():
    service, _ = read({"metadata": {"labels": {}}, "spec": {"ports": [], "selector": {}, "sessionAffinityConfig": {}}})
    assert (service.metadata.labels, service.spec.ports, service.spec.selector) == (None, None, None)
    assert service.spec.session_affinity_config is not None


def test_empty_managed_fields_are_told_from_absent_ones():
    assert read({"metadata": {"managedFields": []}})[0].metadata.managed_fields == []
    assert read({"metadata": {"managedFields": []}, "bogus": 1})[0].metadata.managed_fields == []
    assert read({"metadata": {}})[0].metadata.managed_fields is None


def test_decode_reports_duplicates_that_parsing_found():
    document, duplicates = parse_json(b'{"kind":"A","kind":"B"}')
    assert (document, duplicates) == ({"kind": "B"}, [(None, "kind")])
    assert decode(Service, document, strictness=Strictness.WARN, duplicates=duplicates)[1] == ['duplicate field "kind"']


def test_yaml_bodies_decode_alike_and_warn_once_for_all_duplicates():
    body = b"""
kind: Service
metadata:
  name: web
  labels: {app: x, app: y}
  name: web2
spec:
  ports:
  - port: 80.0
    bogus: 1
"""
    service, warnings = decode_yaml(Service, body, strictness=Strictness.WARN)
    assert (service.metadata.name, service.metadata.labels, service.spec.ports[0].port) == ("web2", {"app": "y"}, 80)
    assert warnings == [
        'duplicate field "metadata.labels.app", "metadata.name"',
        'unknown field "spec.ports[0].bogus"',
    ]
    with pytest.raises(StrictDecodingError):
        decode_yaml(Service, body, strictness=Strictness.STRICT)


def test_long_names_are_shortened_in_messages():
    name = "n" * 10_000
    (warning,) = read(json.dumps({name: 1}).encode())[1]
    assert warning.startswith('unknown field "nnn')
    assert len(warning) < 600
    with pytest.raises(BadRequest) as error:
        read(json.dumps({"metadata": {"labels": {name: 1}}}).encode())
    assert len(error.value.message) < 700


def test_a_label_of_the_greatest_length_is_named_whole():
    name = "p" * 253 + "/" + "n" * 63
    body = f'{{"metadata":{{"annotations":{{"{name}":"1","{name}":"2"}}}}}}'.encode()
    assert read(body)[1] == [f'duplicate field "metadata.annotations.{name}"']


def test_duplicates_inside_of_duplicates_are_named_once():
    body = b'{"metadata":{"labels":{"a":"1","a":"2"}},"metadata":{"labels":{"a":"1","a":"2","a":"3"}}}'
    service, warnings = read(body)
    assert warnings == ['duplicate field "metadata.labels.a"', 'duplicate field "metadata"']
    assert service.metadata.labels == {"a": "3"}


def test_many_duplicates_of_a_yaml_body_still_fit_into_one_warning():
    body = "metadata:\n  labels:\n" + "".join(f"    l{index}: a\n" for index in range(500)) * 2
    (warning,) = decode_yaml(Service, body.encode(), strictness=Strictness.WARN)[1]
    assert warning.startswith('duplicate field "metadata.labels.l0", "metadata.labels.l1"')
    assert warning.endswith('"metadata.labels.l9" and others')


def test_objects_are_counted_where_each_takes_much_memory():
    ports = ",".join(["{}"] * MAX_OBJECTS)
    with pytest.raises(BadRequest, match="objects"):
        read(f'{{"spec":{{"ports":[{ports}]}}}}'.encode())
    braces = "{}" * MAX_OBJECTS
    assert read(f'{{"metadata":{{"annotations":{{"a":"{braces}"}}}}}}'.encode())[1] == []
