"""Many watchers and readers of two API processes, while objects change and the processes are restarted."""

import asyncio
import random

import httpx
import pytest

from tests.e2e import audit
from tests.e2e.ensemble import NAMESPACE, Ensemble, create_database
from tests.e2e.follower import Follower
from tests.e2e.waiting import eventually, until
from tests.e2e.workload import Load, storm

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


@pytest.fixture(scope="module")
def ensemble(postgres, tmp_path_factory):
    url = asyncio.run(create_database(postgres, "watched"))
    with Ensemble(url, tmp_path_factory.mktemp("watched"), reconcilers=1) as ensemble:
        yield ensemble


async def logged(ensemble):
    """Type of each change of the namespace's Services, by revision, as the log has them."""
    statement = "SELECT revision, type FROM changes WHERE kind = 'services' AND namespace = $1 ORDER BY revision"
    return dict(await audit.rows(ensemble.database_url, statement, NAMESPACE))


async def count(ensemble):
    statement = "SELECT count(*) FROM changes WHERE kind = 'services' AND namespace = $1"
    return (await audit.rows(ensemble.database_url, statement, NAMESPACE))[0][0]


@pytest.mark.parametrize(
    ("watchers", "changes", "restarts", "patience"),
    [(40, 600, 3, 60), pytest.param(500, 10_000, 12, 600, marks=pytest.mark.soak)],
)
async def test_each_receives_every_change_once_and_in_order(ensemble, watchers, changes, restarts, patience):
    """A follower resumes wherever it was cut off, at the same process, and fails if anything comes twice or late."""
    chance = random.Random(watchers)
    load = Load(ensemble.urls, NAMESPACE, range(60), pressed=True)
    followers = [Follower(lambda number=number: ensemble.urls[number % 2], NAMESPACE) for number in range(watchers)]

    async def havoc():
        for number in range(1, restarts + 1):
            await eventually(lambda number=number: reached(number * changes // (restarts + 1)), timeout=patience)
            api = ensemble.apis[number % 2]
            await asyncio.to_thread(chance.choice([api.kill, api.stop]))
            api.start()  # not from a thread: it would die with that
            await asyncio.to_thread(until, api.is_ready, timeout=60)
        await eventually(lambda: reached(changes), timeout=patience)

    async def reached(wanted):
        return await count(ensemble) >= wanted

    async def follow_to(newest):
        return all(newest in follower.events for follower in followers)

    async with asyncio.TaskGroup() as group:
        following = [group.create_task(follower.run()) for follower in followers]
        await storm([load], havoc())
        await eventually(lambda: audit.finished(ensemble.database_url))
        await audit.check_everything(ensemble.database_url, load)
        load.pressed = False
        await load.run(lambda worker: worker.delete_all())
        happened = await logged(ensemble)
        await eventually(lambda: follow_to(max(happened)), timeout=patience)
        for task in following:
            task.cancel()

    assert len(happened) >= changes
    for follower in followers:
        assert {revision: kind for revision, (kind, _) in follower.events.items()} == happened
        assert list(follower.events) == list(happened)
        assert follower.interruptions >= restarts // 2


@pytest.mark.parametrize(("size", "rounds"), [(120, 4), pytest.param(1_200, 40, marks=pytest.mark.soak)])
async def test_pages_of_two_processes_show_one_revision(ensemble, size, rounds):
    limit = size // 9
    load = Load(ensemble.urls, NAMESPACE, range(1_000, 1_000 + size))
    await load.run(lambda worker: worker.create_all())

    async def read():
        async with httpx.AsyncClient(timeout=30) as client:
            for first in range(rounds):
                await read_pages(client, ensemble.urls, first, limit)
                await load.progress(20, within=60)

    await storm([load], read())
    await load.run(lambda worker: worker.delete_all())


async def read_pages(client, urls, first, limit):
    """One list, its pages from either process in turn, and the same revision once more as a whole."""
    names, revisions, left, token = [], set(), [], ""
    while token is not None:
        url = urls[(first + len(left)) % 2]
        page = (await client.get(url + SERVICES, params={"limit": limit, "continue": token})).json()
        assert page["kind"] == "ServiceList", page
        names += [(item["metadata"]["name"], item["metadata"]["resourceVersion"]) for item in page["items"]]
        revisions.add(page["metadata"]["resourceVersion"])
        left.append(page["metadata"].get("remainingItemCount", 0))
        token = page["metadata"].get("continue")
    (revision,) = revisions
    assert len(left) > 3
    assert left == [max(0, len(names) - limit * number) for number in range(1, len(left) + 1)]
    assert names == sorted(set(names))
    for url in urls:
        exact = {"resourceVersion": revision, "resourceVersionMatch": "Exact"}
        whole = (await client.get(url + SERVICES, params=exact)).json()
        assert [(item["metadata"]["name"], item["metadata"]["resourceVersion"]) for item in whole["items"]] == names
