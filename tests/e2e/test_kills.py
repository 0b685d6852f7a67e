"""kill -9 of any process at any moment, while Services are created, updated and deleted."""

import asyncio
import random
import signal

import psutil
import pytest

from tests.e2e import audit
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
