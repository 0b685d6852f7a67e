"""Without a reconciler nothing is allocated: everybody is told so, and it ends as soon as there is one again."""

import asyncio
from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.e2e.bodies import cluster_ip, service
from tests.e2e.client import Connection
from tests.e2e.ensemble import NAMESPACE, Ensemble, create_database
from tests.e2e.subject import is_allocated
from tests.e2e.waiting import eventually, until

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
CLOCK = """
    CREATE SCHEMA stepped;
    CREATE TABLE stepped.clock AS SELECT interval '0' AS by;
    CREATE FUNCTION stepped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS $$ SELECT pg_catalog.clock_timestamp() + by FROM stepped.clock $$;
    ALTER DATABASE alone SET search_path = public, stepped, pg_catalog;
"""
"""A clock that a test can set: whoever asks for `clock_timestamp()` finds this function first."""


async def execute(url, statements, *values):
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements, *values)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def ensemble(postgres, tmp_path_factory):
    url = asyncio.run(create_database(postgres, "alone"))
    asyncio.run(execute(url, CLOCK))
    directory = tmp_path_factory.mktemp("alone")
    with Ensemble(url, directory, apis=1, reconcilers=1, allocation_wait="1") as ensemble:
        yield ensemble


@pytest.fixture
async def api(ensemble):
    connection = Connection(ensemble.urls[0])
    yield connection
    connection.close()


def allocated(document):
    (found,) = (each for each in document["status"]["conditions"] if each["type"] == "Allocated")
    return found


def readiness(ensemble, query=""):
    return httpx.get(f"{ensemble.urls[0]}/readyz{query}")


def metric(ensemble):
    (line,) = (
        line
        for line in httpx.get(f"{ensemble.urls[0]}/metrics").text.splitlines()
        if line.startswith("fairlead_lease_held{")
    )
    return line


async def test_that_nobody_allocates_is_told_to_probes_to_scrapers_and_on_the_service(ensemble, api):
    (reconciler,) = ensemble.reconcilers
    assert metric(ensemble) == 'fairlead_lease_held{name="allocation"} 1.0'
    reconciler.kill()
    told = until(lambda: reply if (reply := readiness(ensemble)).status_code == 503 else None)
    assert "[+]mirror ok" in told.text
    assert "[-]allocation failed: no reconciler allocates" in told.text
    assert metric(ensemble) == 'fairlead_lease_held{name="allocation"} 0.0'
    assert readiness(ensemble, "?exclude=allocation").status_code == 200
    assert (await api.request("GET", "/livez")).status == 200

    reply = await api.request("POST", SERVICES, service("waits", cluster_ip()))
    assert reply.status == 201
    condition = allocated(reply.document)
    assert (condition["status"], condition["reason"]) == ("False", "NoReconciler")
    assert condition["message"] == "no reconciler allocates at the moment; waiting for an IPv4 ClusterIP"

    reconciler.start()
    await eventually(lambda: is_served(api, "waits"))
    until(lambda: readiness(ensemble).status_code == 200)
    assert metric(ensemble) == 'fairlead_lease_held{name="allocation"} 1.0'


async def is_served(api, name):
    return is_allocated((await api.request("GET", f"{SERVICES}/{name}")).document)


@pytest.mark.parametrize(("name", "step"), [("back", timedelta(hours=-1)), ("ahead", timedelta(hours=1))])
async def test_a_step_of_the_database_s_clock_does_not_keep_others_from_allocating(ensemble, api, name, step):
    (reconciler,) = ensemble.reconcilers
    until(lambda: readiness(ensemble).status_code == 200)
    reconciler.kill()
    await execute(ensemble.database_url, "UPDATE stepped.clock SET by = by + $1", step)
    reconciler.start()
    assert (await api.request("POST", SERVICES, service(name, cluster_ip()))).status == 201
    await eventually(lambda: is_served(api, name))
