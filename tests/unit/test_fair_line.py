"""Whose turn it is among the requests of one class."""

from types import SimpleNamespace

import pytest

from app.api.fairness.classes import bounds, class_of, flow_of, weight_of
from app.api.fairness.line import Bounds, Line, State
from app.domain.rules.access.requests import PathRequest, ResourceRequest
from app.domain.user import ANONYMOUS, ON_LOOPBACK, User, account_user

ANN = User("ann", groups=("system:authenticated",))
NODE = User("system:node:n1", groups=("system:nodes", "system:authenticated"))
PROXY = User("system:kube-proxy")
DNS = account_user("kube-system", "coredns")


def asks(verb, resource="services"):
    return ResourceRequest(verb, "", resource, namespace="shop")


@pytest.mark.parametrize(
    ("user", "request_", "expected"),
    [
        (ANN, asks("get"), "read"),
        (ANN, asks("list"), "list"),
        (ANN, asks("watch"), "watch"),
        (ANN, asks("create"), "write"),
        (ANN, asks("update"), "write"),
        (ANN, asks("patch"), "write"),
        (ANN, asks("delete"), "write"),
        (ANN, asks("deletecollection"), "write"),
        (ANN, asks("", "unserved"), "read"),
        (ANN, asks("update", "leases"), "system"),
        (NODE, asks("patch", "nodes"), "system"),
        (PROXY, asks("watch"), "system"),
        (PROXY, asks("list"), "list"),
        (DNS, asks("get"), "system"),
        (account_user("shop", "coredns"), asks("get"), "read"),
        (ON_LOOPBACK, asks("get"), "read"),
        (ANONYMOUS, PathRequest("get", "/healthz"), None),
        (ANONYMOUS, PathRequest("get", "/readyz/mirror"), None),
        (ANN, PathRequest("get", "/livez"), None),
        (ANN, PathRequest("get", "/healthzz"), "read"),
        (ANN, PathRequest("get", "/metrics"), "system"),
        (ANN, PathRequest("get", "/leases"), "system"),
        (ANN, PathRequest("get", "/openapi/v3"), "read"),
        (ANN, ResourceRequest("create", "fairlead.io", "apply"), "write"),
        (ANN, PathRequest("get", "/api"), "read"),
    ],
)
def test_the_class_of_a_request(user, request_, expected):
    assert class_of(user, request_) == expected


def test_whose_a_request_is():
    one, other = SimpleNamespace(address="192.0.2.1"), SimpleNamespace(address="192.0.2.2")
    assert flow_of(ANN, one) == flow_of(ANN, other) == "ann"
    assert flow_of(ANONYMOUS, one) != flow_of(ANONYMOUS, other)


def test_system_clients_and_masters_have_a_greater_weight():
    assert weight_of(NODE) == weight_of(PROXY) == weight_of(User("root", groups=("system:masters",))) > weight_of(ANN)


def test_the_seats_of_reads_are_divided():
    found = bounds(400, 200, 1000)
    assert {name: each.seats for name, each in found.items()} == {
        "system": 120,
        "write": 200,
        "read": 200,
        "watch": 64,
        "list": 8,
    }
    assert (found["list"].flow_waiting, found["write"].flow_waiting) == (250, 1000)
    assert min(each.seats for each in bounds(50, 10, 10).values()) >= 2


def line(seats=4, waiting=100, flow_waiting=50):
    return Line(Bounds(seats, waiting, flow_waiting))


def several(line, key, count, weight=1, now=0.0):
    return [line.enter(key, weight, now) for _ in range(count)]


def states(tickets):
    return [ticket.state for ticket in tickets]


def test_one_user_leaves_seats_for_the_next():
    crowd = line()
    ann = several(crowd, "ann", 5)
    assert states(ann) == [State.SEATED] * 2 + [State.WAITING] * 3
    assert states(several(crowd, "bob", 2)) == [State.SEATED, State.WAITING]
    assert crowd.enter("eve", 1, 0.0).state is State.SEATED


def test_a_free_seat_goes_to_whoever_used_less():
    crowd = line(seats=2)
    ann = several(crowd, "ann", 3)
    bob = several(crowd, "bob", 3)
    assert states(ann + bob) == [State.SEATED, *[State.WAITING] * 2] * 2
    crowd.leave(ann[0], 10.0)
    assert ann[1].state is State.SEATED  # the one seat that is free is not bob's, who has as many
    crowd.leave(bob[0], 11.0)
    assert bob[1].state is State.SEATED
    crowd.leave(bob[1], 12.0)
    crowd.leave(ann[1], 12.0)
    assert (ann[2].state, bob[2].state) == (State.SEATED, State.SEATED)


def test_those_of_one_user_go_in_their_order():
    crowd = line(seats=2)
    first, *others = several(crowd, "ann", 4)
    for at, after in enumerate(others):
        assert after.state is State.WAITING
        crowd.leave(first, float(at))
        first = after
        assert after.state is State.SEATED


def test_a_user_may_have_only_so_many_waiting():
    crowd = line(seats=2, flow_waiting=3)
    assert states(several(crowd, "ann", 6)) == [State.SEATED, *[State.WAITING] * 3, *[State.FULL] * 2]
    assert crowd.waiting == 3


def test_where_the_line_is_full_the_longest_makes_room():
    crowd = line(seats=2, waiting=4)
    ann = several(crowd, "ann", 6)
    assert states(ann) == [State.SEATED, *[State.WAITING] * 4, State.FULL]
    bob = several(crowd, "bob", 4)
    assert states(bob) == [State.SEATED, *[State.WAITING] * 2, State.FULL]
    assert states(ann) == [State.SEATED, *[State.WAITING] * 2, *[State.FULL] * 3]
    assert crowd.waiting == 4


def test_whoever_goes_away_is_passed_over_and_whoever_waits_is_woken():
    crowd, woken = line(seats=2), []
    ann = several(crowd, "ann", 3)
    ann[2].wake = lambda: woken.append(True)
    crowd.leave(ann[1], 1.0)
    assert (crowd.waiting, woken) == (1, [])
    crowd.leave(ann[0], 2.0)
    crowd.leave(ann[0], 2.0)
    assert (ann[2].state, woken, crowd.seated) == (State.SEATED, [True], 1)


def test_nobody_waits_longer_than_patience():
    crowd = line(seats=2)
    ann = several(crowd, "ann", 2)
    crowd.expire(4.9)
    assert states(ann) == [State.SEATED, State.WAITING]
    crowd.expire(15.1)
    assert (states(ann), crowd.waiting) == ([State.SEATED, State.OVERDUE], 0)


def test_a_line_that_never_becomes_empty_has_less_patience():
    crowd = line(seats=2)
    served, *waiting = several(crowd, "ann", 3)
    for now in (2.0, 4.0):
        crowd.leave(served, now)
        served = waiting.pop(0)
        waiting += several(crowd, "ann", 1, now=now)
        crowd.expire(now)
        assert State.OVERDUE not in states(waiting)
    crowd.expire(5.5)
    assert states(waiting) == [State.OVERDUE] * 2


def test_how_long_to_stay_away_follows_from_what_waits():
    crowd = line(seats=2)
    first = crowd.enter("ann", 1, 0.0)
    crowd.leave(first, 10.0)
    tickets = several(crowd, "ann", 6, now=10.0)
    assert crowd.retry_after(tickets[-1]) == 5
