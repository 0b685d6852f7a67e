"""What watchers with the same selectors share, and for how long."""

import gc
import json
import weakref

from app.domain.declarations.service import SERVICE
from app.mirror.entry import Change, Entry
from app.registry.selection import Selection, shared_selection


def change(revision, name="web"):
    metadata = {"resourceVersion": str(revision), "name": name, "labels": {"app": name}}
    wire = json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": metadata}, separators=(",", ":")).encode()
    return Change(revision, "ADDED", Entry("services", "default", name, "uid", revision, wire), None)


def test_watchers_with_the_same_selectors_are_given_the_same_event():
    one, other = shared_selection(SERVICE, "app=web", ""), shared_selection(SERVICE, "app=web", "")
    assert one is other
    made = change(7)
    assert one.event(made) is other.event(made)


def test_a_selection_goes_with_its_last_watcher():
    gone = weakref.ref(shared_selection(SERVICE, "app=gone", ""))
    gc.collect()
    assert gone() is None


def test_a_watcher_alone_remembers_nothing():
    alone = Selection(SERVICE, "app=web", "")
    first = change(2)
    assert alone.event(first) is not alone.event(first)


def test_what_a_shared_selection_remembers_is_bounded():
    selection = shared_selection(SERVICE, "app=web", "metadata.name=web")
    selection.share()
    first = change(1)
    remembered = selection.event(first)
    for revision in range(2, 1200):
        selection.event(change(revision))
    assert selection.event(first) is not remembered
