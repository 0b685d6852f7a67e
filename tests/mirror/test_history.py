import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Expired
from app.mirror.entry import Change, Entry
from app.mirror.history import History

KINDS = ["services", "endpoints", "events"]


def change(revision, kind="services", size=10):
    return Change(revision, "ADDED", Entry(kind, "a", f"n{revision}", str(revision), revision, b"x" * size), None)


@given(
    st.lists(st.lists(st.sampled_from(KINDS), max_size=20), max_size=20),
    st.integers(1, 50),
    st.integers(1000, 20000),
    st.integers(0, 5),
)
def test_what_is_kept_is_whole_from_the_floor_on_and_within_the_bounds(batches, limit, byte_limit, gap):
    history = History(100, limit, byte_limit)
    every, revision = [], 100
    for batch in batches:
        changes = []
        for kind in batch:
            revision += 1 + gap
            changes.append(change(revision, kind, size=revision % 300))
        history.extend(changes)
        every += changes
        kept = [
            each
            for kind in KINDS
            for each in history.of(kind).since(history.of(kind).position_after(history.of(kind).floor))
        ]
        assert len(kept) <= limit
        assert sum(each.size for each in kept) <= byte_limit
        for kind in KINDS:
            of_kind = history.of(kind)
            position = of_kind.position_after(of_kind.floor)
            assert of_kind.since(position) == [e for e in every if e.entry.kind == kind and e.revision > of_kind.floor]
    assert history.revision == revision


def test_a_position_stays_valid_while_older_changes_are_dropped():
    history = History(0, 64, 2**20)
    services = history.of("services")
    history.extend(change(revision) for revision in range(1, 65))
    position = services.position_after(60)
    history.extend([change(65)])
    assert services.floor > 0
    assert [each.revision for each in services.since(position)] == [61, 62, 63, 64, 65]


def test_what_was_dropped_is_expired_and_other_kinds_are_not():
    history = History(0, 8, 2**20)
    history.extend([change(1, "endpoints")])
    start = history.of("services").position_after(0)
    history.extend(change(revision) for revision in range(2, 30))
    services = history.of("services")
    with pytest.raises(Expired, match="too old resource version: 2; the oldest"):
        services.position_after(2)
    with pytest.raises(Expired, match="too slow"):
        services.since(start)
    assert history.of("nodes").position_after(0) == 0


def test_the_frame_is_encoded_once_and_is_a_line_of_json():
    each = Change(3, "DELETED", Entry("services", "a", "web", "u", 3, b'{"kind":"Service"}'), None)
    assert each.frame is each.frame
    assert json.loads(each.frame) == {"type": "DELETED", "object": {"kind": "Service"}}
