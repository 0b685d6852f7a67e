import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object, encode_body, watch_frame, wire_bytes, with_revision
from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.service import Service, ServicePort, ServiceSpec

TRICKY = st.text(max_size=20) | st.sampled_from(['"metadata":{', '"resourceVersion":"1"', "\x00", "}{", "é\u2028"])


@st.composite
def services(draw):
    metadata = ObjectMeta(
        name=draw(TRICKY),
        namespace=draw(st.none() | TRICKY),
        labels=draw(st.none() | st.dictionaries(TRICKY, TRICKY, max_size=3)),
        annotations=draw(st.none() | st.dictionaries(TRICKY, TRICKY, max_size=3)),
    )
    ports = [ServicePort(name=draw(TRICKY), port=draw(st.integers(1, 65535)))]
    return Service(api_version="v1", kind="Service", metadata=metadata, spec=ServiceSpec(ports=ports))


@given(services(), st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))
def test_the_wire_is_the_body_with_its_revision_first_in_metadata(service, revision, later):
    body = encode_body(service)
    wire = wire_bytes(body, revision)
    document = json.loads(wire)
    assert document["metadata"].pop("resourceVersion") == str(revision)
    assert document == json.loads(body)
    assert decode_object(SERVICE, body) == service
    assert decode_object(SERVICE, wire).metadata.resource_version == str(revision)
    assert with_revision(wire, later) == wire_bytes(body, later)


def test_a_body_never_holds_a_resource_version_and_the_object_keeps_its_own():
    service = Service(api_version="v1", kind="Service", metadata=ObjectMeta(name="web", resource_version="41"))
    assert b"resourceVersion" not in encode_body(service)
    assert service.metadata.resource_version == "41"


def test_empty_metadata_is_spliced_without_a_comma():
    body = encode_body(Service(api_version="v1", kind="Service"))
    assert json.loads(wire_bytes(body, 7))["metadata"] == {"resourceVersion": "7"}


@pytest.mark.parametrize("service", [Service(), Service(api_version="v1"), Service(kind="Service")])
def test_an_object_that_does_not_say_what_it_is_is_refused(service):
    with pytest.raises(ValueError, match="has no apiVersion or no kind"):
        encode_body(service)


def test_bytes_that_are_no_body_are_refused():
    with pytest.raises(ValueError, match="not found"):
        wire_bytes(b"{}", 1)
    with pytest.raises(ValueError, match="not found"):
        with_revision(b'{"metadata":{"name":"web"}}', 1)


def test_a_frame_is_one_line_of_json():
    frame = watch_frame("ADDED", b'{"kind":"Service"}')
    assert frame.endswith(b"\n")
    assert json.loads(frame) == {"type": "ADDED", "object": {"kind": "Service"}}


def test_an_empty_generate_name_is_left_out_as_in_go():
    service = Service(api_version="v1", kind="Service", metadata=ObjectMeta(name="a", generate_name=""))
    assert "generateName" not in json.loads(encode_body(service))["metadata"]


def test_what_a_newer_version_has_stored_is_read_without_the_fields_that_are_not_known():
    service = Service(
        api_version="v1", kind="Service", metadata=ObjectMeta(name="web"), spec=ServiceSpec(type="NodePort")
    )
    document = json.loads(encode_body(service))
    document["spec"]["colour"] = {"deep": [1]}
    document["metadata"]["colours"] = ["red"]
    assert decode_object(SERVICE, json.dumps(document).encode()) == service
    document["spec"]["type"] = 5
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        decode_object(SERVICE, json.dumps(document).encode())
