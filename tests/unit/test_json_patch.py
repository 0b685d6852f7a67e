import json

import pytest

from app.domain.documents.paths import path_text
from app.domain.errors import BadRequest, Invalid, RequestEntityTooLarge
from app.domain.patching.json_patch import MAX_OPERATIONS, MAX_SHIFTED_ITEMS, apply_json_patch, check_operations


def patched(document, *operations):
    return apply_json_patch(document, check_operations(list(operations))[0])


def op(name, path, **more):
    return {"op": name, "path": path, **more}


@pytest.mark.parametrize(
    ("document", "operation", "result"),
    [
        ({"a": 1}, op("add", "/b", value=2), {"a": 1, "b": 2}),
        ({"a": 1}, op("add", "/a", value=2), {"a": 2}),
        ({"a": [1, 3]}, op("add", "/a/1", value=2), {"a": [1, 2, 3]}),
        ({"a": [1]}, op("add", "/a/1", value=2), {"a": [1, 2]}),
        ({"a": [1]}, op("add", "/a/-", value=2), {"a": [1, 2]}),
        ({"a": [1, 2]}, op("add", "/a/-1", value=3), {"a": [1, 2, 3]}),
        ({"a": [1, 2]}, op("add", "/a/-3", value=0), {"a": [0, 1, 2]}),
        ({"a": {}}, op("add", "/a/b", value=None), {"a": {"b": None}}),
        ({"a": {}}, op("add", "/a/b"), {"a": {"b": None}}),
        ({}, op("add", "/", value=1), {"": 1}),
        ({}, op("add", "/a~1b~0c~01", value=1), {"a/b~c~1": 1}),
        ({"a": 1, "b": 2}, op("remove", "/a"), {"b": 2}),
        ({"a": [1, 2, 3]}, op("remove", "/a/1"), {"a": [1, 3]}),
        ({"a": [1, 2, 3]}, op("remove", "/a/-1"), {"a": [1, 2]}),
        ({"a": 1}, op("replace", "/a", value=[2]), {"a": [2]}),
        ({}, op("replace", "/a", value=1), {"a": 1}),
        ({"a": [1, 2]}, op("replace", "/a/0", value=9), {"a": [9, 2]}),
        ({"a": 1}, op("replace", "", value={"b": 2}), {"b": 2}),
        ({"a": {"b": 1}}, {"op": "move", "from": "/a/b", "path": "/c"}, {"a": {}, "c": 1}),
        ({"a": [1, 2, 3]}, {"op": "move", "from": "/a/0", "path": "/a/2"}, {"a": [2, 3, 1]}),
        ({"a": {"b": 1}}, {"op": "copy", "from": "/a", "path": "/c"}, {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a": {}}, {"op": "copy", "from": "/a/missing", "path": "/b"}, {"a": {}, "b": None}),
        ({"a": [1, {"b": 1.0}]}, op("test", "/a", value=[1, {"b": 1.0}]), {"a": [1, {"b": 1.0}]}),
        ({"a": None}, op("test", "/a", value=None), {"a": None}),
        ({}, op("test", "/a", value=None), {}),
        ({"a": 1}, op("test", "", value={"a": 1}), {"a": 1}),
    ],
)
def test_operations_do_what_the_rfc_and_the_api_server_say(document, operation, result):
    before = json.dumps(document)
    assert patched(document, operation) == result
    assert json.dumps(document) == before


@pytest.mark.parametrize(
    "operation",
    [
        op("bogus", "/a"),
        {"path": "/a"},
        {"op": None, "path": "/a"},
        {"op": "add", "value": 1},
        {"op": "move", "path": "/a"},
        op("add", "", value={}),
        op("add", "a", value=1),
        op("add", "/x/y", value=1),
        op("add", "/scalar/y", value=1),
        op("add", "/none/y", value=1),
        op("add", "/list/3", value=1),
        op("add", "/list/-4", value=1),
        op("add", "/list/x", value=1),
        op("add", "/list/99999999999999999999", value=1),
        op("remove", ""),
        op("remove", "/x"),
        op("remove", "/list/2"),
        op("remove", "/list/-"),
        op("replace", "/list/2", value=1),
        op("replace", "/x/y", value=1),
        op("replace", "", value=1),
        op("replace", ""),
        {"op": "move", "from": "/x", "path": "/y"},
        {"op": "move", "from": "/map", "path": "/map/inside"},
        {"op": "copy", "from": "", "path": "/y"},
        {"op": "copy", "from": "/x/y", "path": "/y"},
        op("test", "/scalar", value="other"),
        op("test", "/one", value=True),
        op("test", "/one", value=1.0),
        op("test", "/one"),
        op("test", "/list", value=[1]),
        op("test", "/map", value={"a": 1, "b": 2}),
        op("test", "/x/y", value=1),
    ],
)
def test_an_operation_that_does_not_apply_is_unprocessable_and_changes_nothing(operation):
    document = {"scalar": "s", "one": 1, "none": None, "list": [1, 2], "map": {"a": 1}}
    before = json.dumps(document)
    with pytest.raises(Invalid, match=r"operation \[1\]"):
        patched(document, op("add", "/new", value=1), operation)
    assert json.dumps(document) == before


def test_operations_run_in_order_and_do_not_share_values():
    value = {"x": 1}
    result = patched(
        {}, op("add", "/a", value=value), {"op": "copy", "from": "/a", "path": "/b"}, op("add", "/a/x", value=2)
    )
    assert result == {"a": {"x": 2}, "b": {"x": 1}}
    assert value == {"x": 1}


@pytest.mark.parametrize("body", [{"op": "add"}, "x", None, [1], [None], [{"op": 1}], [{"path": []}], [{"from": {}}]])
def test_a_malformed_patch_is_a_bad_request(body):
    with pytest.raises(BadRequest):
        check_operations(body)


def test_unknown_members_of_operations_are_named():
    unknown = check_operations([op("add", "/a", value=1), op("add", "/b", values=2)])[1]
    assert [path_text(path) for path in unknown] == ["[1].values"]


def test_the_number_of_operations_is_limited():
    check_operations([op("add", "/a")] * MAX_OPERATIONS)
    with pytest.raises(RequestEntityTooLarge):
        check_operations([op("add", "/a")] * (MAX_OPERATIONS + 1))


def test_copies_cannot_grow_without_end():
    double = {"op": "copy", "from": "/a", "path": "/a/b"}
    with pytest.raises(Invalid, match="copies more than"):
        patched({"a": {"c": "x" * 100}}, *[double, {"op": "copy", "from": "/a", "path": "/a/c"}] * 100)


def test_a_long_list_can_only_be_appended_to():
    document = {"list": [0] * (MAX_SHIFTED_ITEMS + 1)}
    assert patched(document, op("add", "/list/-", value=1))["list"][-1] == 1
    assert patched(document, op("replace", "/list/0", value=1))["list"][0] == 1
    for operation in (op("add", "/list/0", value=1), op("remove", "/list/0")):
        with pytest.raises(Invalid, match="appended to"):
            patched(document, operation)
    shorter = {"list": [0] * MAX_SHIFTED_ITEMS}
    assert len(patched(shorter, op("remove", "/list/0"))["list"]) == MAX_SHIFTED_ITEMS - 1


def test_what_was_nested_without_end_cannot_be_copied():
    deeper = [
        op("add", "/b", value={}),
        {"op": "move", "from": "/a", "path": "/b/a"},
        {"op": "move", "from": "/b", "path": "/a"},
    ]
    with pytest.raises(Invalid, match="levels deep"):
        patched({"a": {}}, *deeper * 1_000, {"op": "copy", "from": "/a", "path": "/c"})


def test_long_paths_are_shortened_in_messages():
    with pytest.raises(Invalid) as error:
        patched({}, op("remove", "/" + "a" * 10_000))
    assert len(error.value.message) < 700
