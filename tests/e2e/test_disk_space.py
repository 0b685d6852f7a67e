"""What Postgres takes on the disk under a steady load, over hours."""

import asyncio
import itertools
import os
import time

import asyncpg
import pytest

from tests.e2e.bodies import node_port, service
from tests.e2e.client import Connection
from tests.e2e.serving import Serving

SERVICES = "/api/v1/namespaces/default/services"
PATCH = {"Content-Type": "application/merge-patch+json"}
SIZE = 200
REQUESTS = 30
"""Writes a second. With the changes of slices and Endpoints that follow, the log has more rows after ten minutes than
it keeps in any case."""
FULL = 720.0
"""Seconds until the log has its length, and has been compacted twice."""
SETTLED = 300.0
"""Seconds from then on whose sizes are compared with all later ones."""
SECONDS = float(os.environ.get("FAIRLEAD_SOAK_SECONDS", "7200"))
TABLES = ("objects", "changes", "batches", "leases", "cluster_ips", "node_ports")
SIZES = "SELECT t, pg_total_relation_size(t::regclass) FROM unnest($1::text[]) t"


async def change(url, end):
    """Create, update and delete Services at a steady rate; their number stays the same."""
    connection = Connection(url)
    try:
        names = [f"first-{number}" for number in range(SIZE)]
        for name in names:
            await create(connection, name)
        begin = time.monotonic()
        for number in itertools.count():
            await asyncio.sleep(begin + 3 * number / REQUESTS - time.monotonic())
            if time.monotonic() > end:
                break
            at = number % SIZE
            path = f"{SERVICES}/{names[at]}"
            annotations = {"metadata": {"annotations": {"text": "x" * (number * 37 % 500)}}}
            assert (await connection.request("PATCH", path, annotations, PATCH)).status == 200
            assert (await connection.request("DELETE", path)).status == 200
            names[at] = f"next-{number}"
            await create(connection, names[at])
    finally:
        connection.close()


async def create(connection, name):
    reply = await connection.request("POST", SERVICES, service(name, node_port()))
    assert reply.status == 201, reply.document


async def sample(database_url, until):
    """The sizes of the tables, every ten seconds."""
    samples = []
    connection = await asyncpg.connect(database_url)
    try:
        while time.monotonic() < until:
            rows = await connection.fetch(SIZES, TABLES)
            samples.append(dict(map(tuple, rows)))
            await asyncio.sleep(10)
    finally:
        await connection.close()
    return samples


@pytest.mark.soak
async def test_no_table_grows_under_a_steady_load(tmp_path):
    with Serving(tmp_path / "data") as serving:
        begin = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(change(serving.url, begin + SECONDS))
            await sample(serving.database_url, begin + FULL)
            settled = await sample(serving.database_url, begin + FULL + SETTLED)
            later = await sample(serving.database_url, begin + SECONDS)
    for table in TABLES:
        first, last = (max(sizes[table] for sizes in samples) for samples in (settled, later))
        # A small table may have some pages more.
        assert last <= 1.1 * first + 2**18, (table, [sizes[table] for sizes in settled + later])
