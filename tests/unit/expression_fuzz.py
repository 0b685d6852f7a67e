"""Writes expressions at random, sound ones and broken ones, and evaluates them about small and about large values.

Run as a process of its own with `python -m tests.unit.expression_fuzz SEED COUNT`, since a crash of the library ends
it. Before each evaluation it says on standard output what is evaluated. It is ended by the kernel when one evaluation
takes more than `CPU_SECONDS` of processor time or all of them more than `MEMORY_BYTES`.
"""

import random
import resource
import signal
import sys
from collections import Counter

from app.domain.expressions.cel import ExpressionError, compiled

CPU_SECONDS = 10
MEMORY_BYTES = 3 * 1024**3
NAMES = frozenset({"object", "oldObject", "request", "variables", "authorizer", "params", "namespaceObject"})
_SERVICE = {
    "metadata": {"name": "web", "labels": {"app": "web", "owner": "shop"}, "annotations": {}},
    "spec": {"type": "LoadBalancer", "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}]},
}
_LARGE = {
    "metadata": {"name": "a" * 63, "labels": {f"k{number}": "v" * 63 for number in range(500)}},
    "spec": {"ports": [{"name": f"p{number}", "port": number} for number in range(2000)], "type": "a" * 1_000_000},
}
_PATTERNS = ("^[a-z]+$", "(a|b)*c", "((a{0,100}){0,10}){0,1}b", "(", "a.*b.*c", "\\\\d+", "[", "", "x" * 1100)
_BROKEN = (
    "",
    " ",
    "(",
    ")",
    "{",
    "}",
    "'",
    '"',
    "\\\\",
    ".",
    "?",
    "&&",
    "0x",
    "\n",
    "//",
    "é",
    "r'",
    "[",
    "in",
    "\x00",
)


class Writer:
    """Writes one expression after the other.

    Args:
        seed: Of the randomness.
    """

    def __init__(self, seed):
        self._chance = random.Random(seed)
        self._items = []

    def expression(self):
        """An expression; one of five has something broken in it."""
        self._items = []
        text = self._chance.choice([self._bool, self._bool, self._text, self._list, self._int])(4)
        if self._chance.random() < 0.2:
            at, far = self._chance.randrange(len(text) + 1), self._chance.choice([0, 0, 1, 5])
            text = text[:at] + self._chance.choice(_BROKEN) + text[at + far :]
        return text

    def _one_of(self, depth, simple, *others):
        if depth <= 0 or self._chance.random() < 0.15:
            return self._chance.choice(simple)
        return self._chance.choice(others)(depth - 1)

    def _bool(self, depth):
        return self._one_of(
            depth,
            ("true", "false", "has(object.spec.type)", "object.?metadata.hasValue()", "oldObject == null"),
            lambda d: f"({self._bool(d)} {self._chance.choice(['&&', '||', '==', '!='])} {self._bool(d)})",
            lambda d: f"({self._int(d)} {self._chance.choice(['<', '>=', '=='])} {self._int(d)})",
            lambda d: f"{self._text(d)}.{self._chance.choice(['contains', 'startsWith', 'endsWith'])}({self._text(d)})",
            lambda d: f"{self._text(d)}.matches({self._pattern()})",
            lambda d: f"{self._text(d)} in {self._list(d)}",
            lambda d: self._loop(d, self._chance.choice(["all", "exists", "exists_one"]), self._bool),
            lambda d: f"({self._bool(d)} ? {self._bool(d)} : {self._bool(d)})",
            lambda d: f"{self._chance.choice(['isIP', 'isCIDR', 'isQuantity', 'isURL'])}({self._text(d)})",
            lambda d: f"ip({self._text(d)}).isLoopback()",
            lambda d: f"{self._list(d)}.isSorted()",
            lambda d: f"authorizer.group('').resource({self._text(d)}).check('get').allowed()",
        )

    def _text(self, depth):
        return self._one_of(
            depth,
            ("'a'", '"b"', "r'\\x'", "object.spec.type", "object.metadata.name", "''", *self._items),
            lambda d: f"({self._text(d)} + {self._text(d)})",
            lambda d: f"{self._text(d)}.replace({self._text(d)}, {self._text(d)})",
            lambda d: f"{self._list(d)}.join({self._text(d)})",
            lambda d: f"{self._text(d)}.{self._chance.choice(['lowerAscii', 'upperAscii', 'trim', 'reverse'])}()",
            lambda d: f"{self._text(d)}.substring({self._int(d)})",
            lambda d: f"{self._text(d)}.find({self._pattern()})",
            lambda d: f"string({self._int(d)})",
            lambda d: f"base64.encode(bytes({self._text(d)}))",
            lambda d: f"object.metadata.?labels[{self._text(d)}].orValue({self._text(d)})",
            lambda d: f"({self._bool(d)} ? {self._text(d)} : {self._text(d)})",
            lambda d: f"{self._list(d)}[{self._int(d)}]",
        )

    def _list(self, depth):
        return self._one_of(
            depth,
            ("[]", "['a', 'b']", "object.spec.ports", "[1, 2]", "[[1]]"),
            lambda d: f"[{self._text(d)}, {self._text(d)}]",
            lambda d: f"({self._list(d)} + {self._list(d)})",
            lambda d: f"{self._text(d)}.split({self._text(d)})",
            lambda d: f"{self._text(d)}.findAll({self._pattern()})",
            lambda d: self._loop(d, "map", self._chance.choice([self._text, self._int, self._list])),
            lambda d: self._loop(d, "filter", self._bool),
        )

    def _int(self, depth):
        return self._one_of(
            depth,
            ("0", "1", "-1", "9223372036854775807", "object.spec.ports[0].port", "1u", "1.5"),
            lambda d: f"({self._int(d)} {self._chance.choice('+-*/%')} {self._int(d)})",
            lambda d: f"size({self._chance.choice([self._text, self._list])(d)})",
            lambda d: f"int({self._text(d)})",
            lambda d: f"math.greatest({self._int(d)}, {self._int(d)})",
            lambda d: f"{self._list(d)}.{self._chance.choice(['sum', 'min', 'max'])}()",
            lambda d: f"quantity({self._text(d)}).sign()",
            lambda d: f"{self._text(d)}.indexOf({self._text(d)})",
        )

    def _loop(self, depth, macro, body):
        item = f"i{len(self._items)}"
        over = self._list(depth)
        self._items.append(item)
        written = body(depth)
        self._items.pop()
        return f"{over}.{macro}({item}, {written})"

    def _pattern(self):
        return f"'{self._chance.choice(_PATTERNS)}'"


def main(seed, count):
    """Evaluate so many expressions, and tell what became of them."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    outcomes, writer = Counter(), Writer(seed)
    for number in range(count):
        text = writer.expression()
        sys.stdout.write(f"{text!r}\n")
        sys.stdout.flush()
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        try:
            expression = compiled(text, NAMES, "any")
        except ExpressionError:
            outcomes["refused"] += 1
            continue
        about = _LARGE if number % 3 == 0 else _SERVICE
        values = dict.fromkeys(NAMES) | {
            "object": about,
            "variables": {"large": about["spec"]["type"]},
            "authorizer": {},
        }
        try:
            expression.evaluate(values)
            outcomes["evaluated"] += 1
        except ExpressionError as error:
            outcomes["too costly" if "cost" in str(error) or "budget" in str(error) else "failed"] += 1
    signal.setitimer(signal.ITIMER_PROF, 0)
    sys.stdout.write(f"{dict(outcomes)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
