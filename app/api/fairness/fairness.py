"""Who is answered at once, who waits, and who is refused, on the event loop of one process."""

import asyncio
import time
from collections import Counter

from app.api.exchange import Exchange
from app.api.fairness.classes import ORDINARY, Class, bounds, class_of, flow_of, weight_of
from app.api.fairness.line import Line, State, Ticket
from app.api.limits import Limits
from app.domain.errors import TooManyRequests
from app.domain.rules.access.requests import Request
from app.domain.user import User
from app.telemetry.metrics import (
    QUEUE_DISPATCHED,
    QUEUE_REJECTED,
    QUEUE_SEATS,
    QUEUE_SEATS_TAKEN,
    QUEUE_WAIT_SECONDS,
    QUEUE_WAITING,
)

_REASONS = {State.FULL: "queue-full", State.OVERDUE: "time-out"}
"""In the words of Kubernetes' metric."""
_REFUSAL_SECONDS = 0.5
"""Time until a refusal is answered whose user has others waiting: so long no other comes over the same connection."""
_MOST_SLOWED = 1000
"""Refusals that wait at once; beyond them they are answered at once."""


class Fairness:
    """Admits requests to be answered, by user and class.

    Args:
        limits: What clients may use.
    """

    def __init__(self, limits: Limits) -> None:
        self._lines = {
            name: Line(each) for name, each in bounds(limits.reads, limits.writes, limits.user_waiting).items()
        }
        self._entered: Counter[Class] = Counter()
        self._slowed = 0
        for name, line in self._lines.items():
            QUEUE_SEATS.labels(name).set(line.bounds.seats)

    def enter(self, exchange: Exchange, request: Request) -> Ticket | None:
        """A request comes.

        Returns:
            Its ticket, which may have to `wait`; None for a request that never waits.
        """
        user = exchange.user
        name = class_of(user, request)
        if name is None:
            return None
        key = flow_of(user, exchange)
        line = self._lines[name]
        weight = ORDINARY if line.knows(key) else weight_of(user)
        ticket = line.enter(key, weight, time.monotonic())
        self._entered[name] += 1
        return ticket

    async def wait(self, ticket: Ticket, exchange: Exchange, request: Request) -> None:
        """Return when a request that `enter` gave no seat may be answered.

        Raises:
            TooManyRequests: Too many requests of the user, or of the class, wait already, or this one waited too long.
        """
        name = class_of(exchange.user, request) or "read"
        try:
            if ticket.state is State.WAITING:
                await self._woken(ticket, name)
        except asyncio.CancelledError:
            ticket.line.leave(ticket, time.monotonic())
            raise
        if ticket.state is not State.SEATED:
            error = _refusal(ticket, exchange.user, name)
            ticket.line.leave(ticket, time.monotonic())
            self._entered[name] -= 1
            if ticket.flow.waiting:
                await self._slow_down()
            raise error

    async def _slow_down(self) -> None:
        """Wait before a refusal is answered, or a client that sends again at once would keep the process busy."""
        if self._slowed < _MOST_SLOWED:
            self._slowed += 1
            try:
                await asyncio.sleep(_REFUSAL_SECONDS)
            finally:
                self._slowed -= 1

    def tell(self) -> None:
        """Refuse those that have waited too long, and bring the metrics up to date."""
        now = time.monotonic()
        for name, line in self._lines.items():
            line.expire(now)
            QUEUE_SEATS_TAKEN.labels(name).set(line.seated)
            QUEUE_WAITING.labels(name).set(line.waiting)
            QUEUE_DISPATCHED.labels(name).inc(max(0, self._entered.pop(name, 0)))

    async def _woken(self, ticket: Ticket, name: Class) -> None:
        waiting = asyncio.get_running_loop().create_future()
        ticket.wake = lambda: None if waiting.done() else waiting.set_result(None)
        began = time.monotonic()
        try:
            await waiting
        finally:
            QUEUE_WAIT_SECONDS.labels(name).observe(time.monotonic() - began)


def _refusal(ticket: Ticket, user: User, name: Class) -> TooManyRequests:
    """Why a request is refused, and what its sender can do."""
    reason = _REASONS[ticket.state]
    QUEUE_REJECTED.labels(name, reason).inc()
    waiting = len(ticket.flow.waiting)
    why = "so many may wait" if ticket.state is State.FULL else "this one waited too long"
    return TooManyRequests(
        f'too many requests, please try again later: {waiting} requests of class {name} of user "{user.name}" wait for '
        f"their turn here, and {why}; send fewer at once",
        retry_after=ticket.line.retry_after(ticket),
    )
