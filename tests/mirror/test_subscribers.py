"""Who is told of which changes."""

from app.mirror.entry import Change, Entry
from app.mirror.subscribers import Subscribers


def change(kind, revision):
    entry = Entry(kind, "blue", "web", f"{kind}-{revision}", revision, b"{}")
    return Change(revision, "ADDED", entry, None)


def test_each_is_told_of_its_kinds_alone_and_in_order():
    told = []

    def teller(name):
        return lambda changes: told.append((name, [each.revision for each in changes]))

    subscribers = Subscribers()
    subscribers.add(teller("all"), lambda: None, None)
    subscribers.add(teller("services"), lambda: None, ["services"])
    subscribers.add(teller("pods and services"), lambda: None, ["pods", "services"])
    subscribers.add(teller("nodes"), lambda: None, ["nodes"])
    subscribers.add(teller("nothing"), lambda: None, ())
    subscribers.tell([change("services", 1), change("events", 2), change("pods", 3), change("services", 4)])
    assert told == [("all", [1, 2, 3, 4]), ("services", [1, 4]), ("pods and services", [1, 3, 4])]
    told.clear()
    subscribers.tell([change("events", 5)])
    assert told == [("all", [5])]


def test_who_does_not_subscribe_any_more_is_not_told():
    told, subscribers = [], Subscribers()
    subscribers.add(told.append, lambda: told.append("reloaded"), None)
    subscribers.remove(told.append)
    subscribers.tell([change("services", 1)])
    subscribers.tell_reloaded()
    assert told == []
