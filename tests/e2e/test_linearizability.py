"""Clients that fight for the same Services, through several API processes and faults of every kind: one truth."""

import asyncio
import itertools
import logging
import math
import os
import random
import time
from collections import defaultdict
from functools import partial

import pytest

from tests.e2e import audit
from tests.e2e.bodies import cluster_ip, node_port, service
from tests.e2e.client import Connection, LostError, UnreachableError
from tests.e2e.ensemble import NAMESPACE, Ensemble, create_database
from tests.e2e.follower import Follower
from tests.e2e.histories import Operation, is_linearizable
from tests.e2e.subject import mark_of
from tests.e2e.test_outage import frozen, stopped
from tests.e2e.waiting import eventually

_log = logging.getLogger(__name__)

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
ANSWERS = {
    ("create", 201): "done",
    ("create", 409): "exists",
    ("replace", 200): "done",
    ("replace", 409): "conflict",
    ("replace", 404): "absent",
    ("delete", 200): "done",
    ("delete", 404): "absent",
    ("read", 200): "done",
    ("read", 404): "absent",
}
NOTHING_HAPPENED = (429, 503)
_marks = itertools.count(1)


@pytest.fixture
def ensemble(postgres, tmp_path):
    url = asyncio.run(create_database(postgres, f"histories_{next(_marks)}"))
    with Ensemble(url, tmp_path) as ensemble:
        yield ensemble


class Client:
    """One of several that work on the same Services; it notes every request with its answer."""

    def __init__(self, urls, names, histories, chance):
        self._connections = [Connection(url) for url in urls]
        self._names = names
        self._histories = histories
        self._chance = chance
        self._seen = {}

    async def work(self, over):
        try:
            while not over.is_set():
                await self._step(self._chance.choice(self._names))
        finally:
            for connection in self._connections:
                connection.close()

    async def _step(self, name):
        latest = self._seen.get(name)
        verb = self._chance.choices(("create", "replace", "delete", "read"), (2, 4 if latest else 0, 1, 4))[0]
        mark = None if verb in ("delete", "read") else str(next(_marks))
        begin = time.monotonic()
        try:
            reply = await self._ask(verb, name, mark, latest)
        except UnreachableError:
            await asyncio.sleep(0.1)
            return
        except LostError:
            reply = None
        if reply is not None and reply.status in NOTHING_HAPPENED:
            await asyncio.sleep(0.1)
            return
        self._note(verb, name, mark, latest, begin, reply)

    async def _ask(self, verb, name, mark, latest):
        ask = partial(self._chance.choice(self._connections).request)
        make = self._chance.choice((cluster_ip, node_port))
        if verb == "create":
            return await ask("POST", SERVICES, service(name, make(), mark=mark))
        if verb == "replace":
            document = service(name, make(), mark=mark)
            document["metadata"]["resourceVersion"] = latest["metadata"]["resourceVersion"]
            return await ask("PUT", f"{SERVICES}/{name}", document)
        return await ask("DELETE" if verb == "delete" else "GET", f"{SERVICES}/{name}")

    def _note(self, verb, name, mark, latest, begin, reply):
        expected = mark_of(latest) if verb == "replace" else None
        if reply is None or reply.status == 504:
            if verb != "read":
                self._histories[name].append(Operation(verb, begin, math.inf, "unknown", mark, expected))
            return
        answer, end = ANSWERS[verb, reply.status], time.monotonic()
        shown = mark_of(reply.document) if answer == "done" and verb != "delete" else None
        if shown is None:
            self._seen.pop(name, None)
        else:
            self._seen[name] = reply.document
        if verb != "read":
            self._histories[name].append(Operation(verb, begin, end, answer, mark, expected))
        # The answer to a write that waited for its allocation shows the object as it is then, as a read would.
        if verb == "read" or shown not in (None, mark):
            self._histories[name].append(Operation("read", begin, end, answer, shown))


async def faults(ensemble, postgres, chance, seconds):
    """One after the other, with some time for work in between."""
    end = time.monotonic() + seconds
    kinds = itertools.cycle(chance.sample(range(6), 6))
    while time.monotonic() < end:
        await asyncio.sleep(chance.uniform(0.2, 1.0))  # it is the faults that come at any time
        process = chance.choice([*ensemble.apis, *ensemble.reconcilers])
        match next(kinds):
            case 0:
                process.kill()
                process.start()
                await asyncio.to_thread(ensemble.wait)
            case 1:
                process.pause()
                await asyncio.sleep(chance.uniform(0, 3))
                process.resume()
            case 2:
                await cut_sessions(ensemble.database_url)
            case 3:
                async with stopped(postgres):
                    pass
            case 4:
                async with frozen(postgres):
                    await asyncio.sleep(chance.uniform(0, 3))
            case 5:
                postgres._process.kill()
                await asyncio.to_thread(postgres._process.wait)
                await asyncio.to_thread(postgres.start)


async def cut_sessions(url):
    await audit.rows(
        url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fairlead%'"
    )


@pytest.mark.parametrize(
    ("names", "clients", "seconds"),
    [
        (12, 6, 8),
        pytest.param(64, 16, float(os.environ.get("FAIRLEAD_SOAK_SECONDS", "300")), marks=pytest.mark.soak),
    ],
)
async def test_all_clients_see_one_truth_through_faults_of_every_kind(ensemble, postgres, names, clients, seconds):
    chance = random.Random(clients)
    histories = defaultdict(list)
    subjects = [f"h-{number}" for number in range(names)]
    workers = [Client(ensemble.urls, subjects, histories, random.Random(number)) for number in range(clients)]
    followers = [Follower(lambda url=url: url, NAMESPACE) for url in ensemble.urls]
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        following = [group.create_task(follower.run()) for follower in followers]
        working = [group.create_task(worker.work(over)) for worker in workers]
        await faults(ensemble, postgres, chance, seconds)
        over.set()
        await asyncio.wait(working)
        await eventually(lambda: audit.finished(ensemble.database_url))
        for follower in followers:
            events = follower.events
            await eventually(lambda events=events: audit.has_seen_all(ensemble.database_url, NAMESPACE, events))
        for task in following:
            task.cancel()
    await audit.check_claims(ensemble.database_url, NAMESPACE)
    for name, history in histories.items():
        assert is_linearizable(history), "\n".join(map(str, [name, *sorted(history, key=lambda each: each.begin)]))
    unknown = sum(each.answer == "unknown" for history in histories.values() for each in history)
    _log.info("%d operations, %d of them unknown, are linearizable", sum(map(len, histories.values())), unknown)
