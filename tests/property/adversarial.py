"""Texts of any length that are meant to cost more than they weigh, and how much reading them costs."""

import gc
import sys
import tracemalloc

from hypothesis import strategies as st

from app.domain.errors import ApiError

UNITS = (
    "{}", "[]", "0", "null", '""', "1e5", "[[[[]]]]", '{"":0}', '{"a":0,"a":0}', '{"a":{"a":0,"a":0},"a":0}',
    '{"name":"c"}', '{"port":80}', '{"port":80,"port":81}', '{"name":null,"env":[]}', '{"$patch":"delete","name":"c"}',
)  # fmt: skip
"""What is repeated: small, or with something to report."""


def repeated(unit, length, separator=","):
    """As many of a unit as fit into a length."""
    return separator.join([unit] * max(1, length // (len(unit) + len(separator))))


def list_of(unit):
    return lambda length: f"[{repeated(unit, length)}]"


def same_names(unit):
    return lambda length: "{" + repeated(f'"a":{unit}', length) + "}"


def other_names(unit):
    def shape(length):
        return "{" + ",".join(f'"k{index}":{unit}' for index in range(max(1, length // (len(unit) + 8)))) + "}"

    return shape


def names_twice(length):
    return "{" + ",".join(f'"k{index}":0,"k{index}":0' for index in range(max(1, length // 18))) + "}"


def long_name(inner):
    return lambda length: f'{{"{"k" * (length // 2)}":{inner(length // 2)}}}'


def long_text(length):
    return f'"{"x" * length}"'


def wide_text(length):
    return f'["\U0001f600{"x" * length}"]'


def nested(levels, inner):
    return lambda length: '{"a":' * levels + inner(length) + "}" * levels


def nested_lists(levels, inner):
    return lambda length: "[" * levels + inner(length) + "]" * levels


def side_by_side(*inner):
    def shape(length):
        return "{" + ",".join(f'"p{index}":{each(length // len(inner))}' for index, each in enumerate(inner)) + "}"

    return shape


_LEAVES = st.one_of(
    st.sampled_from(UNITS).flatmap(lambda unit: st.sampled_from([list_of(unit), same_names(unit), other_names(unit)])),
    st.sampled_from([names_twice, long_text, wide_text]),
)
SHAPES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(long_name, inner),
        st.builds(nested, st.integers(1, 40), inner),
        st.builds(nested_lists, st.integers(1, 40), inner),
        st.builds(side_by_side, inner, inner),
    ),
    max_leaves=3,
)
"""JSON of about a given length, made of whatever costs much: `SHAPES.example()(1000)`."""


def memory(read, body):
    """The most memory, in bytes, that is held while a body is read; a refusal is an answer, too."""
    gc.collect()
    tracemalloc.start()
    try:
        _read(read, body)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def steps(read, body):
    """How many lines of Python run while a body is read."""
    count = 0

    def trace(_frame, event, _argument):
        nonlocal count
        if event == "line":
            count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        _read(read, body)
    finally:
        sys.settrace(before)
    return count


def _read(read, body):
    try:
        return read(body)
    except ApiError as error:
        return error
