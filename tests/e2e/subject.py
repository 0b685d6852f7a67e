"""What a Service may be, by everything the server has answered about it: a model that the server must never contradict.

A write whose answer was lost may have happened, may still happen, or may never happen. Each write carries a mark of its
own, so that whoever reads the Service later knows which of them it was.
"""

import itertools
from dataclasses import dataclass, field

MARK = "tests/mark"
_marks = itertools.count(1)


def mark_of(service):
    return service["metadata"].get("annotations", {}).get(MARK, "")


def is_allocated(service):
    conditions = service.get("status", {}).get("conditions", [])
    return any(each["type"] == "Allocated" and each["status"] == "True" for each in conditions)


@dataclass(frozen=True, slots=True)
class State:
    """One thing a Service may be.

    Attributes:
        mark: Of the write that would have made it so.
        present: Whether the Service is there.
    """

    mark: str
    present: bool


@dataclass(slots=True)
class Acknowledged:
    """A write that the server said it had stored; the log must show it."""

    revision: int
    uid: str
    mark: str
    type: str


@dataclass(slots=True)
class Record:
    """All that was acknowledged in one test.

    Attributes:
        writes: What the log must show.
        revisions: Theirs.
        unsure: Writes whose outcome was not told.
        waiting: Answers to writes that were not allocated yet.
    """

    writes: list[Acknowledged] = field(default_factory=list)
    revisions: set[int] = field(default_factory=set)
    unsure: int = 0
    waiting: int = 0

    def acknowledge(self, write):
        assert write.revision not in self.revisions, f"revision {write.revision} was used twice"
        self.revisions.add(write.revision)
        self.writes.append(write)


class Subject:
    """One Service of one client.

    Attributes:
        possible: What it may be now, in the order in which the writes were sent.
        latest: The document as last seen, None while it is not known to be there.
        restless: Whether the server may still change it by itself: it was answered before it was allocated.
    """

    def __init__(self, namespace, name, record):
        self.namespace = namespace
        self.name = name
        self.latest = None
        self.restless = False
        self.history = []
        self._record = record
        self._absent = State("", present=False)
        self.possible = [self._absent]
        self._late = []

    @property
    def collection(self):
        return f"/api/v1/namespaces/{self.namespace}/services"

    @property
    def path(self):
        return f"{self.collection}/{self.name}"

    @property
    def may_be_present(self):
        return any(state.present for state in self.possible)

    @property
    def may_be_absent(self):
        return any(not state.present for state in self.possible)

    @property
    def settled(self):
        """Whether exactly one thing is possible, and the revision of it known."""
        return len(self.possible) == 1 and not self.restless

    def intend(self, *, present):
        """A state that is about to be written; the write is to carry its mark."""
        return State(str(next(_marks)), present)

    def lost(self, state, *, creates=False):
        """The answer to the write was lost, or said that its outcome is unknown."""
        self._record.unsure += 1
        self._note("unknown", state)
        self.possible.append(state)
        if creates:
            self._late.append(state)

    def stored(self, state, service, change):
        """The server acknowledged the write: it is what the Service is now, whatever was unsure before."""
        self._note("stored", state, service)
        revision, uid = int(service["metadata"]["resourceVersion"]), service["metadata"]["uid"]
        self._record.acknowledge(Acknowledged(revision, uid, mark_of(service), change))
        if state.present:
            assert mark_of(service) == state.mark, self.tale("the answer is not what was written")
            self.possible = [state]
            self._saw(service)
        else:
            # A create of old that is still under way finds its name free again.
            self.possible = [state, *self._late]
            self.latest = None
            self.restless = False

    def read(self, service):
        """The server showed it."""
        self._note("read", None, service)
        mark = mark_of(service)
        marks = [state.mark if state.present else None for state in self.possible]
        assert mark in marks, self.tale("what is shown was never written, or was overwritten before")
        # Older things are ruled out now, but for an absence that a lost create has not ended yet.
        self.possible = self.possible[marks.index(mark) :]
        self._saw(service)

    def missed(self):
        """The server said that it is not there."""
        self._note("absent", None)
        assert self.may_be_absent, self.tale("it is gone, and nobody deleted it")
        first = next(at for at, state in enumerate(self.possible) if not state.present)
        later = self.possible[first:]
        self.possible = [*later, *(state for state in self._late if state not in later)]
        self.latest = None
        self.restless = False

    def conclude(self, service):
        """What the tables show when nothing is under way any more."""
        self._late.clear()
        if service is None:
            self.missed()
            self.possible = [state for state in self.possible if not state.present][-1:]
        else:
            self.read(service)
            self.possible = self.possible[:1]

    def refused(self, why):
        """The server refused a write without storing it."""
        self._note(why, None)

    def _saw(self, service):
        self.restless = not is_allocated(service)
        self.latest = service

    def _note(self, what, state, service=None):
        revision = service["metadata"]["resourceVersion"] if service else ""
        mark = mark_of(service) if service else ""
        self.history.append((what, state, mark, revision))

    def tale(self, what):
        """An assertion's message: what is wrong, and everything that led to it."""
        steps = "\n  ".join(map(str, self.history))
        return f"{self.path}: {what}; possible: {self.possible}\n  {steps}"
