"""Which names an expression uses, and what it takes of them."""

import pytest

from app.domain.expressions.tokens import uses, with_other_calls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("object.metadata.name == 'a'", ["object.metadata.name"]),
        ("object.metadata.?annotations['x'].orValue('') == ''", ["object.metadata.annotations"]),
        ("object.?spec.?ports.size() > 0", ["object.spec.ports"]),
        ("has(object.spec) && object . spec\n.type == ''", ["object.spec", "object.spec.type"]),
        ("object.all(k, k.x)", ["object", "k", "k.x"]),
        ("'object.x' + \"object.y\" + r'\\' + '''object'z''' + b'object.w'", []),
        ("a // object.x\n && b", ["a", "b"]),
        ("'it\\'s object.x' == a.object", ["a.object"]),
        ("a ? .object.x : object.y", ["a", "object.x", "object.y"]),
        ("x in .object.names", ["x", "object.names"]),
        ("[1].map(i, i)[0].object.x", ["i", "i"]),
        ("size(object.x) > 1.5e3", ["object.x"]),
        ("dyn(object).x", ["object"]),
    ],
)
def test_what_an_expression_uses(text, expected):
    assert [".".join((use.name, *use.fields)) for use in uses(text)] == expected


def test_a_use_says_where_its_first_field_ends():
    text = "!variables.a.b"
    (use,) = uses(text)
    assert (text[use.start : use.end], use.before, use.after) == ("variables.a", ("!",), "")


def test_only_calls_are_replaced():
    text = "a.matches('x.matches(y)') && matches(b, c) && d.matches // matches(\n && e.?f.matches ('g')"
    expected = "a.M('x.matches(y)') && M(b, c) && d.matches // matches(\n && e.?f.M ('g')"
    assert with_other_calls(text, {"matches": "M"}) == expected
