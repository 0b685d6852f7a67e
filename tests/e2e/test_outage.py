"""Postgres is away for a while, under load: everybody is told the truth, and everything goes on when it is back."""

import asyncio
import time
from contextlib import asynccontextmanager

import psutil
import pytest

from tests.e2e import audit
from tests.e2e.client import Connection
from tests.e2e.ensemble import NAMESPACE, Ensemble, create_database
from tests.e2e.pausing import resume, suspend
from tests.e2e.waiting import eventually
from tests.e2e.workload import Load, storm


@pytest.fixture(scope="module")
def ensemble(postgres, tmp_path_factory):
    url = asyncio.run(create_database(postgres, "outage"))
    with Ensemble(url, tmp_path_factory.mktemp("outage"), apis=2, reconcilers=1) as ensemble:
        yield ensemble


@asynccontextmanager
async def stopped(postgres):
    """Ended as an operator ends it: sessions are cut, and nobody listens."""
    await asyncio.to_thread(postgres.stop)
    try:
        yield
    finally:
        postgres.spawn()
        deadline = time.monotonic() + 60
        while not postgres.ready(deadline):
            await asyncio.sleep(0.02)


@asynccontextmanager
async def frozen(postgres):
    """Paused with all its sessions open: whoever asks gets no answer at all."""
    processes = [psutil.Process(postgres.pid), *psutil.Process(postgres.pid).children(recursive=True)]
    suspend(processes)
    try:
        yield
    finally:
        resume(processes)


@pytest.mark.parametrize("away", [stopped, frozen])
@pytest.mark.parametrize(("size", "seconds"), [(60, 5), pytest.param(2_000, 10, marks=pytest.mark.soak)])
async def test_nothing_is_lost_and_nobody_is_told_a_lie(ensemble, postgres, away, size, seconds):
    load = Load(ensemble.urls, NAMESPACE, range(size), pressed=True)

    async def havoc():
        await load.progress(size, within=60)
        async with away(postgres):
            await asyncio.sleep(seconds)  # as long as it is away, which is what is tested
        await load.progress(size, within=30)

    await storm([load], havoc())
    told = {what: count for what, count in load.rounds.items() if what not in ("create", "get", "update", "delete")}
    assert told["503"] > 0
    assert set(told) <= {"503", "504"}, "no connection is lost, and nothing else is said"
    await eventually(lambda: audit.finished(ensemble.database_url))
    await audit.check_everything(ensemble.database_url, load)
    load.pressed = False
    await load.run(lambda worker: worker.delete_all())
    left = await audit.check_claims(ensemble.database_url, NAMESPACE)
    assert set(left.values()) == {0}


async def test_health_tells_readiness_from_life(ensemble, postgres):
    (connection, *_) = map(Connection, ensemble.urls)
    async with stopped(postgres):
        ready = await eventually(lambda: _unless(connection, "/readyz", 200))
        assert ready.status == 503
        assert (await connection.request("GET", "/livez")).status == 200
    assert (await eventually(lambda: _unless(connection, "/readyz", 503))).status == 200
    connection.close()


async def _unless(connection, path, status):
    reply = await connection.request("GET", path)
    return None if reply.status == status else reply
