"""The line in which the requests of one class wait: whose turn it is, by weighted fair queueing.

A class has a number of seats. A request takes one, and gives it back when it is answered. While seats are free nobody
waits. Otherwise the requests of each flow, which is one user, wait in their order, and a free seat goes to the flow
that has used the least time of seats, weighted (start-time fair queueing: Goyal, Vin and Cheng, 1996). What a request
will take is not known, so the usual time is charged first, and what it took in the end.

No flow may take all seats: it gets no more while it has as many as are free (dynamic thresholds: Choudhury and Hahne,
1998). One alone has half of them, of two each has a third, and the next one to come need not wait until an answer ends.

It knows neither a clock nor an event loop: who calls it tells the time, and has `Ticket.wake` called.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from heapq import heapify, heappop, heappush
from itertools import count
from math import ceil

PATIENCE_SECONDS = 15.0
"""Longest wait for a seat, as in Kubernetes."""
STANDING_SECONDS = 5.0
"""Time after which a line that never became empty is no burst: its flow sends more than is answered."""
STANDING_PATIENCE_SECONDS = 1.0
"""Longest wait in such a line, so that whoever sends too much is told so soon."""
_LONGEST_RETRY_SECONDS = 30
_REMEMBERED_DEBTS = 4096
_MOST_ENTRIES = 1024
"""Entries beside those of flows that wait, which are replaced, before they are cleared away."""
_RECENT = 0.1
"""Weight of a request in the usual time of a seat."""


class State(Enum):
    """Where a request stands."""

    WAITING = auto()
    SEATED = auto()
    FULL = auto()
    """Refused: too many requests wait."""
    OVERDUE = auto()
    """Refused: it waited too long."""
    LEFT = auto()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much there is of a class.

    Attributes:
        seats: Requests that are answered at once.
        waiting: Requests that may wait.
        flow_waiting: Requests of one flow that may wait.
    """

    seats: int
    waiting: int
    flow_waiting: int


class Flow:
    """The requests of one user in one class.

    Attributes:
        key: Tells it from others.
        weight: Its share of the time of seats, compared to others.
        seated: Its requests that have a seat.
        waiting: Those that wait, in their order.
        tag: The virtual time at which its next request is due.
        standing_since: Since when somebody waits without a break.
        entry: Number of its entry among the flows that are due.
    """

    __slots__ = ("entry", "key", "seated", "standing_since", "tag", "waiting", "weight")

    def __init__(self, key: str, weight: int, tag: float) -> None:
        self.key = key
        self.weight = weight
        self.seated = 0
        self.waiting: deque[Ticket] = deque()
        self.tag = tag
        self.standing_since = 0.0
        self.entry = 0


class Ticket:
    """One request in a line.

    Attributes:
        line: The line that it stands in.
        flow: Whose it is.
        state: Where it stands.
        since: When it came, or took its seat.
        charged: Seconds that its flow was charged for its seat.
        wake: Called when a wait ends, with a seat or without.
    """

    __slots__ = ("charged", "flow", "line", "since", "state", "wake")

    def __init__(self, line: "Line", flow: Flow, now: float) -> None:
        self.line = line
        self.flow = flow
        self.state = State.SEATED
        self.since = now
        self.charged = 0.0
        self.wake: Callable[[], None] | None = None


class Line:
    """The requests of one class.

    Args:
        bounds: How much there is of it.

    Attributes:
        seated: Requests that have a seat.
        waiting: Requests that wait.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.seated = 0
        self.waiting = 0
        self._flows: dict[str, Flow] = {}
        self._due: list[tuple[float, int, Flow]] = []
        self._numbers = count()
        self._virtual = 0.0
        self._usual = 0.0
        self._debts: dict[str, float] = {}

    def knows(self, key: str) -> bool:
        """Whether requests of a flow are there."""
        return key in self._flows

    def enter(self, key: str, weight: int, now: float) -> Ticket:
        """A request comes. It has a seat, waits, or is refused: its state says which.

        Args:
            key: Whose it is.
            weight: The weight of a flow that is not there yet.
            now: Monotonic seconds.
        """
        flow = self._flows.get(key)
        if flow is None:
            tag = self._debts.pop(key, self._virtual) if self._debts else self._virtual
            flow = self._flows[key] = Flow(key, weight, tag)
        ticket = Ticket(self, flow, now)
        if not flow.waiting and self._may_sit(flow):
            flow.seated += 1
            self.seated += 1
        else:
            self._wait(ticket, now)
        return ticket

    def leave(self, ticket: Ticket, now: float) -> None:
        """A request is answered, or its client does not wait any more. It may be told twice."""
        flow = ticket.flow
        if ticket.state is State.SEATED:
            spent = now - ticket.since
            self._usual += (spent - self._usual) * _RECENT
            self.seated -= 1
            flow.seated -= 1
            if self.waiting or ticket.charged:
                flow.tag += (spent - ticket.charged) / flow.weight
                if flow.waiting:
                    self._make_due(flow)
        elif ticket.state is State.WAITING:
            flow.waiting.remove(ticket)
            self.waiting -= 1
        ticket.state = State.LEFT
        self._forget_idle(flow)
        if self.waiting:
            self._seat_next(now)

    def expire(self, now: float) -> None:
        """Refuse the requests that have waited too long."""
        for flow in [flow for flow in self._flows.values() if flow.waiting]:
            is_standing = now - flow.standing_since > STANDING_SECONDS
            patience = STANDING_PATIENCE_SECONDS if is_standing else PATIENCE_SECONDS
            while flow.waiting and now - flow.waiting[0].since > patience:
                self._refuse(flow.waiting.popleft(), State.OVERDUE)
            self._forget_idle(flow)
        self._seat_next(now)

    def retry_after(self, ticket: Ticket) -> int:
        """Seconds after which whoever was refused should try again: when those that wait now will have had a turn."""
        wanted = len(ticket.flow.waiting) * self._usual / max(1, ticket.flow.seated)
        return min(_LONGEST_RETRY_SECONDS, max(1, ceil(wanted)))

    def _may_sit(self, flow: Flow) -> bool:
        """Whether a flow may have one more seat."""
        return flow.seated < flow.weight * (self.bounds.seats - self.seated)

    def _wait(self, ticket: Ticket, now: float) -> None:
        flow = ticket.flow
        if len(flow.waiting) >= self.bounds.flow_waiting or not self._is_room_beside(flow):
            ticket.state = State.FULL
            self._forget_idle(flow)
            return
        ticket.state = State.WAITING
        flow.waiting.append(ticket)
        self.waiting += 1
        if len(flow.waiting) == 1:
            flow.standing_since = now
            flow.tag = max(flow.tag, self._virtual)
            self._make_due(flow)

    def _is_room_beside(self, flow: Flow) -> bool:
        """Whether one more may wait. If the line is full, the longest of its flows loses its last request for it."""
        if self.waiting < self.bounds.waiting:
            return True
        longest = max(self._flows.values(), key=_length)
        if _length(longest) <= _length(flow):
            return False
        self._refuse(longest.waiting.pop(), State.FULL)
        return True

    def _refuse(self, ticket: Ticket, why: State) -> None:
        self.waiting -= 1
        ticket.state = why
        if ticket.wake is not None:
            ticket.wake()

    def _seat_next(self, now: float) -> None:
        """Give the free seats to those whose turn it is."""
        aside = []
        while self.seated < self.bounds.seats and self._due:
            due = heappop(self._due)
            flow = due[2]
            if not flow.waiting or due[1] != flow.entry:
                continue  # another entry took its place, or those that waited went away
            if not self._may_sit(flow):
                aside.append(due)
            else:
                if not aside:  # else somebody is due before, and would lose what it is owed
                    self._virtual = max(self._virtual, flow.tag)
                self._seat(flow, now)
        for due in aside:
            heappush(self._due, due)

    def _seat(self, flow: Flow, now: float) -> None:
        """Give a seat to the first that waits of a flow."""
        ticket = flow.waiting.popleft()
        self.waiting -= 1
        self.seated += 1
        flow.seated += 1
        ticket.state, ticket.since, ticket.charged = State.SEATED, now, self._usual
        flow.tag += self._usual / flow.weight
        if flow.waiting:
            self._make_due(flow)
        if ticket.wake is not None:
            ticket.wake()

    def _make_due(self, flow: Flow) -> None:
        flow.entry = next(self._numbers)
        if len(self._due) > 2 * self.waiting + _MOST_ENTRIES:
            self._due = [(each.tag, each.entry, each) for each in self._flows.values() if each.waiting]
            heapify(self._due)
        else:
            heappush(self._due, (flow.tag, flow.entry, flow))

    def _forget_idle(self, flow: Flow) -> None:
        """Forget a flow of which nothing is there, and what it used, once nobody waits for that."""
        if not flow.seated and not flow.waiting and self._flows.get(flow.key) is flow:
            del self._flows[flow.key]
            if self.waiting and flow.tag > self._virtual:
                self._remember_debt(flow)
        if not self.waiting:
            self._debts.clear()
            self._due.clear()

    def _remember_debt(self, flow: Flow) -> None:
        if len(self._debts) >= _REMEMBERED_DEBTS:
            del self._debts[next(iter(self._debts))]
        self._debts[flow.key] = flow.tag


def _length(flow: Flow) -> float:
    """How long the line of a flow is, for its weight."""
    return len(flow.waiting) / flow.weight
