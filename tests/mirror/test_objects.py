from hypothesis import given
from hypothesis import strategies as st

from app.mirror.entry import Change, Entry
from app.mirror.objects import Objects

NAMESPACES = ["", "a", "a-b", "b", "b\x00c"]
NAMES = ["a", "b", "ba", "c", "d.e", "z"]
PLACES = st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(NAMES))
STEPS = st.lists(st.tuples(PLACES, st.sampled_from(["put", "put", "replace", "remove"])), max_size=40)


def play(steps):
    """Apply random steps; answers the objects, the changes, and a plain copy of the state after each change."""
    objects, changes, states, state = Objects(), [], [{}], {}
    for revision, (place, action) in enumerate(steps, start=1):
        known = state.get(place)
        if action == "remove" and known is None:
            continue
        uid = f"{place}@{revision}" if known is None or action == "replace" else known.uid
        entry = Entry("services", *place, uid, revision, b"%d" % revision)
        if action == "remove":
            previous, kind = objects.remove(entry), "DELETED"
        else:
            previous = objects.put(entry)
            kind = "ADDED" if previous is None else "MODIFIED"
        assert previous is known
        changes.append(Change(revision, kind, entry, previous))
        state = {at: one for at, one in state.items() if at != place} | ({} if action == "remove" else {place: entry})
        states.append(state)
    return objects, changes, states


def selected(state, namespace, after):
    return [
        entry
        for place, entry in sorted(state.items())
        if (namespace is None or place[0] == namespace) and (after is None or place > after)
    ]


@given(
    STEPS,
    st.none() | st.sampled_from([*NAMESPACES, "none"]),
    st.none() | PLACES,
    st.none() | st.integers(0, 8),
    st.integers(0, 40),
)
def test_a_slice_is_what_was_there_at_any_moment(steps, namespace, after, limit, back):
    objects, changes, states = play(steps)
    back = min(back, len(changes))
    listing = objects.slice("services", namespace, after, limit, changes[len(changes) - back :])
    expected = selected(states[len(changes) - back], namespace, after)
    taken = len(expected) if limit is None else min(limit, len(expected))
    assert listing.entries == expected[:taken]
    assert listing.remaining == len(expected) - taken


@given(STEPS)
def test_get_and_by_uid_know_the_newest_state_and_nothing_else(steps):
    objects, changes, states = play(steps)
    now = states[-1]
    for namespace in NAMESPACES:
        for name in NAMES:
            assert objects.get("services", namespace, name) is now.get((namespace, name))
    alive = {entry.uid: entry for entry in now.values()}
    for uid in {change.entry.uid for change in changes}:
        assert objects.by_uid(uid) is alive.get(uid)
    assert len(objects) == len(now)


def test_kinds_do_not_mix_and_an_unknown_kind_is_empty():
    objects = Objects()
    objects.put(Entry("services", "a", "web", "1", 1, b""))
    objects.put(Entry("endpoints", "a", "web", "2", 2, b""))
    assert objects.get("services", "a", "web").uid == "1"
    assert objects.get("endpoints", "a", "web").uid == "2"
    assert objects.get("nodes", "", "web") is None
    assert objects.slice("nodes", None).entries == []
    assert objects.remove(Entry("nodes", "", "web", "3", 3, b"")) is None
