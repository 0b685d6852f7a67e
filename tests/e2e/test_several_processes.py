"""Two API processes and two reconcilers on one Postgres: any may be killed or paused, and none shows the past."""

import asyncio
import logging
import os
import random
import subprocess
import sys
import time

import pytest

from tests.e2e import audit
from tests.e2e.bodies import INTERNAL, cluster_ip, load_balancer, node_port, service
from tests.e2e.client import Connection, LostError
from tests.e2e.ensemble import NAMESPACE, Ensemble, Process, create_database
from tests.e2e.subject import Record, is_allocated
from tests.e2e.waiting import eventually
from tests.e2e.workload import Load, storm

_log = logging.getLogger(__name__)

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


@pytest.fixture(scope="module")
def ensemble(postgres, tmp_path_factory):
    url = asyncio.run(create_database(postgres, "several"))
    # Nobody has to wait that long: whoever owns allocation next is in time for every request.
    with Ensemble(url, tmp_path_factory.mktemp("several"), allocation_wait="30", log_level="debug") as ensemble:
        yield ensemble


@pytest.mark.parametrize("rounds", [20, pytest.param(1_000, marks=pytest.mark.soak)])
async def test_what_one_process_wrote_the_other_shows(ensemble, rounds):
    here, there = map(Connection, ensemble.urls)
    for number in range(rounds):
        created = await here.request("POST", SERVICES, service(f"seen-{number}", cluster_ip()))
        path = f"{SERVICES}/seen-{number}"
        assert (created.status, is_allocated(created.document)) == (201, True)
        assert (await there.request("GET", path)).document == created.document
        listed = await there.request("GET", SERVICES)
        assert created.document["metadata"]["name"] in {item["metadata"]["name"] for item in listed.document["items"]}

        changed = created.document | {"spec": created.document["spec"] | node_port()}
        updated = await there.request("PUT", path, changed)
        assert updated.status == 200, updated.document
        assert (await here.request("GET", path)).document == updated.document
        assert (await here.request("PUT", path, created.document)).reason == "Conflict"
        again = await there.request("POST", SERVICES, service(f"seen-{number}", cluster_ip()))
        assert again.reason == "AlreadyExists"

        assert (await here.request("DELETE", path)).status == 200
        assert (await there.request("GET", path)).status == 404
        assert (await there.request("DELETE", path)).status == 404
        here, there = there, here
    here.close()
    there.close()


@pytest.mark.parametrize("size", [64, pytest.param(2_000, marks=pytest.mark.soak)])
async def test_clients_of_both_see_one_truth(ensemble, size):
    load = Load(ensemble.urls, NAMESPACE, range(size))
    await load.run(lambda worker: worker.create_all())
    await storm([load], load.progress(4 * size, within=600))
    await audit.check_everything(ensemble.database_url, load)
    await load.run(lambda worker: worker.delete_all())
    left = await audit.check_claims(ensemble.database_url, NAMESPACE)
    assert set(left.values()) == {0}


async def test_a_server_that_stops_tells_who_still_waits_that_the_outcome_is_open(ensemble):
    api, other = ensemble.apis
    waiting, asking = Connection(api.url), Connection(other.url)
    for reconciler in ensemble.reconcilers:
        reconciler.pause()
    try:
        creating = asyncio.create_task(waiting.request("POST", SERVICES, left_to_the_reconciler("open")))
        await eventually(lambda: is_stored(ensemble.database_url, "open"))
        await asyncio.to_thread(api.stop)
    finally:
        for reconciler in ensemble.reconcilers:
            reconciler.resume()
    answer = await creating
    assert (answer.status, answer.reason) == (504, "Timeout")
    api.start()
    await asyncio.to_thread(ensemble.wait)
    await eventually(lambda: audit.finished(ensemble.database_url))
    made = await asking.request("GET", f"{SERVICES}/open")
    assert is_allocated(made.document)
    await asking.request("DELETE", f"{SERVICES}/open")
    waiting.close()
    asking.close()


async def test_a_name_that_a_killed_process_holds_is_refused_once_its_object_can_be_read(ensemble):
    api, other = ensemble.apis
    lost, creating, deleting, reading = Connection(api.url), *(Connection(other.url) for _ in range(3))
    for reconciler in ensemble.reconcilers:
        reconciler.pause()
    try:
        first = asyncio.create_task(lost.request("POST", SERVICES, left_to_the_reconciler("unseen")))
        await eventually(lambda: is_stored(ensemble.database_url, "unseen"))
        second = asyncio.create_task(creating.request("POST", SERVICES, service("unseen", cluster_ip())))
        third = asyncio.create_task(deleting.request("DELETE", f"{SERVICES}/unseen?dryRun=All"))
        api.kill()
        with pytest.raises(LostError):
            await first
        assert (await reading.request("GET", f"{SERVICES}/unseen")).status == 404
        assert not second.done()
        assert not third.done()
    finally:
        for reconciler in ensemble.reconcilers:
            reconciler.resume()
    assert (await second).reason == "AlreadyExists"
    assert (await third).status == 200
    assert is_allocated((await reading.request("GET", f"{SERVICES}/unseen")).document)
    assert (await reading.request("DELETE", f"{SERVICES}/unseen")).status == 200
    api.start()
    await asyncio.to_thread(ensemble.wait)
    for connection in (lost, creating, deleting, reading):
        connection.close()


def left_to_the_reconciler(name):
    """A Service that no stock has everything for: it asks for an address."""
    return service(name, load_balancer() | {"loadBalancerIP": "10.224.7.7"}, annotations=INTERNAL)


async def is_stored(url, name):
    (row,) = await audit.rows(url, "SELECT count(*) FROM objects WHERE kind = 'services' AND name = $1", name)
    return row[0] == 1


@pytest.mark.parametrize(("lose", "find"), [(Process.pause, Process.resume), (Process.kill, Process.start)])
@pytest.mark.parametrize(
    ("size", "clients", "turns", "within"),
    [(48, 4, 1, 15.0), pytest.param(2_000, 16, 5, 3.0, marks=pytest.mark.soak)],
)
async def test_others_go_on_when_one_is_lost_in_the_middle_of_a_write(
    ensemble, lose, find, size, clients, turns, within
):
    """Clients of a lost process are busy with it until it is back; those of the others must not notice."""
    chance = random.Random(size)
    record = Record()
    loads = {
        api: Load([api.url], NAMESPACE, range(first, 2 * size, 2), clients=clients, pressed=True, record=record)
        for first, api in enumerate(ensemble.apis)
    }

    async def havoc():
        for victim in [*ensemble.apis, *ensemble.reconcilers] * turns:
            others = [api for api in ensemble.apis if api is not victim]
            await loads[others[0]].progress(chance.randrange(size), within=60)
            lose(victim)
            seconds = await asyncio.gather(*(time_of_a_service(api.url, within) for api in others))
            _log.info("others went on after %.2f seconds", max(seconds))
            for api in others:
                await loads[api].progress(size // 2, within=60)
            find(victim)
            await asyncio.to_thread(ensemble.wait)

    await storm(loads.values(), havoc())
    assert record.waiting == 0
    await eventually(lambda: audit.finished(ensemble.database_url))
    for load in loads.values():
        await audit.check_everything(ensemble.database_url, load)
        load.pressed = False
        await load.run(lambda worker: worker.delete_all())
    left = await audit.check_claims(ensemble.database_url, NAMESPACE)
    assert set(left.values()) == {0}


async def time_of_a_service(url, within):
    """Seconds until a new Service is there, whole; fails beyond the limit."""
    started = time.monotonic()
    connection = Connection(url)
    name = f"probe-{url.rpartition(':')[2]}"
    async with asyncio.timeout(within):
        reply = await connection.request("POST", SERVICES, service(name, cluster_ip()))
    seconds = time.monotonic() - started
    assert (reply.status, is_allocated(reply.document)) == (201, True), reply.document
    assert (await connection.request("DELETE", f"{SERVICES}/{name}")).status == 200
    connection.close()
    return seconds


async def test_an_api_process_lets_nobody_in_before_somebody_allocates(ensemble):
    api, _ = ensemble.apis
    for process in (*ensemble.reconcilers, api):
        await asyncio.to_thread(process.stop)
    before = len(api.log.read_text())
    api.start()
    await eventually(lambda: said(api, before, "no reconciler allocates yet"))
    assert not await asyncio.to_thread(api.is_ready)
    for reconciler in ensemble.reconcilers:
        reconciler.start()
    await asyncio.to_thread(ensemble.wait)


async def said(process, since, what):
    return what in process.log.read_text()[since:]


async def test_a_process_with_another_domain_is_refused(ensemble):
    environment = os.environ | {
        "FAIRLEAD_DATABASE_URL": ensemble.database_url,
        "FAIRLEAD_CLUSTER_DOMAIN": "other.example",
    }
    command = [sys.executable, "-m", "app.cli", "reconciler", "--health-port", "0"]
    refused = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 1
    assert "--cluster-domain is other.example here and cluster.local there" in refused.stderr
