"""What holds of a line whatever comes, and how fairly its seats are divided."""

from collections import Counter
from heapq import heappop, heappush
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.api.fairness.line import PATIENCE_SECONDS, Bounds, Line, State

SEATS, WAITING, FLOW_WAITING = 5, 12, 8
WEIGHTS = {"ann": 1, "bob": 1, "root": 4, "eve": 1}


class Crowd(RuleBasedStateMachine):
    """Requests that come, are answered, go away and wait too long, in any order."""

    def __init__(self):
        super().__init__()
        self.line = Line(Bounds(SEATS, WAITING, FLOW_WAITING))
        self.now = 0.0
        self.tickets = []
        self.woken = []
        self.waited = []

    @rule(key=st.sampled_from(sorted(WEIGHTS)), count=st.integers(1, 6))
    def come(self, key, count):
        for _ in range(count):
            ticket = self.line.enter(key, WEIGHTS[key], self.now)
            ticket.wake = lambda ticket=ticket: self.woken.append(ticket)
            if ticket.state is State.WAITING:
                self.waited.append(ticket)
            self.tickets.append(ticket)

    @rule(number=st.integers(0, 1000), seconds=st.floats(0, 3))
    def leave(self, number, seconds):
        self.now += seconds
        if self.tickets:
            self.line.leave(self.tickets[number % len(self.tickets)], self.now)

    @rule(seconds=st.floats(0, 20))
    def expire(self, seconds):
        self.now += seconds
        self.line.expire(self.now)
        assert all(self.now - each.since <= PATIENCE_SECONDS for each in self.of(State.WAITING))

    def of(self, state):
        return [ticket for ticket in self.tickets if ticket.state is state]

    @invariant()
    def counts_are_right_and_within_bounds(self):
        seated, waiting = self.of(State.SEATED), self.of(State.WAITING)
        assert (self.line.seated, self.line.waiting) == (len(seated), len(waiting))
        assert len(seated) <= SEATS
        assert len(waiting) <= WAITING
        assert max(Counter(each.flow.key for each in waiting).values(), default=0) <= FLOW_WAITING

    @invariant()
    def nobody_waits_for_a_seat_that_it_may_have(self):
        free = SEATS - self.line.seated
        seats = Counter(each.flow.key for each in self.of(State.SEATED))
        for each in self.of(State.WAITING):
            assert seats[each.flow.key] >= WEIGHTS[each.flow.key] * free

    @invariant()
    def those_of_a_flow_go_in_their_order(self):
        for key in WEIGHTS:
            order = [each.state for each in self.waited if each.flow.key == key]
            still = [index for index, state in enumerate(order) if state is State.WAITING]
            seated = [index for index, state in enumerate(order) if state is State.SEATED]
            assert not still or not seated or max(seated) < min(still)

    @invariant()
    def whoever_waited_is_woken_once(self):
        over = [ticket for ticket in self.waited if ticket.state not in (State.WAITING, State.LEFT)]
        assert len(set(self.woken)) == len(self.woken)
        assert set(over) <= set(self.woken)

    def teardown(self):
        for ticket in self.tickets:
            self.line.leave(ticket, self.now)
        assert (self.line.seated, self.line.waiting, self.line._flows, self.line._due) == (0, 0, {}, [])


Crowd.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestCrowd = Crowd.TestCase


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(
    times=st.lists(st.floats(0.01, 2), min_size=2, max_size=5),
    weights=st.lists(st.sampled_from([1, 4]), min_size=5, max_size=5),
    seats=st.integers(1, 12),
)
def test_users_who_always_want_more_get_time_by_their_weight(times, weights, seats):
    """Each user has requests of another length, and as many of them as may wait."""
    used = divided(seats, [(f"user {index}", weights[index], each) for index, each in enumerate(times)])
    shares = [used[f"user {index}"] / weights[index] for index in range(len(times))]
    assert min(shares) > 0.75 * max(shares)


@given(seats=st.integers(2, 12), flood=st.integers(20, 50))
def test_a_flood_does_not_make_others_wait(seats, flood):
    """Somebody who sends one request at a time is seated at once, whatever somebody else sends."""
    line, running, waiting = Line(Bounds(seats, 100, 50)), [], []
    for at in range(flood):
        waiting.append(line.enter("flood", 1, float(at)))
        other = line.enter("other", 1, float(at))
        assert other.state is State.SEATED
        line.leave(other, at + 0.5)
        running = [each for each in waiting if each.state is State.SEATED]
        if at % 3 == 0:
            line.leave(running[0], at + 0.7)


def divided(seats, users, until=400.0):
    """Seconds of seats that each user got: `users` has the name, the weight, and the length of each of its requests."""
    line, now, used, lengths = Line(Bounds(seats, 10_000, 1000)), 0.0, Counter(), {}
    ends, numbers = [], count()

    def begin(ticket, key):
        heappush(ends, (now + lengths[key], next(numbers), key, ticket))

    def come(key, weight):
        ticket = line.enter(key, weight, now)
        ticket.wake = lambda: begin(ticket, key)
        if ticket.state is State.SEATED:
            begin(ticket, key)

    for key, weight, length in users:
        lengths[key] = length
        for _ in range(2 * seats + 2):
            come(key, weight)
    weights = {key: weight for key, weight, _ in users}
    while now < until:
        now, _, key, ticket = heappop(ends)
        used[key] += lengths[key]
        line.leave(ticket, now)
        come(key, weights[key])
    return used
