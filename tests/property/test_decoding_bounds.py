"""What a body costs grows with its length and no faster, whatever a client puts into it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api.bodies import Bodies
from app.api.bulk import JSON_LINES, read_items
from app.api.headers import JSON, PROTOBUF, YAML
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.pod import POD
from app.domain.declarations.service import SERVICE
from app.domain.documents.decoding import Strictness
from app.domain.kinds.service import Service
from app.domain.patching.apply import Applying
from app.domain.patching.json_patch import MAX_COPIED_BYTES
from app.domain.patching.prepared import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
    prepare_patch,
)
from app.domain.selectors import parse_field_selector, parse_label_selector
from tests.property.adversarial import (
    SHAPES,
    list_of,
    long_name,
    long_text,
    memory,
    names_twice,
    nested,
    other_names,
    repeated,
    side_by_side,
    steps,
)
from tests.property.adversarial_bodies import (
    JSON_PATCH_SHAPES,
    PROTOBUF_SHAPES,
    SELECTOR_SHAPES,
    STRATEGIC_SHAPES,
    YAML_SHAPES,
    items,
    operation,
)

BYTES_A_BYTE = 128
"""Memory that a byte of a body may take: `{}` where a container of a Pod is expected takes most."""

LINES_A_BYTE = 64
"""Lines of Python that a byte of a body may take."""

AT_REST = 64 * 1024
"""Memory that reading anything takes, bytes."""

LENGTH = 2_000
TIMES = 4

BODIES = Bodies(Kinds())
APPLYING = Applying("me", False, "", "2026-01-02T03:04:05Z")
OWNED = {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}}}}}
LIVE_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "x",
        "labels": {"a": "b"},
        "managedFields": [
            {"manager": "o", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": OWNED}
        ],
    },
    "spec": {"containers": [{"name": "c", "env": [{"name": "e", "value": "v"}]}], "volumes": [{"name": "v"}]},
}


def decoder(kind, media_type):
    return lambda body: BODIES.decode(kind.model, media_type, body, Strictness.STRICT)


def patcher(media_type, live=LIVE_POD):
    def read(body):
        patch = prepare_patch(POD, media_type, body, strictness=Strictness.WARN, applying=APPLYING)
        return patch.decode(patch.apply(live))

    return read


def bulk(media_type):
    return lambda body: read_items(media_type, body)


DECODERS = {
    "a Service as JSON": decoder(SERVICE, JSON),
    "a Pod as JSON": decoder(POD, JSON),
    "a Service as YAML": decoder(SERVICE, YAML),
    "a Pod as YAML": decoder(POD, YAML),
    "a merge patch": patcher(MERGE_PATCH),
    "a strategic merge patch": patcher(STRATEGIC_MERGE_PATCH),
    "an applied configuration": patcher(APPLY_PATCH),
    "many objects as JSON": bulk(JSON),
    "many objects as YAML": bulk(YAML),
    "many objects by line": bulk(JSON_LINES[0]),
}


def document(metadata="", spec="", containers="[]", rest=""):
    return (
        f'{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"x"{metadata}}},'
        f'"spec":{{"containers":{containers}{spec}}}{rest}}}'
    )


PLACES = {
    "an unknown field": lambda text: document(rest=f',"bogus":{text}'),
    "a field below": lambda text: document(spec=f',"bogus":{text}'),
    "a free field": lambda text: document(spec=f',"volumes":[{{"name":"v","x":{text}}}]'),
    "a map": lambda text: document(metadata=f',"labels":{text}'),
    "fields of managers": lambda text: document(metadata=f',"managedFields":[{{"fieldsV1":{text}}}]'),
    "a list": lambda text: document(containers=text),
    "the whole": lambda text: text,
}


def check_bounds(read, shape, copied=0):
    """Read texts of growing length: each costs at most so much a byte, one four times as long four times as much.

    Args:
        read: What reads them.
        shape: Makes a text of about a given length.
        copied: Bytes that the text may ask to have copied.
    """
    text = encoded(shape, LENGTH * TIMES * TIMES)
    assert memory(read, text) <= BYTES_A_BYTE * (len(text) + copied) + AT_REST
    short, long = encoded(shape, LENGTH), encoded(shape, LENGTH * TIMES)
    assert len(long) < 1.2 * TIMES * len(short) + 2_000
    few, many = steps(read, short), steps(read, long)
    assert many <= LINES_A_BYTE * (len(long) + copied) + 2_000
    assert many <= 1.5 * TIMES * few + copied + 2_000


def encoded(shape, length):
    text = shape(length)
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.long
@settings(max_examples=60)
@given(SHAPES, st.sampled_from(sorted(PLACES)), st.sampled_from(sorted(DECODERS)))
def test_anything_costs_as_much_as_it_weighs(shape, place, name):
    check_bounds(DECODERS[name], lambda length: PLACES[place](shape(length)))


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["a Pod as JSON", "a Pod as YAML", "a strategic merge patch", "an applied configuration"]
)
@pytest.mark.parametrize(
    "shape",
    [
        long_name(names_twice),
        side_by_side(other_names("0"), names_twice),
        list_of('{"a":0,"a":0}'),
        list_of("{}"),
        nested(40, other_names("[[[[]]]]")),
        long_text,
    ],
    ids=["long name", "unknown and duplicate", "duplicates", "nothing", "deep", "long text"],
)
def test_what_once_cost_too_much(name, shape):
    for place in ("the whole", "a free field", "a list"):
        check_bounds(DECODERS[name], lambda length, place=PLACES[place]: place(shape(length)))


def test_unknown_fields_beside_duplicate_ones():
    """Duplicates inside of unknown fields do not count: each of the ones is looked for in the others."""

    def shape(length):
        unknown = other_names("0")(length // 2).removeprefix("{").removesuffix("}")
        return document(metadata=f',"labels":{names_twice(length // 2)}', rest=f",{unknown}")

    for name in ("a Pod as JSON", "a Pod as YAML"):
        check_bounds(DECODERS[name], shape)


def managers(length):
    """Many managers, each owning something of its own."""
    fields = '{"f:metadata":{"f:labels":{"f:l#":{}}}}'
    entry = '{"manager":"m#","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":' + fields + "}"
    return json.loads(items(entry, length))


def applied_to_many_managers(length):
    config = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","labels":{"a":"b"}}}'
    live = {**LIVE_POD, "metadata": {**LIVE_POD["metadata"], "managedFields": managers(length)}}
    return patcher(APPLY_PATCH, live), config


@pytest.mark.parametrize("shape", YAML_SHAPES)
@pytest.mark.parametrize("name", ["a Pod as YAML", "many objects as YAML"])
def test_yaml(shape, name):
    check_bounds(DECODERS[name], YAML_SHAPES[shape])


@pytest.mark.parametrize("shape", STRATEGIC_SHAPES)
def test_strategic_merge_patches(shape):
    check_bounds(DECODERS["a strategic merge patch"], STRATEGIC_SHAPES[shape])


@pytest.mark.parametrize("shape", JSON_PATCH_SHAPES)
def test_json_patches(shape):
    check_bounds(patcher(JSON_PATCH), JSON_PATCH_SHAPES[shape])


def test_copies_of_copies_come_to_a_megabyte_at_most():
    copy = operation(op="copy", from_="/metadata", path="/metadata/a")
    check_bounds(patcher(JSON_PATCH), lambda length: f"[{repeated(copy, length)}]", copied=MAX_COPIED_BYTES)


def test_many_managers():
    (few_read, body), (many_read, _) = applied_to_many_managers(8_000), applied_to_many_managers(32_000)
    few, many = steps(few_read, body), steps(many_read, body)
    assert many <= 1.5 * TIMES * few


@pytest.mark.parametrize("shape", SELECTOR_SHAPES)
def test_selectors(shape):
    check_bounds(lambda body: parse_label_selector(body.decode()), SELECTOR_SHAPES[shape])
    check_bounds(lambda body: parse_field_selector(body.decode(), ("a", "b")), SELECTOR_SHAPES[shape])


@pytest.mark.parametrize("shape", PROTOBUF_SHAPES)
def test_protobuf(shape):
    check_bounds(lambda body: BODIES.decode(Service, PROTOBUF, body, Strictness.WARN), PROTOBUF_SHAPES[shape])
