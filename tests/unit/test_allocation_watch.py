"""When an API process says that nobody allocates."""

import asyncio

import pytest

from app.domain.errors import ServiceUnavailable
from app.startup.allocation_watch import GRACE_SECONDS, AllocationWatch
from app.telemetry.exposition import exposition

pytestmark = pytest.mark.anyio


class FakeLeases:
    """One lease, and a database that may be away."""

    held = True
    reachable = True
    asked = 0

    async def is_held(self, name):
        assert name == "allocation"
        self.asked += 1
        if not self.reachable:
            raise ServiceUnavailable("the database cannot be reached")
        return self.held


@pytest.fixture
def leases():
    return FakeLeases()


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def watch(leases, clock):
    return AllocationWatch(leases, "allocation", lambda: clock[0])


def gauge():
    (line,) = (line for line in exposition()[0].decode().splitlines() if line.startswith("fairlead_lease_held{"))
    return line


async def test_before_it_has_looked_nobody_allocates(watch):
    assert not watch.allocates()
    with pytest.raises(ServiceUnavailable, match="no reconciler allocates"):
        await watch.check()


@pytest.mark.parametrize("trouble", ["held", "reachable"])
async def test_while_another_may_take_over_nobody_is_told(watch, leases, clock, trouble):
    assert await watch.look()
    await watch.check()
    assert gauge() == 'fairlead_lease_held{name="allocation"} 1.0'
    setattr(leases, trouble, False)
    clock[0] += GRACE_SECONDS - 0.1
    assert not await watch.look()
    await watch.check()
    clock[0] += 0.1
    assert not await watch.look()
    with pytest.raises(ServiceUnavailable):
        await watch.check()
    assert gauge() == 'fairlead_lease_held{name="allocation"} 0.0'
    setattr(leases, trouble, True)
    await watch.look()
    await watch.check()


async def test_to_ask_the_watch_costs_no_query(watch, leases):
    await watch.look()
    for _ in range(10):
        await watch.check()
    assert leases.asked == 1


async def test_a_start_waits_for_a_reconciler_but_not_for_ever(watch, leases, clock, monkeypatch):
    leases.held = False

    async def pass_time(seconds):
        clock[0] += seconds
        leases.held = comes and leases.asked > 3

    monkeypatch.setattr(asyncio, "sleep", pass_time)
    comes = False
    await watch.wait(1.0)
    assert not watch.allocates()
    comes = True
    await watch.wait(1.0)
    assert watch.allocates()
