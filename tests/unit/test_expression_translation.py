"""Expressions in Python answer as the library does, or leave the answer to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.expressions.cel import ExpressionError, compiled, translated
from tests.unit.expression_fuzz import Writer

NAMES = frozenset({"object", "oldObject", "request"})
SERVICE = {
    "metadata": {"name": "web-1", "labels": {"team": "a", "tier": "b"}, "empty": None},
    "spec": {"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}, {"port": 443}], "flag": True},
}
KNOWN = {"object": SERVICE, "oldObject": None, "request": {"operation": "CREATE"}}


def in_python(text, known=KNOWN):
    return translated([compiled(text, NAMES, "bool")], NAMES).are_true(known.__getitem__)


@pytest.mark.parametrize(
    "text",
    [
        "object.metadata.name == 'web-1' && object.spec.type != 'LoadBalancer'",
        "has(object.metadata.labels) && !has(object.metadata.annotations) && !has(object.spec.selector)",
        "object.metadata.?annotations['internal'].orValue('') == ''",
        "object.metadata.?labels['team'].hasValue() && object.?metadata.labels[?'none'].orValue('x') == 'x'",
        "object.metadata.labels['team'] == 'a' && 'team' in object.metadata.labels",
        "object.spec.type in ['ClusterIP', 'NodePort'] && !(object.spec.type in [])",
        "object.spec.ports.all(p, p.port > 0 && p.port < 1000) && object.spec.ports.exists(p, p.port == 443)",
        "object.metadata.labels.all(key, size(key) <= 4)",
        "object.spec.ports.exists(p, object.spec.ports.all(q, q.port >= p.port))",
        "object.metadata.name.matches('^[a-z]+-[0-9]$') && matches(object.metadata.name, 'web')",
        "object.metadata.name.startsWith('web') && object.metadata.name.endsWith('1') && !'a'.contains('b')",
        "oldObject == null && object.metadata.empty == null && object.spec.flag && object.spec.flag == true",
        "oldObject == null ? true : oldObject.spec.type == object.spec.type",
        "object.spec.ports[0].port == 80 && size(object.spec.ports) == 2",
        "request.operation + 'S' == 'CREATES'",
        "isIP('10.0.0.1') && cidr('10.0.0.0/8').containsIP('10.1.2.3') && ip('::1').isLoopback()",
        "quantity('1k').isGreaterThan(quantity('999')) && [1, 2].sum() == 3",
        "[{'a': 'x'}].all(variables, variables.a == 'x')",
    ],
)
def test_what_is_true_is_true_in_python(text):
    assert compiled(text, NAMES, "bool").evaluate(KNOWN) is True
    assert in_python(text) is True
    assert in_python(f"!({text})") is False


@pytest.mark.parametrize(
    "text",
    [
        "object.metadata.none == 'x'",
        "object.metadata.name.none == 'x'",
        "object.metadata.labels.size == 'x' || true",
        "object.spec.ports['port'] == 'x'",
        "object.metadata.name[0] == 'w'",
        "object.spec.ports[-1 + 1].port == 80 && object.spec.ports[2].port == 1",
        "object.metadata.name.matches('(')",
        "object.spec.type",
        "object.spec.ports == object.spec.ports",
        "object.spec.type < 1",
        "has(object.metadata.name.x)",
    ],
)
def test_where_the_library_would_find_an_error_python_cannot_tell(text):
    made = translated([compiled(text, NAMES, "bool")], NAMES)
    assert made is None or made.are_true(KNOWN.__getitem__) is None


@pytest.mark.parametrize(
    "text",
    [
        "object.spec.ports.exists_one(p, p.port == 80)",
        "object.spec.ports.map(p, p.port) == [80]",
        "1.5 > 1.0",
        "string(1) == '1'",
    ],
)
def test_what_has_no_exact_meaning_in_python_is_not_translated(text):
    assert translated([compiled(text, NAMES, "bool")], NAMES) is None


def test_loops_are_bounded_as_the_library_bounds_them():
    many = {"object": {"items": ["x"] * 101}}
    text = "object.items.all(a, object.items.all(b, a == b))"
    assert in_python(text, many) is None
    with pytest.raises(ExpressionError):
        compiled(text, NAMES, "bool").evaluate(many)


_TEXTS = st.sampled_from(["", "a", "b", "web", "10.0.0.1", "\u00e9"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
_OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "metadata": _VALUES
        | st.fixed_dictionaries({}, optional={"name": _VALUES, "labels": _VALUES, "annotations": _VALUES}),
        "spec": _VALUES | st.fixed_dictionaries({}, optional={"type": _VALUES, "ports": _VALUES}),
    },
)
_PARTS = st.sampled_from(
    [
        "object.metadata",
        "object.metadata.a",
        "object.metadata.name",
        "object.spec.type",
        "object.spec.ports",
        "object.?spec.a.orValue('b')",
        "object.metadata.?labels['a'].orValue(1)",
        "oldObject",
        *("'a'", "1", "true", "null", "[]", "['a', 1]"),
    ]
)
_FORMS = st.sampled_from(
    [
        *("{0} == {1}", "{0} != {1}", "{0} < {1}", "{0} >= {1}", "{0} in {1}", "{0}[{1}] == 'a'", "{0} + {1} == 'aa'"),
        *("{0}.all(x, x == {1})", "{0}.exists(x, x.a == {1})", "size({0}) > size({1})", "{0}.startsWith({1})"),
        *("has(object.metadata.a) && {0} == {1}", "object.?spec[{1}].hasValue()", "{0} == null ? {0} == {1} : true"),
        "{0}.contains({1}) || {0}.matches({1})",
    ]
)
_SIMPLE = st.tuples(_FORMS, _PARTS, _PARTS).map(lambda drawn: drawn[0].format(*drawn[1:]))
_JOINTS = st.sampled_from(["({0}) && ({1})", "({0}) || ({1})", "({0}) ? ({1}) : !({0})"])
_JOINED = st.tuples(_JOINTS, _SIMPLE, _SIMPLE).map(lambda drawn: drawn[0].format(*drawn[1:]))
_FUZZED = st.integers(0, 2**32).map(lambda seed: Writer(seed).expression())


@given(_SIMPLE | _JOINED | _FUZZED, _OBJECTS)
@settings(max_examples=300, deadline=None)
def test_python_never_says_anything_else_than_the_library(text, made):
    known = {"object": made, "oldObject": None, "request": {}}
    try:
        expression = compiled(text, NAMES, "bool")
    except ExpressionError:
        return
    function = translated([expression], NAMES)
    told = None if function is None else function.are_true(known.__getitem__)
    if told is not None:
        assert expression.evaluate(known) is told


@given(st.lists(_SIMPLE | _JOINED, min_size=2, max_size=4), _OBJECTS)
@settings(max_examples=200, deadline=None)
def test_several_expressions_say_together_what_each_says(texts, made):
    known = {"object": made, "oldObject": None, "request": {}}
    try:
        # The first one once more, in another one: they share all of it.
        expressions = [compiled(each, NAMES, "bool") for each in (*texts, f"!({texts[0]}) || ({texts[1]})")]
    except ExpressionError:
        return
    function = translated(expressions, NAMES)
    told = None if function is None else function.are_true(known.__getitem__)
    if told is True:
        assert all(each.evaluate(known) is True for each in expressions)
    elif told is False:
        assert next(each for each in expressions if in_library(each, known) is not True).evaluate(known) is False


def in_library(expression, known):
    try:
        return expression.evaluate(known)
    except ExpressionError:
        return None


def test_what_expressions_have_in_common_is_computed_once():
    many = {"object": {"items": ["x"] * 4000}}
    loop = "object.items.all(item, item == 'x')"
    texts = [loop, f"has(object.items) && {loop}", f"has(object.items) ? {loop} : false"]
    together = translated([compiled(each, NAMES, "bool") for each in texts], NAMES)
    assert together.are_true(many.__getitem__) is True, "three loops are more than may run in one evaluation"


def test_one_expression_is_charged_for_all_of_it():
    many = {"object": {"items": ["x"] * 4000}}
    text = " && ".join(["object.items.all(item, item == 'x')"] * 3)
    other = "object.items.all(item, item == 'x')"
    both = translated([compiled(each, NAMES, "bool") for each in (text, other)], NAMES)
    assert both.are_true(many.__getitem__) is None
    with pytest.raises(ExpressionError):
        compiled(text, NAMES, "bool").evaluate(many)
