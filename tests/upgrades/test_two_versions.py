"""The version before this one and this one on one database, under load: nothing is lost, and no client is misled."""

import asyncio
import re
import subprocess
import sys

import httpx
import pytest

from app import __version__
from app.store.migrating import migrate, steps, way
from app.supervisor.binaries import binaries
from app.supervisor.postgres import EmbeddedPostgres
from tests.e2e import audit
from tests.e2e.ensemble import NAMESPACE, Ensemble, create_database
from tests.e2e.follower import Follower
from tests.e2e.serving import Serving
from tests.e2e.waiting import eventually
from tests.e2e.workload import Load, storm
from tests.upgrades.next_version import NEXT, become_next
from tests.upgrades.versions import kept_wheel, unpack

FORWARD = (
    "ALTER TABLE objects ADD COLUMN colour text NOT NULL DEFAULT 'red'",
    "ALTER TABLE leases ADD COLUMN colour text",
    "CREATE INDEX objects_colour ON objects (colour)",
)
BACK = ("ALTER TABLE objects DROP COLUMN colour", "ALTER TABLE leases DROP COLUMN colour")

OLD_VERSION = kept_wheel().name.split("-")[1]


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture
def ensemble(postgres, old, tmp_path):
    """Processes of the version before, which has migrated the database."""
    url = asyncio.run(create_database(postgres, f"two_versions_{tmp_path.name[-8:]}"))
    with Ensemble(url, tmp_path, tree=old, allocation_wait="30") as ensemble:
        yield ensemble


def versions(ensemble):
    """The versions of the API processes, as they say it themselves."""
    found = []
    for api in ensemble.apis:
        lines = httpx.get(f"{api.url}/metrics", timeout=60).text
        found.append(re.search(r'fairlead_build_info\{[^}]*version="([^"]*)"', lines)[1])
    return found


@pytest.mark.parametrize(("size", "clients"), [(24, 4), pytest.param(2_000, 32, marks=pytest.mark.soak)])
async def test_an_upgrade_without_a_gap(ensemble, size, clients, tmp_path, monkeypatch):
    """One API process and one reconciler are replaced; the old ones start again beside them, and are replaced, too.

    There is one more migration than this version has, so that something is migrated even where no schema lies between.
    """
    load = Load(ensemble.urls, NAMESPACE, range(size), clients=clients, pressed=True)
    (old_api, new_api), (old_reconciler, new_reconciler) = ensemble.apis, ensemble.reconcilers
    old = old_api.tree
    become_next(tmp_path, monkeypatch, known_schema(old), FORWARD, BACK)
    follower = Follower(lambda: old_api.url, NAMESPACE)

    async def work(*, without=None):
        """The clients get on, if need be without a process that is killed for that time."""
        if without is not None:
            without.kill()
        await load.progress(size, within=200)
        if without is not None:
            without.start()
            await asyncio.to_thread(ensemble.wait)

    async def start_again(*processes, tree):
        for process in processes:
            process.stop()
            process.tree = tree
            process.start()
        await asyncio.to_thread(ensemble.wait)
        await work()

    async def upgrade():
        await work()
        done = await asyncio.to_thread(migrate, ensemble.database_url)
        assert [(peers.version, peers.count) for peers in done.peers] == [(OLD_VERSION, 4)]
        assert done.steps[-1].schema == NEXT
        await work()
        await start_again(new_api, new_reconciler, tree=None)
        assert versions(ensemble) == [OLD_VERSION, __version__]
        # What is started again in the middle of an upgrade is still of the version before.
        await start_again(old_api, old_reconciler, tree=old)
        assert versions(ensemble) == [OLD_VERSION, __version__]
        # The old reconciler allocates for the new API process, too, and the new one for the old.
        await work(without=new_reconciler)
        await work(without=old_reconciler)
        await start_again(old_api, old_reconciler, tree=None)
        planned = await asyncio.to_thread(way, ensemble.database_url)
        assert [(peers.version, peers.count) for peers in planned.peers] == [(__version__, 4)]

    async with asyncio.TaskGroup() as group:
        following = group.create_task(follower.run())
        await storm([load], upgrade())
        await eventually(lambda: audit.finished(ensemble.database_url))
        await eventually(lambda: audit.has_seen_all(ensemble.database_url, NAMESPACE, follower.events))
        following.cancel()
    assert load.record.waiting == 0
    await audit.check_everything(ensemble.database_url, load)


async def test_back_to_the_version_before_with_what_the_new_one_has_stored(ensemble):
    """Objects of a kind, and fields, that the version before does not know harm it neither at its start nor later."""
    url, (api, _) = ensemble.database_url, ensemble.apis
    await asyncio.to_thread(migrate, url)
    services = f"{api.url}/api/v1/namespaces/{NAMESPACE}/services"
    spec = {"ports": [{"port": 80}]}
    async with httpx.AsyncClient(timeout=30) as client:
        assert (await client.post(services, json={"metadata": {"name": "web"}, "spec": spec})).status_code == 201
        await store_as_a_newer_version_would(url)
        listed = (await client.get(services)).json()
        assert [item["spec"].get("colour") for item in listed["items"]] == ["red"]
        for process in [*ensemble.apis, *ensemble.reconcilers]:
            process.stop()
            process.start()
        await asyncio.to_thread(ensemble.wait)
        merge = {"content-type": "application/merge-patch+json"}
        patched = await client.patch(f"{services}/web", json={"metadata": {"labels": {"a": "b"}}}, headers=merge)
        assert patched.status_code == 200, patched.json()
        assert patched.json()["metadata"]["labels"] == {"a": "b"}
        assert "colour" not in patched.json()["spec"]
    (left,) = await audit.rows(url, "SELECT count(*) FROM objects WHERE kind = 'colours.example.org'")
    assert left[0] == 1


def test_serve_goes_forward_and_back_on_one_data_directory(old, tmp_path, monkeypatch):
    before = {"program": (sys.executable, "-m", "app.cli"), "cwd": old}
    services = "/api/v1/namespaces/default/services"
    spec = {"type": "NodePort", "ports": [{"port": 80}]}
    with Serving(tmp_path / "data", **before) as serving:
        made = httpx.post(
            f"{serving.url}{services}", json={"metadata": {"name": "web"}, "spec": spec}, timeout=30
        ).json()
    with Serving(tmp_path / "data") as serving:
        assert httpx.get(f"{serving.url}{services}/web", timeout=30).json() == made
    become_next(tmp_path, monkeypatch, known_schema(old), FORWARD, BACK)
    with EmbeddedPostgres(tmp_path / "data") as postgres:
        assert migrate(postgres.url()).target == NEXT
    with Serving(tmp_path / "data", **before) as serving:
        assert "nothing to migrate" in serving.errors.read_text()
        assert httpx.get(f"{serving.url}{services}/web", timeout=30).json() == made
        document = {"metadata": {"name": "later"}, "spec": spec}
        assert httpx.post(f"{serving.url}{services}", json=document, timeout=30).status_code == 201


async def store_as_a_newer_version_would(url):
    """An object of a kind that nobody here knows, and a field of a Service that nobody here knows."""
    statements = (
        """
        WITH made AS (
            INSERT INTO objects (uid, kind, namespace, name, revision, pending, body)
            SELECT gen_random_uuid(), 'colours.example.org', '', 'red', nextval('revisions'), false,
                '{"apiVersion":"example.org/v1","kind":"Colour","metadata":{"name":"red"}}'
            RETURNING *
        )
        INSERT INTO changes (revision, kind, namespace, name, uid, type, body)
        SELECT revision, kind, namespace, name, uid, 'ADDED', body FROM made
        """,
        """
        WITH before AS (SELECT * FROM objects WHERE kind = 'services' AND name = 'web'), changed AS (
            UPDATE objects o SET revision = nextval('revisions'), body = convert_to(
                replace(convert_from(o.body, 'utf8'), '"spec":{', '"spec":{"colour":"red",'), 'utf8')
            FROM before WHERE o.uid = before.uid
            RETURNING o.*, before.body AS previous_body, before.revision AS previous_revision
        )
        INSERT INTO changes (revision, kind, namespace, name, uid, type, body, previous_body, previous_revision)
        SELECT revision, kind, namespace, name, uid, 'MODIFIED', body, previous_body, previous_revision FROM changed
        """,
    )
    for statement in statements:
        await audit.rows(url, statement)


def test_no_migration_ends_the_time_of_the_version_before(old):
    """A release expands what the one before works with, and contracts only what that one does not use."""
    known = known_schema(old)
    later = [step for step in steps() if step.schema > known]
    assert [step.schema for step in later if step.oldest > known] == []


def test_released_migrations_stay_as_they_are(postgres, old):
    """A database that the version before has migrated would lack what is changed in them."""
    by_old, by_new = (asyncio.run(create_database(postgres, name)) for name in ("by_old", "by_new"))
    Ensemble(by_old, old, apis=0, reconcilers=0, tree=old)
    migrate(by_new, known_schema(old))
    assert schema_of(by_new) == schema_of(by_old)


def schema_of(url):
    dumped = subprocess.run(
        [binaries(None) / "pg_dump", "--schema-only", url], capture_output=True, text=True, check=True
    )
    # A dump begins and ends with a word of its own, against injected commands of psql.
    return [line for line in dumped.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def known_schema(tree):
    text = (tree / "app" / "store" / "compatibility.py").read_text()
    return re.search(r'^HEAD = "(\d+)"', text, re.MULTILINE)[1]
