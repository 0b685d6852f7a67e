"""Whatever changes, is refused or breaks off: an Envoy ends up with what it is offered, and nothing is out of order."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.serving.resources import ASSIGNMENT, CLUSTER, LISTENER, TYPES, Resource
from app.serving.xds.session import Session
from app.serving.xds.view import View

OWNERS = tuple(("shop", f"s{number}") for number in range(4))
BAD = "bad"


def resources_of(owner, version):
    """A cluster with its assignment, and a listener that refers to it."""
    cluster = f"{owner[0]}/{owner[1]}"
    marks = dict(zip(TYPES, version, strict=True))
    return [
        Resource(CLUSTER, cluster, marks[CLUSTER], b"", owner),
        Resource(ASSIGNMENT, cluster, marks[ASSIGNMENT], b"", owner),
        Resource(LISTENER, f"TCP/{owner[1]}", marks[LISTENER], b"", owner, (cluster,)),
    ]


class Envoy:
    """Takes what it is sent, in order, and refuses what is bad as Envoy does: with names, or without."""

    def __init__(self, view):
        self.view = view
        self.has = {each: {} for each in TYPES}
        self.needs = {}
        self.now = 0.0
        self.connect()

    def connect(self):
        self.session = Session(self.view)
        self.view.follow(self.session_follower())
        self.session.has(CLUSTER, self.has[CLUSTER].items())
        self.session.subscribe(CLUSTER, (), wildcard=True)
        if self.has[CLUSTER]:
            self.session.has(ASSIGNMENT, self.has[ASSIGNMENT].items())
            self.session.subscribe(ASSIGNMENT, self.has[CLUSTER], wildcard=False)
        self.asked = set(self.has[CLUSTER])
        self.session.has(LISTENER, self.has[LISTENER].items())
        self.session.subscribe(LISTENER, (), wildcard=True)
        self.unread = []

    def session_follower(self):
        session = self.session

        class Follower:
            def changed(self, *change):
                session.changed(*change)

            def advanced(self):
                pass

        self.follower = Follower()
        return self.follower

    def reconnect(self):
        self.view.leave(self.follower)
        self.connect()

    def receive(self):
        """Be sent what there is, and leave it unread."""
        self.session.retry(self.now)
        self.unread += self.session.batches()

    def converse(self, *, names=True):
        """Read and answer until nothing more comes."""
        for _ in range(200):
            self.receive()
            if not self.unread:
                return
            while self.unread:
                self._answer(self.unread.pop(0), names=names)
        raise AssertionError("it never ends")

    def _answer(self, batch, *, names):
        bad = [each.name for each in batch.changed if each.version == BAD]
        # An assignment is taken whole or not at all; of clusters and listeners the others are, if Envoy names the bad.
        partial = names and batch.type_url != ASSIGNMENT
        if not bad or partial:
            for each in batch.changed:
                if each.name not in bad:
                    self._take(each)
            for name in batch.removed:
                self._let_go(batch.type_url, name)
        if not bad:
            self.session.accept(batch.type_url, batch.nonce)
        else:
            listed = "\n".join(f"{name}: no" for name in bad)
            message = f"Error adding/updating listener(s) {listed}" if partial else "no"
            self.session.reject(batch.type_url, batch.nonce, message, self.now)
        new = set(self.has[CLUSTER]) - self.asked
        if new:
            self.asked |= new
            self.session.subscribe(ASSIGNMENT, new, wildcard=False)

    def _take(self, each):
        if each.type_url == LISTENER:
            assert all(need in self.has[CLUSTER] for need in each.needs), "a listener came before its cluster"
            self.needs[each.name] = each.needs
        self.has[each.type_url][each.name] = each.version

    def _let_go(self, type_url, name):
        if type_url == CLUSTER:
            used = {need for listener in self.has[LISTENER] for need in self.needs.get(listener, ())}
            assert name not in used, "a cluster went before its listener"
            self.has[ASSIGNMENT].pop(name, None)
            self.asked.discard(name)
            self.session.unsubscribe(ASSIGNMENT, [name])
        self.has[type_url].pop(name, None)


VERSION = st.sampled_from(["1", "2", "3", BAD])
GOOD = st.sampled_from(["1", "2", "3"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(OWNERS), st.tuples(VERSION, VERSION, VERSION)),
        st.tuples(st.just("drop"), st.sampled_from(OWNERS)),
        st.tuples(st.just("converse"), st.booleans()),
        st.tuples(st.just("receive")),
        st.tuples(st.just("reconnect")),
    ),
    max_size=25,
)


class Offering:
    def __init__(self):
        self.view = View()
        self.revision = 0

    def put(self, owner, resources):
        self.revision += 1
        self.view.replace(owner, resources, self.revision)
        self.view.reach(self.revision)


@given(STEPS, st.lists(st.tuples(GOOD, GOOD, GOOD), min_size=len(OWNERS), max_size=len(OWNERS)))
def test_in_the_end_it_has_what_it_is_offered(steps, mended):
    offering = Offering()
    envoy = Envoy(offering.view)
    for kind, *details in steps:
        if kind == "put":
            offering.put(details[0], resources_of(*details))
        elif kind == "drop":
            offering.put(details[0], ())
        elif kind == "converse":
            envoy.converse(names=details[0])
        elif kind == "receive":
            envoy.receive()
        else:
            envoy.reconnect()
    kept = set(offering.view.owners())
    for owner, version in zip(OWNERS, mended, strict=True):
        if owner in kept:
            offering.put(owner, resources_of(owner, version))
    envoy.converse()
    envoy.now += 1000
    envoy.converse()
    offered = {
        type_url: {each.name: each.version for each in offering.view.resources[type_url].values()} for type_url in TYPES
    }
    assert envoy.has == offered
    assert not envoy.session.refused()
    assert envoy.session.watermark() == offering.revision


@given(STEPS)
def test_what_is_refused_harms_nothing_else(steps):
    """After every conversation all that is good, and needs nothing bad, is there."""
    offering = Offering()
    envoy = Envoy(offering.view)
    for kind, *details in steps:
        if kind == "put":
            offering.put(details[0], resources_of(*details))
        elif kind == "drop":
            offering.put(details[0], ())
        elif kind == "reconnect":
            envoy.reconnect()
        envoy.converse(names=kind != "converse" or details[0])
        for owner in offering.view.owners():
            found = {each.type_url: each for each in resources_of(owner, "123")}
            offered = {type_url: offering.view.get(type_url, each.name) for type_url, each in found.items()}
            if all(each.version != BAD for each in offered.values()):
                has = {type_url: envoy.has[type_url].get(each.name) for type_url, each in found.items()}
                assert has == {type_url: each.version for type_url, each in offered.items()}
        blamed = {owner for owner, _ in envoy.session.refused().values()}
        assert blamed <= {
            each.owner
            for type_url in TYPES
            for each in offering.view.resources[type_url].values()
            if each.version == BAD
        }
        assert envoy.session.watermark() == offering.revision or blamed


@pytest.mark.parametrize("read", [True, False], ids=["each is answered", "answers come late"])
def test_what_is_again_as_before_it_was_refused_is_refused_no_more(read):
    offering = Offering()
    envoy = Envoy(offering.view)
    for listener in ("1", BAD, "1"):
        offering.put(OWNERS[0], resources_of(OWNERS[0], ("1", "1", listener)))
        (envoy.converse if read or listener == "1" else envoy.receive)()
    assert envoy.has[LISTENER] == {"TCP/s0": "1"}
    assert not envoy.session.refused()
    assert envoy.session.watermark() == offering.revision


def test_what_was_refused_is_not_taken_for_what_the_envoy_went_on_with():
    """Of two versions that were sent in a row and refused, the Envoy has neither."""
    offering = Offering()
    envoy = Envoy(offering.view)
    offering.put(OWNERS[0], resources_of(OWNERS[0], (BAD, "1", "1")))
    envoy.receive()
    offering.put(OWNERS[0], resources_of(OWNERS[0], (f"{BAD} too", "1", "1")))
    envoy.receive()
    first, second = (each for each in envoy.unread if each.type_url == CLUSTER)
    for sent in (first, second):
        envoy.session.reject(CLUSTER, sent.nonce, "no", 0.0)
    assert envoy.session.has_now(CLUSTER) == set()


def test_resources_compare_by_their_content():
    one, other = (resources_of(OWNERS[0], "111")[0] for _ in range(2))
    assert msgspec.structs.asdict(one) == msgspec.structs.asdict(other)
