"""Clients that create, read, update and delete their own Services, and check each answer against what it can be."""

import asyncio
import logging
import random
from collections import Counter
from dataclasses import dataclass, field

from tests.e2e.bodies import EVERY, MUTABLE, headless, service
from tests.e2e.client import Connection, LostError, UnreachableError
from tests.e2e.subject import MARK, Record, Subject, is_allocated
from tests.e2e.waiting import eventually

_log = logging.getLogger(__name__)

PAUSE = 0.25
"""Seconds before somebody who was turned away comes again; less than Retry-After asks, to press harder."""

ASKED_PORTS = range(30_010, 30_070)
ASKED_ADDRESSES = [f"10.96.0.{last}" for last in range(100, 250)]
"""Values that clients ask for by themselves, from the bands that are not given to others; each is one Service's own."""


async def storm(loads, havoc):
    """Have the clients of all loads do anything, until the coroutine `havoc` has ended."""
    over = asyncio.Event()

    async def until_over():
        await havoc
        over.set()

    async with asyncio.TaskGroup() as group:
        for load in loads:
            group.create_task(load.run(lambda worker: worker.storm(over.is_set)))
        group.create_task(until_over())
    for load in loads:
        _log.info(
            "%s: %s; %s unsure, %s waiting", load.numbers, dict(load.rounds), load.record.unsure, load.record.waiting
        )


@dataclass(slots=True)
class Load:
    """A number of clients at work on a number of Services.

    Attributes:
        urls: Where the clients talk to, each to any of them; text, or functions that tell where that is now.
        numbers: Of the Services; those of different loads in one product differ.
        pressed: Whether the test breaks things on purpose, so that refusals and lost answers are to be expected.
        rounds: Operations of every kind, as they were answered.
    """

    urls: list
    namespace: str
    numbers: range
    clients: int = 32
    pressed: bool = False
    record: Record = field(default_factory=Record)
    rounds: Counter = field(default_factory=Counter)
    subjects: list = field(init=False)

    def __post_init__(self):
        self.subjects = [Subject(self.namespace, f"s-{number}", self.record) for number in self.numbers]

    def worker(self, number):
        connections = [Connection(url) for url in self.urls]
        own = list(zip(self.numbers, self.subjects, strict=True))[number :: self.clients]
        return Worker(self, connections, own, random.Random(f"{self.numbers}/{number}"))

    async def run(self, work):
        """Have each client do `work`, a function of a Worker; the first violation ends all."""
        workers = [self.worker(number) for number in range(self.clients)]
        try:
            async with asyncio.TaskGroup() as group:
                for worker in workers:
                    group.create_task(work(worker))
        finally:
            for worker in workers:
                worker.close()

    @property
    def done(self):
        """Operations that the server has carried out."""
        return sum(self.rounds[verb] for verb in ("create", "get", "update", "delete"))

    async def progress(self, steps, within):
        """Wait until so many more have been carried out."""
        target = self.done + steps

        async def reached():
            return self.done >= target

        await eventually(reached, timeout=within)


class Worker:
    """One client and the Services that only it writes. Each request goes to any of its connections."""

    def __init__(self, load, connections, own, chance):
        self._load = load
        self._connections = connections
        self._own = own
        self._chance = chance

    def close(self):
        for connection in self._connections:
            connection.close()

    async def create_all(self):
        for number, subject in self._own:
            while subject.latest is None:
                await self.create(number, subject)

    async def update_all(self):
        for _, subject in self._own:
            await self.update(subject)

    async def delete_all(self):
        for _, subject in self._own:
            while subject.may_be_present:
                await self.delete(subject)

    async def storm(self, over):
        """Anything, in any order, until `over` says that it is enough; then learn what each Service is."""
        while not over():
            await self.step(*self._chance.choice(self._own))
        for _, subject in self._own:
            await self.settle(subject)

    async def step(self, number, subject):
        if not subject.may_be_present:
            await self.create(number, subject)
        elif subject.latest is None:
            await (self.get(subject) if self._chance.random() < 0.5 else self.create(number, subject))
        else:
            wish = self._chance.random()
            if wish < 0.5:
                await self.update(subject)
            elif wish < 0.75:
                await self.get(subject)
            else:
                await self.delete(subject)

    async def settle(self, subject):
        """Read until the server answers."""
        before = self._load.rounds["get"]
        while self._load.rounds["get"] == before:
            await self.get(subject)

    async def create(self, number, subject):
        state = subject.intend(present=True)
        body = service(subject.name, self._spec(number), mark=state.mark)
        reply = await self._send(subject, state, "POST", subject.collection, body)
        if reply is None:
            return
        if reply.status == 201:
            assert subject.may_be_absent, subject.tale("it was created while it was there")
            self._check(subject, reply)
            subject.stored(state, reply.document, "ADDED")
            self._load.rounds["create"] += 1
        elif reply.status == 409 or (reply.status == 422 and "already" in reply.document["message"]):
            assert subject.may_be_present, subject.tale(f"a false AlreadyExists: {reply.document['message']}")
            subject.refused("AlreadyExists")
            await self.get(subject)
        else:
            raise AssertionError(subject.tale(f"POST answered {reply.status}: {reply.document}"))

    async def update(self, subject):
        state = subject.intend(present=True)
        body = self._changed(subject.latest, state.mark)
        reply = await self._send(subject, state, "PUT", subject.path, body)
        if reply is None:
            return
        if reply.status == 200:
            self._check(subject, reply)
            subject.stored(state, reply.document, "MODIFIED")
            self._load.rounds["update"] += 1
        elif reply.status == 409:
            assert not subject.settled, subject.tale(f"a spurious conflict: {reply.document['message']}")
            subject.refused("Conflict")
            await self.get(subject)
        else:
            raise AssertionError(subject.tale(f"PUT answered {reply.status}: {reply.document}"))

    async def delete(self, subject):
        state = subject.intend(present=False)
        reply = await self._send(subject, state, "DELETE", subject.path)
        if reply is None:
            return
        if reply.status == 200:
            assert subject.may_be_present, subject.tale("what was not there was deleted")
            subject.stored(state, reply.document, "DELETED")
            self._load.rounds["delete"] += 1
        elif reply.status == 404:
            subject.missed()
        else:
            raise AssertionError(subject.tale(f"DELETE answered {reply.status}: {reply.document}"))

    async def get(self, subject):
        reply = await self._send(subject, None, "GET", subject.path)
        if reply is None:
            return
        if reply.status == 200:
            subject.read(reply.document)
        elif reply.status == 404:
            subject.missed()
        else:
            raise AssertionError(subject.tale(f"GET answered {reply.status}: {reply.document}"))
        self._load.rounds["get"] += 1

    async def _send(self, subject, state, method, path, body=None):
        """The reply; None when the request was turned away or its answer was lost."""
        connection = self._chance.choice(self._connections)
        try:
            reply = await connection.request(method, path, body)
        except UnreachableError:
            reply = None
        except LostError:
            reply = None
            if state is not None:
                subject.lost(state, creates=method == "POST")
        if reply is not None and reply.status == 504 and state is not None:
            subject.lost(state, creates=method == "POST")
        if reply is None or reply.status in (429, 503, 504):
            self._turned_away(subject, method, reply)
            await asyncio.sleep(PAUSE)
            return None
        return reply

    def _turned_away(self, subject, method, reply):
        what = "lost" if reply is None else str(reply.status)
        assert self._load.pressed, subject.tale(f"{method}: {what} {reply and reply.document}")
        if reply is not None and reply.status in (429, 503):
            assert "retry-after" in reply.headers, subject.tale(f"{reply.status} without Retry-After")
        self._load.rounds[what] += 1

    def _check(self, subject, reply):
        if not is_allocated(reply.document):
            assert self._load.pressed, subject.tale(f"answered before it was allocated: {reply.document}")
            self._load.record.waiting += 1

    def _spec(self, number):
        """A specification; some ask for an address or a port of their own."""
        make = EVERY[number % len(EVERY)] if number % 7 == 6 else self._chance.choice(MUTABLE)
        spec = headless() if make is headless else make()
        if make in MUTABLE[:2] and number < len(ASKED_ADDRESSES) and self._chance.random() < 0.3:
            spec["clusterIP"] = ASKED_ADDRESSES[number]
        if spec["type"] == "NodePort" and number < len(ASKED_PORTS) and self._chance.random() < 0.3:
            spec["ports"] = [{**spec["ports"][0], "nodePort": ASKED_PORTS[number]}, *spec["ports"][1:]]
        return spec

    def _changed(self, latest, mark):
        """The Service as it was read, as another type or with other ports."""
        old = latest["spec"]
        spec = {**headless()} if old.get("clusterIP") == "None" else self._chance.choice(MUTABLE)()
        body = service(latest["metadata"]["name"], spec)
        body["metadata"] = {
            **latest["metadata"],
            "annotations": {**latest["metadata"].get("annotations", {}), MARK: mark},
        }
        return body
