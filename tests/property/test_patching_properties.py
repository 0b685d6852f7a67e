import json

from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.declarations.service import SERVICE as KIND
from app.domain.documents.decoding import Strictness
from app.domain.documents.schema import schema_of
from app.domain.kinds.service import Service
from app.domain.patching.field_sets import difference, intersection, is_field_set, members, union
from app.domain.patching.json_patch import apply_json_patch, check_operations, equal
from app.domain.patching.merge import merge_patch
from app.domain.patching.prepared import MEDIA_TYPES, prepare_patch
from app.domain.patching.strategic import strategic_merge
from tests.property.service_documents import ANY_JSON, NAMES, PORTS, SERVICES, attempt, spoilt_services
from tests.unit.test_prepared_patch import APPLYING

SERVICE = schema_of(Service)
OBJECTS = st.dictionaries(st.text("ab/~", max_size=2), ANY_JSON, max_size=4)
POINTERS = st.lists(st.sampled_from(["spec", "ports", "0", "-1", "-", "metadata", "labels", "a", "x"]), max_size=4).map(
    lambda tokens: "".join(f"/{token}" for token in tokens)
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]), "path": POINTERS},
        optional={"from": POINTERS, "value": ANY_JSON},
    ),
    max_size=4,
)


def pointer(token):
    return "/" + token.replace("~", "~0").replace("/", "~1")


@given(OBJECTS, st.text("ab/~", max_size=2), ANY_JSON)
def test_what_json_patch_adds_it_can_test_and_remove(document, name, value):
    at = pointer(name)
    added = apply_json_patch(
        document, [{"op": "add", "path": at, "value": value}, {"op": "test", "path": at, "value": value}]
    )
    assert equal(added, {**document, name: value})
    removed = apply_json_patch(added, [{"op": "remove", "path": at}])
    assert equal(removed, {key: part for key, part in document.items() if key != name})


@given(SERVICES, OPERATIONS)
def test_json_patches_apply_or_are_refused_and_never_change_their_arguments(document, operations):
    before = json.dumps([document, operations])
    _, error = attempt(lambda: apply_json_patch(document, check_operations(operations)[0]))
    assert error is None or error.code in (400, 422)
    assert json.dumps([document, operations]) == before


def merge_between(old, new):
    """The merge patch that leads from one object to another without nulls."""
    patch = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old or not isinstance(value, dict) or not isinstance(old[name], dict):
            patch[name] = value
        else:
            patch[name] = merge_between(old[name], value)
    return patch


@given(SERVICES, SERVICES)
def test_a_merge_patch_leads_anywhere_and_applies_once(old, new):
    patch = merge_between(old, new)
    merged = merge_patch(old, patch)
    assert merged == new
    assert merge_patch(merged, patch) == new


@given(SERVICES, SERVICES)
def test_strategic_patches_are_idempotent(document, patch):
    """But for two ports of one number, between which the merge key of strategic patches cannot tell."""
    numbers = [port["port"] for port in patch["spec"].get("ports", [])]
    assume(len(set(numbers)) == len(numbers))
    once = strategic_merge(SERVICE, document, patch)
    assert strategic_merge(SERVICE, once, patch) == once


@given(SERVICES, spoilt_services() | OBJECTS)
def test_strategic_patches_apply_or_are_refused_and_never_change_their_arguments(document, patch):
    before = json.dumps([document, patch])
    _, error = attempt(lambda: strategic_merge(SERVICE, document, patch))
    assert error is None or error.code in (400, 422)
    assert json.dumps([document, patch]) == before


@given(SERVICES, PORTS, st.lists(st.integers(1, 7), unique=True))
def test_strategic_patches_of_ports_hold_each_port_number_s_last_word(document, ports, gone):
    ports = list({port["port"]: port for port in ports}.values())
    live = list({port["port"]: port for port in document["spec"].get("ports", [])}.values())
    document = {"spec": {"ports": live}}
    patch = [*ports, *({"port": port, "$patch": "delete"} for port in gone if all(port != p["port"] for p in ports))]
    merged = strategic_merge(SERVICE, document, {"spec": {"ports": patch}})["spec"]["ports"]
    assert {port["port"] for port in merged} == ({p["port"] for p in live} | {p["port"] for p in ports}) - (
        set(gone) - {p["port"] for p in ports}
    )
    for port in ports:
        (found,) = [each for each in merged if each["port"] == port["port"]]
        assert found.items() >= port.items()
    numbers = [port["port"] for port in merged]
    wanted = [port["port"] for port in ports]
    assert [number for number in numbers if number in wanted] == wanted
    others = [port["port"] for port in live if port["port"] in numbers and port["port"] not in wanted]
    assert [number for number in numbers if number not in wanted] == others


@given(SERVICES, st.lists(NAMES, unique=True, max_size=3), st.lists(NAMES, unique=True, max_size=3))
def test_set_element_order_rules_over_the_live_order(document, order, live):
    document["metadata"]["finalizers"] = live
    patch = {"metadata": {"$setElementOrder/finalizers": order}}
    merged = strategic_merge(SERVICE, document, patch)["metadata"]["finalizers"]
    assert sorted(merged) == sorted(live)
    assert [name for name in merged if name in order] == [name for name in order if name in live]
    assert [name for name in merged if name not in order] == [name for name in live if name not in order]


@given(st.sampled_from(MEDIA_TYPES), ANY_JSON | spoilt_services() | OPERATIONS, SERVICES, st.sampled_from(Strictness))
def test_every_patch_leads_to_an_object_or_a_client_error(media_type, body, live, strictness):
    def run():
        data = json.dumps(body).encode()
        patch = prepare_patch(KIND, media_type, data, strictness=strictness, applying=APPLYING)
        return patch.decode(patch.apply(live))

    before = json.dumps(live)
    result, error = attempt(run)
    assert isinstance(result[0], Service) if error is None else 400 <= error.code < 500
    assert json.dumps(live) == before


PATHS = st.lists(st.sampled_from(["f:a", "f:b", 'v:"x"', 'k:{"p":1}']), min_size=1, max_size=3).map(tuple)


def as_set(paths):
    fields = {}
    for path in paths:
        node = {".": {}} if len(path) == 1 else {}
        for element in reversed(path[1:]):
            node = {element: node or {}}
        fields = union(fields, {path[0]: {} if len(path) == 1 else node})
    return fields


@given(st.frozensets(PATHS, max_size=6), st.frozensets(PATHS, max_size=6))
def test_sets_of_fields_are_sets_of_paths(one, other):
    first, second = as_set(one), as_set(other)
    assert is_field_set(first)
    assert set(members(first)) == one
    assert set(members(union(first, second))) == one | other
    assert set(members(intersection(first, second))) == one & other
    assert set(members(difference(first, second))) == one - other
    assert difference(first, first) == intersection(first, {}) == {}
