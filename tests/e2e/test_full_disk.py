"""The disk of the database is full for a while, or slow: writes are refused or late, and nothing is lost."""

import asyncio
import contextlib
import shutil
import subprocess
from pathlib import Path

import asyncpg
import pytest

from tests.e2e import audit
from tests.e2e.client import Connection, LostError, UnreachableError
from tests.e2e.ensemble import NAMESPACE
from tests.e2e.serving import Serving
from tests.e2e.waiting import eventually
from tests.e2e.workload import Load, storm

ROOM = "400m"
MOUNT = 'mount -t tmpfs -o size="$0" fairlead "$1" && shift && exec "$@"'
REFUSED = {"503", "504"}


def may_mount():
    """Whether this machine lets a process have mounts of its own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0


@pytest.fixture
def serving(tmp_path):
    """A product whose data directory is a small disk of its own, which only its processes see."""
    if not may_mount():
        pytest.skip("needs the right to mount, as root has it")
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    with Serving(data_dir, within=("unshare", "--mount", "sh", "-c", MOUNT, ROOM, str(data_dir))) as serving:
        yield serving


def fill(filler):
    """Write a file until the disk is full."""
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 2**20):
            pass


@contextlib.asynccontextmanager
async def full(serving):
    """Somebody else's file takes all the room that is left."""
    filler = Path(f"/proc/{serving.process.pid}/root{serving.data_dir}/filler")
    await asyncio.to_thread(fill, filler)
    try:
        yield
    finally:
        await asyncio.to_thread(filler.unlink)


async def until_refused(url):
    """Write much, until there is no room for it in the log of Postgres either."""
    connection = Connection(url)
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
    for number in range(1000):
        body = {"metadata": {"name": f"large-{number}"}, "data": {"text": "x" * 500_000}}
        try:
            reply = await connection.request("POST", path, body)
        except (LostError, UnreachableError):
            continue
        if str(reply.status) in REFUSED:
            break
    else:
        raise AssertionError("everything was stored")
    connection.close()


async def test_a_full_disk_refuses_writes_and_heals(serving):
    connection = Connection(serving.url)
    reply = await connection.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    assert reply.status == 201
    load = Load([serving.url], NAMESPACE, range(40), clients=8, pressed=True)

    async def havoc():
        await load.progress(40, within=60)
        async with full(serving):
            await until_refused(serving.url)
            refused = load.rounds["503"]

            async def again():
                return load.rounds["503"] > refused

            await eventually(again, timeout=60)
            namespaces = f"/api/v1/namespaces/{NAMESPACE}?resourceVersion=0"
            assert (await connection.request("GET", namespaces)).status == 200, "what is known is still shown"
        await load.progress(40, within=60)

    await storm([load], havoc())
    assert set(load.rounds) <= {"create", "get", "update", "delete", *REFUSED}
    await eventually(lambda: audit.finished(serving.database_url))
    await audit.check_everything(serving.database_url, load)
    connection.close()


async def test_a_slow_disk_makes_writes_late_and_nothing_else(serving):
    """Each flush of Postgres' log takes a tenth of a second longer. Leases last, and nobody is refused."""
    connection = Connection(serving.url)
    await connection.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    database = await asyncpg.connect(serving.database_url)
    try:
        await database.execute("ALTER SYSTEM SET commit_delay = 100000")
        await database.execute("ALTER SYSTEM SET commit_siblings = 0")
        await database.execute("SELECT pg_reload_conf()")
        before = await database.fetch("SELECT name, epoch FROM leases ORDER BY name")
        load = Load([serving.url], NAMESPACE, range(40), clients=8)
        await load.run(lambda worker: worker.create_all())
        await load.run(lambda worker: worker.update_all())
        await load.run(lambda worker: worker.delete_all())
        assert set(load.rounds) <= {"create", "get", "update", "delete"}
        after = dict(await database.fetch("SELECT name, epoch FROM leases"))
        assert all(after[each["name"]] == each["epoch"] for each in before)
    finally:
        await database.close()
        connection.close()
