"""kill -9 of any process at any moment, while Services are created, updated and deleted."""

import asyncio
import random
import signal

import psutil
import pytest

from tests.e2e import audit
from tests.e2e.bodies import MUTABLE, service
from tests.e2e.client import Connection
from tests.e2e.ensemble import NAMESPACE, create_namespace
from tests.e2e.follower import Follower
from tests.e2e.serving import Serving
from tests.e2e.waiting import eventually
from tests.e2e.workload import Load, storm

VICTIMS = ("supervisor", "api", "reconciler", "postgres", "backend", "nobody")
"""A backend is one session of Postgres; nobody is killed when everything is stopped in order."""


class Product:
    """A `fairlead serve` that is started again whenever it was killed."""

    def __init__(self, data_dir):
        self.serving = Serving(data_dir)

    def url(self):
        return self.serving.url

    async def kill(self, victim, chance):
        if victim in ("supervisor", "nobody"):
            if victim == "nobody":
                assert await asyncio.to_thread(self.serving.stop, signal.SIGINT) == 0
            self.serving.process.kill()
            self.serving.process.wait()
            self.serving.process.stdout.close()
            self.serving = await asyncio.to_thread(Serving, self.serving.data_dir)
            return
        running = self.serving.children("postgres" if victim == "backend" else victim)
        if victim == "backend":
            running = [backend for postmaster in running for backend in postmaster.children()]
        try:
            chance.choice(running).kill()
        except (IndexError, psutil.NoSuchProcess):
            return  # what is just being started again cannot be killed


@pytest.fixture
def killable(tmp_path):
    product = Product(tmp_path / "data")
    create_namespace(product.url())
    yield product
    product.serving.__exit__()


@pytest.mark.parametrize(
    ("size", "clients", "rounds", "progress"),
    [(120, 8, 1, 60), pytest.param(2_000, 32, 10, 400, marks=pytest.mark.soak)],
)
async def test_nothing_acknowledged_is_lost(killable, size, clients, rounds, progress):
    chance = random.Random(size)
    load = Load([killable.url], NAMESPACE, range(size), clients=clients, pressed=True)

    async def havoc():
        order = [*VICTIMS] * rounds
        chance.shuffle(order)
        for victim in order:
            await load.progress(chance.randrange(progress), within=90)
            await killable.kill(victim, chance)
        await load.progress(progress, within=90)

    url = killable.serving.database_url
    follower = Follower(killable.url, NAMESPACE)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(follower.run())
        await storm([load], havoc())
        await eventually(lambda: audit.finished(url))
        await audit.check_everything(url, load)
        load.pressed = False
        await load.run(lambda worker: worker.delete_all())
        await eventually(lambda: audit.has_seen_all(url, NAMESPACE, follower.events))
        following.cancel()
    assert follower.interruptions > 0
    left = await audit.check_claims(url, NAMESPACE)
    assert set(left.values()) == {0}
    await audit.check_everything(url, load)


SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.soak)])
async def test_what_was_answered_is_on_the_disk_when_postgres_is_killed_that_moment(killable, rounds):
    """Some commits do not wait for the disk: unpublished Services and lease renewals. No answer may rest on them."""
    connections = [Connection(killable.url) for _ in MUTABLE]
    asking = dict(enumerate(connections))
    for turn in range(rounds):
        created = await asyncio.gather(
            *(asking[n].request("POST", SERVICES, service(f"t{turn}-{n}", make())) for n, make in enumerate(MUTABLE))
        )
        assert {reply.status for reply in created} == {201}
        # Half of the rounds end with creates, the others with what comes after them.
        answered = await change(asking, created) if turn % 2 else [reply.document for reply in created]
        kill_postgres(killable.serving)
        for document, reply in zip(answered, created, strict=True):
            path = f"{SERVICES}/{reply.document['metadata']['name']}"
            found = await eventually(lambda path=path: answer(connections[0], path))
            assert found.document == document if document else found.status == 404
    for connection in connections:
        connection.close()


async def change(asking, created):
    """Update every other Service and delete the rest; what they are afterwards, None for one that is gone."""
    documents = [reply.document for reply in created]
    requests = [
        asking[n].request("DELETE", path)
        if n % 2
        else asking[n].request("PUT", path, document | {"metadata": document["metadata"] | {"labels": {"a": "b"}}})
        for n, document in enumerate(documents)
        for path in [f"{SERVICES}/{document['metadata']['name']}"]
    ]
    replies = await asyncio.gather(*requests)
    assert {reply.status for reply in replies} == {200}
    return [None if n % 2 else reply.document for n, reply in enumerate(replies)]


def kill_postgres(serving):
    """The postmaster and every process of its own at once, with all that they had in memory."""
    postmaster = serving.child("postgres")
    for process in [postmaster, *postmaster.children(recursive=True)]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue  # it ended because the postmaster did


async def answer(connection, path):
    """What is said when Postgres is back, and nothing before that."""
    reply = await connection.request("GET", path)
    return None if reply.status >= 500 else reply
