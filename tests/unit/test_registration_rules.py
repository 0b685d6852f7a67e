"""Leases of registrations: what they say, whose they are, and what becomes of the condition Ready."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.controllers.deadlines import Deadlines
from app.domain.documents.objects import ObjectMeta, OwnerReference
from app.domain.kinds.lease import Lease, LeaseSpec
from app.domain.kinds.node import NodeCondition
from app.domain.kinds.pod import PodCondition
from app.domain.rules.registration import (
    DEFAULT_SECONDS,
    DURATION_ANNOTATION,
    LEASE_EXPIRED,
    LEASE_RENEWED,
    NODE_LEASE_EXPIRED,
    RENEW_TIME_ANNOTATION,
    Heartbeat,
    annotated_heartbeat,
    lease_causes,
    lease_heartbeat,
    leased_node,
    leased_pods,
    not_ready,
    own_reason,
    ready_again,
)

THEN, NOW = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


def ready(status, reason="AgentSays", message=""):
    condition = PodCondition(type="Ready", status=status, reason=reason, message=message, last_transition_time=THEN)
    return [PodCondition(type="Other", status="True"), condition]


def told(conditions):
    found = conditions[1]
    return found.status, found.reason, found.message, found.last_transition_time


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("True",), ("False", LEASE_EXPIRED, "late", NOW)),
        (("False",), ("False", "AgentSays", "", THEN)),
        (("Unknown",), ("Unknown", "AgentSays", "", THEN)),
        (("False", LEASE_EXPIRED, "before"), ("False", LEASE_EXPIRED, "late", THEN)),
        (("False", NODE_LEASE_EXPIRED, "before"), ("False", LEASE_EXPIRED, "late", THEN)),
        (("True", LEASE_RENEWED), ("False", LEASE_EXPIRED, "late", NOW)),
    ],
)
def test_expired(before, after):
    conditions = ready(*before)
    changed = not_ready(conditions, LEASE_EXPIRED, "late", NOW)
    assert told(changed) == after
    assert changed[0] == conditions[0]
    assert not_ready(changed, LEASE_EXPIRED, "late", NOW) == changed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("False", LEASE_EXPIRED, "late"), ("True", LEASE_RENEWED, "", NOW)),
        (("False", NODE_LEASE_EXPIRED, "late"), ("True", LEASE_RENEWED, "", NOW)),
        (("False",), ("False", "AgentSays", "", THEN)),
        (("True", LEASE_EXPIRED), ("True", LEASE_EXPIRED, "", THEN)),
        (("Unknown",), ("Unknown", "AgentSays", "", THEN)),
    ],
)
def test_renewed(before, after):
    changed = ready_again(ready(*before), NOW)
    assert told(changed) == after
    assert ready_again(changed, NOW) == changed


@pytest.mark.parametrize("conditions", [None, [], [NodeCondition(type="Other", status="True")]])
def test_nothing_said_stays_nothing(conditions):
    assert own_reason(conditions) == ""
    assert (not_ready(conditions, LEASE_EXPIRED, "late", NOW) or None) == (conditions or None)
    assert ready_again(conditions, NOW) == conditions


def test_a_lease_says_how_long_and_whose():
    owner = OwnerReference("v1", "Pod", "p", "uid-p")
    other = OwnerReference("apps/v1", "Pod", "p", "uid-q")
    lease = Lease(metadata=ObjectMeta(name="n1", namespace="shop", owner_references=[owner, other]))
    assert lease_heartbeat(lease) == Heartbeat("", DEFAULT_SECONDS)
    assert leased_pods(lease) == ["uid-p"]
    assert leased_node(lease) is None
    lease = Lease(
        metadata=ObjectMeta(name="n1", namespace="kube-node-lease"),
        spec=LeaseSpec(lease_duration_seconds=7, acquire_time=THEN, renew_time=NOW),
    )
    assert lease_heartbeat(lease) == Heartbeat(NOW, 7)
    assert leased_node(lease) == "n1"
    assert leased_pods(lease) == []


@pytest.mark.parametrize(
    ("annotations", "heartbeat", "wrong"),
    [
        (None, None, False),
        ({RENEW_TIME_ANNOTATION: "x"}, None, False),
        ({DURATION_ANNOTATION: "1"}, Heartbeat("", 1), False),
        ({DURATION_ANNOTATION: "86400", RENEW_TIME_ANNOTATION: "x"}, Heartbeat("x", 86400), False),
        ({DURATION_ANNOTATION: "86401"}, None, True),
        ({DURATION_ANNOTATION: "0"}, None, True),
        ({DURATION_ANNOTATION: ""}, None, True),
        ({DURATION_ANNOTATION: "30s"}, None, True),
        ({DURATION_ANNOTATION: "000000030"}, None, True),
    ],
)
def test_annotations_say_how_long(annotations, heartbeat, wrong):
    meta = ObjectMeta(name="p", annotations=annotations)
    assert annotated_heartbeat(meta) == heartbeat
    assert [cause.field for cause in lease_causes(meta)] == (
        [f"metadata.annotations[{DURATION_ANNOTATION}]"] if wrong else []
    )


moves = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 5), st.integers(0, 40)),
        st.tuples(st.just("drop"), st.integers(0, 5)),
        st.tuples(st.just("due"), st.integers(0, 6)),
    ),
    max_size=60,
)


@given(moves)
def test_a_deadline_comes_once_each_time_it_was_set_and_not_before(steps):
    deadlines, model, told, now = Deadlines(), {}, set(), 0
    for name, *values in steps:
        if name == "set":
            item, when = values
            deadlines.set(item, when)
            if when > now or model.get(item) != when:
                told.discard(item)
            model[item] = when
        elif name == "drop":
            deadlines.drop(values[0])
            model.pop(values[0], None)
            told.discard(values[0])
        else:
            now += values[0]
            due = deadlines.due(now)
            assert len(due) == len(set(due))
            assert {item for item in due if model.get(item, now + 1) > now} == set()
            missing = {item for item, when in model.items() if when <= now} - set(due) - told
            assert not missing
            told.update(due)
    assert {item: deadlines.when(item) for item in model} == model
