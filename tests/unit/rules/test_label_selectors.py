"""Selectors of labels inside of objects."""

import msgspec
import pytest

from app.domain.kinds.meta import LabelSelector
from app.domain.rules.label_selectors import matcher_of, selector_causes


def read(**selector):
    return msgspec.convert(selector, type=LabelSelector)


def expression(operator, *values, key="tier"):
    requirement = {"key": key, "operator": operator}
    return {"matchExpressions": [{**requirement, "values": list(values)} if values else requirement]}


@pytest.mark.parametrize(
    ("selector", "labels", "chosen"),
    [
        ({}, {}, True),
        ({"matchLabels": {"tier": "gold"}}, {"tier": "gold", "x": "y"}, True),
        ({"matchLabels": {"tier": "gold"}}, {"tier": "iron"}, False),
        ({"matchLabels": {"tier": "gold"}}, {}, False),
        (expression("In", "gold", "iron"), {"tier": "iron"}, True),
        (expression("In", "gold", "iron"), {}, False),
        (expression("NotIn", "gold"), {}, True),
        (expression("NotIn", "gold"), {"tier": "gold"}, False),
        (expression("Exists"), {"tier": ""}, True),
        (expression("Exists"), {}, False),
        (expression("DoesNotExist"), {}, True),
        (expression("DoesNotExist"), {"tier": ""}, False),
        ({"matchLabels": {"a": "b"}, **expression("Exists")}, {"a": "b"}, False),
    ],
)
def test_what_is_chosen(selector, labels, chosen):
    assert selector_causes("x", read(**selector)) == []
    assert matcher_of(read(**selector)).matches(labels) == chosen


@pytest.mark.parametrize(
    ("selector", "causes"),
    [
        ({"matchLabels": {"": "gold"}}, [("x.matchLabels", "Invalid")] * 2),
        ({"matchLabels": {"tier": "-"}}, [("x.matchLabels", "Invalid")]),
        (expression("Equals", "gold"), [("x.matchExpressions[0].operator", "NotSupported")]),
        (expression("In"), [("x.matchExpressions[0].values", "Required")]),
        (expression("Exists", "gold"), [("x.matchExpressions[0].values", "Forbidden")]),
        (expression("In", "gold", "-"), [("x.matchExpressions[0].values[1]", "Invalid")]),
        (expression("Exists", key="/"), [("x.matchExpressions[0].key", "Invalid")] * 3),
    ],
)
def test_what_is_refused(selector, causes):
    found = selector_causes("x", read(**selector))
    assert [(cause.field, cause.reason.removeprefix("FieldValue")) for cause in found] == causes


def test_none_is_no_fault():
    assert selector_causes("x", None) == []
