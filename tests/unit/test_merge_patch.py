import json

import pytest

from app.domain.patching.merge import merge_patch


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"c": "d"}, {"a": "b", "c": "d"}),
        ({"a": "b", "c": "d"}, {"a": None}, {"c": "d"}),
        ({"a": "b"}, {"missing": None}, {"a": "b"}),
        ({"a": ["b", "c"]}, {"a": ["d"]}, {"a": ["d"]}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"a": ["c"]}, {"a": ["c"]}),
        ({"a": {"b": "c", "d": "e"}}, {"a": {"b": "x", "d": None}}, {"a": {"b": "x"}}),
        ({"a": [{"b": "c"}]}, {"a": [1, None]}, {"a": [1, None]}),
        ({"a": "b"}, {"a": {"c": {"d": None}}}, {"a": {"c": {}}}),
        ({"a": None}, {"b": 1}, {"a": None, "b": 1}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, [1], [1]),
        ({"a": 1}, None, None),
        ([1], {"a": 1, "b": None}, {"a": 1}),
        ({}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
    ],
)
def test_merging_follows_the_rfc_and_changes_no_argument(document, patch, result):
    before = json.dumps([document, patch])
    assert merge_patch(document, patch) == result
    assert json.dumps([document, patch]) == before
