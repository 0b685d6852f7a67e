"""The checker of histories, by histories that are known to be right or wrong."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.histories import ABSENT, Operation, is_linearizable

CREATED = Operation("create", 0, 1, "done", "a")
LOST = Operation("replace", 2, math.inf, "unknown", "b", "a")


def read(begin, end, mark):
    return Operation("read", begin, end, "absent" if mark is None else "done", mark)


@pytest.mark.parametrize(
    ("history", "right"),
    [
        ([], True),
        ([CREATED, read(2, 3, "a")], True),
        ([CREATED, read(2, 3, None)], False),
        ([CREATED, read(0.5, 3, None)], True),
        ([CREATED, read(2, 3, "never written")], False),
        ([CREATED, Operation("create", 2, 3, "exists", "c")], True),
        ([Operation("create", 0, 1, "exists", "c")], False),
        ([CREATED, Operation("create", 2, 3, "done", "c")], False),
        ([CREATED, Operation("replace", 2, 3, "done", "b", "a"), read(4, 5, "b")], True),
        ([CREATED, Operation("replace", 2, 3, "done", "b", "a"), read(4, 5, "a")], False),
        # Two replacements that rest on the same state.
        ([CREATED, Operation("replace", 2, 5, "done", "b", "a"), Operation("replace", 2, 5, "done", "c", "a")], False),
        # A write without an answer happens late, or never, and once.
        ([CREATED, LOST, read(4, 5, "a")], True),
        ([CREATED, LOST, read(4, 5, "a"), read(6, 7, "b")], True),
        ([CREATED, LOST, read(4, 5, "b"), read(6, 7, "a")], False),
        ([CREATED, Operation("delete", 2, 3, "done"), read(4, 5, "a")], False),
        ([CREATED, Operation("delete", 2, 3, "done"), read(4, 5, None)], True),
        ([Operation("delete", 2, 3, "absent"), CREATED], False),
        # Something that was read is not unread: both reads are one after the other.
        ([Operation("create", 0, 9, "done", "a"), read(1, 2, "a"), read(3, 4, None)], False),
    ],
)
def test_histories_that_are_known(history, right):
    assert is_linearizable(history) is right


@st.composite
def true_histories(draw, spread=3.0):
    """What really happens, one after the other, seen by clients whose requests overlap; and the last state."""
    state, history = ABSENT, []
    for moment in range(draw(st.integers(0, 25))):
        verb = draw(st.sampled_from(["create", "replace", "delete", "read"]))
        mark = state if verb == "read" else f"m{moment}"
        answer, after = Operation(verb, moment, moment, "unknown", mark, state)._effect(state)
        begin, end = moment - draw(st.floats(0, spread)), moment + draw(st.floats(0, spread))
        if verb != "read" and draw(st.integers(0, 3)) == 0 and spread:
            end, answer = math.inf, "unknown"
        history.append(Operation(verb, begin, end, answer, mark, state))
        state = after
    return history, state


@given(true_histories())
def test_what_really_happened_is_right(told):
    history, _ = told
    assert is_linearizable(history)


@given(true_histories(spread=0.0))
def test_after_what_happened_nothing_but_the_last_state_can_be_read(told):
    history, state = told
    for shown in {ABSENT, "other", *(operation.mark for operation in history)}:
        later = [*history, read(100, 101, shown)]
        assert is_linearizable(later) is (shown == state)
