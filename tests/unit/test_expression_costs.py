"""What an evaluation may cost, and that nothing that anybody writes ends the process or keeps it busy."""

import ast
import subprocess
import sys

import pytest

from app.domain.expressions.cel import ExpressionError, compiled
from app.domain.expressions.costs import growth

LARGE = {"text": "a" * 1_000_000, "items": list(range(1000))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("object.spec.type == 'a'", 1),
        ("'a' + object.name + 'b'", 3),
        ("(a + a) + (a + a)", 4),
        ("[a].map(x, x + x).map(x, x + x)", 4000),
        ("ports.map(p, string(p.port)).join(',')", 1000),
        ("ports.all(p, p.name.matches('^a'))", 1000),
        ("ports.all(p, p.port > 80)", 1),
        ("optional.of(a).optMap(x, x + x)", 2),
        ("'+' == \"+\" // a + a", 1),
        ("f(a + a, b + b)", 3),
    ],
)
def test_how_much_an_expression_makes_of_its_values(text, expected):
    assert growth(text) == expected


def test_what_grows_without_end_is_refused_when_it_is_written():
    with pytest.raises(ExpressionError, match="may cost too much"):
        compiled("['a']" + ".map(x, x + x)" * 20 + " == []", {"object"}, "bool")


@pytest.mark.parametrize(
    "text",
    [
        "object.text.matches('((a{0,100}){0,10}){0,1}b')",
        "object.text.find('((a{0,100}){0,10}){0,1}b') == ''",
        "object.text.replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') == ''",
        "object.items.map(x, object.text) == []",
        "object.items.all(x, object.text.matches('b$') || true)",
        "[object.text, object.text].map(x, x + x + x + x) == []",
        "object.text.split('').join(object.text) == ''",
        "object.items.all(x, object.items.all(y, object.items.all(z, true)))",
    ],
)
def test_what_costs_too_much_about_a_large_value_fails_and_is_fine_about_a_small_one(text):
    expression = compiled(text, {"object"}, "bool")
    with pytest.raises(ExpressionError, match=r"cost|budget"):
        expression.evaluate({"object": LARGE})
    expression.evaluate({"object": {"text": "b", "items": [1]}})


@pytest.mark.parametrize(
    ("seeds", "count"),
    [pytest.param(range(2), 1500, marks=pytest.mark.long), pytest.param(range(100, 120), 5000, marks=pytest.mark.soak)],
)
def test_nothing_that_is_written_ends_the_process_or_keeps_it_busy(seeds, count):
    for seed in seeds:
        command = [sys.executable, "-m", "tests.unit.expression_fuzz", str(seed), str(count)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        *evaluated, last = ran.stdout.splitlines()
        assert ran.returncode == 0, f"seed {seed}: {ran.returncode} at {last}: {ran.stderr[-2000:]}"
        outcomes = ast.literal_eval(last)
        assert (len(evaluated), sum(outcomes.values())) == (count, count)
        assert min(outcomes.get(each, 0) for each in ("evaluated", "failed", "refused", "too costly")) > 0, outcomes
