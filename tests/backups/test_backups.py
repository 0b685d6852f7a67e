"""Backup and restore, with the commands that an operator gives: nothing is missing, and clients go on safely."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.store.migrating import migrate
from app.supervisor.postgres import EmbeddedPostgres
from tests.e2e.bodies import load_balancer, node_port, service
from tests.e2e.serving import Serving
from tests.e2e.waiting import until

SERVICES = "/api/v1/namespaces/default/services"
SECRETS = "/api/v1/namespaces/default/secrets"


def fairlead(*arguments, status=0):
    """Run a command; what it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def create(serving, path, document):
    reply = httpx.post(f"{serving.url}{path}", json=document, timeout=30)
    assert reply.status_code == 201, reply.text
    return reply.json()


def items(serving, path):
    found = httpx.get(f"{serving.url}{path}", timeout=30).json()["items"]
    # The Service `kubernetes` follows the port, which is another one after each start.
    return {item["metadata"]["name"]: item for item in found if item["metadata"]["name"] != "kubernetes"}


def watch_from(serving, revision):
    """The first event that a client gets which knew this revision."""
    query = f"watch=true&resourceVersion={revision}&timeoutSeconds=1"
    return httpx.get(f"{serving.url}{SERVICES}?{query}", timeout=30).json()


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "backup-keys"
    path.write_text(b64encode(bytes(32)).decode())
    path.chmod(0o600)
    return path


def test_what_was_backed_up_is_restored_and_clients_list_again(tmp_path, keys):
    backup = tmp_path / "backup"
    with Serving(tmp_path / "data") as serving:
        create(serving, SERVICES, service("web", node_port()))
        create(serving, SERVICES, service("front", load_balancer()))
        create(serving, SECRETS, {"metadata": {"name": "token"}, "stringData": {"key": "hidden words"}})
        said = fairlead("backup", "--data-dir", tmp_path / "data", "--file", backup, "--backup-key-file", keys)
        assert "restored to compare" in said
        before = items(serving, SERVICES)
        later = create(serving, SERVICES, service("later", node_port()))
        secret = items(serving, SECRETS)
    assert b"web" not in backup.read_bytes()
    restore = ("restore", "--data-dir", tmp_path / "new", "--file", backup, "--backup-key-file", keys)
    said = fairlead(*restore, status=1)
    assert "give --encryption-key-file with a copy of the file" in said
    fairlead(*restore, "--encryption-key-file", tmp_path / "data" / "encryption-keys")
    with Serving(tmp_path / "new") as serving:
        assert items(serving, SERVICES) == before
        assert items(serving, SECRETS) == secret
        ended = watch_from(serving, later["metadata"]["resourceVersion"])
        assert (ended["type"], ended["object"]["code"]) == ("ERROR", 410)
        again = create(serving, SERVICES, service("later", node_port()))
        assert int(again["metadata"]["resourceVersion"]) > int(later["metadata"]["resourceVersion"]) + 10**8
    assert "has a database already" in fairlead(*restore, status=1)


def test_a_database_of_ones_own_is_backed_up_and_restored(postgres, tmp_path):
    backup = tmp_path / "backup"
    source, target, *_ = databases = [f"backup_{name}" for name in ("source", "target", "broken")]
    create_databases(postgres, databases)
    migrate(postgres.url(source))
    run(postgres.url(source), "INSERT INTO settings (name, value) VALUES ('database', 'another')")
    fairlead("backup", "--database-url", postgres.url(source), "--file", backup)
    assert run(postgres.url(source), "SELECT value FROM settings WHERE name = 'last-backup/dump'") is not None
    said = fairlead("restore", "--database-url", postgres.url(source), "--file", backup, status=1)
    assert "the database is not empty" in said
    fairlead("restore", "--database-url", postgres.url(target), "--file", backup)
    assert run(postgres.url(target), "SELECT compacted FROM compaction") > 10**8
    # What is cut off is not restored in part.
    backup.write_bytes(backup.read_bytes()[:-2000])
    said = fairlead("restore", "--database-url", postgres.url("backup_broken"), "--file", backup, status=1)
    assert "pg_restore failed" in said
    assert run(postgres.url("backup_broken"), "SELECT to_regclass('objects')") is None


def create_databases(postgres, names):
    for name in names:
        run(postgres.url("postgres"), f"CREATE DATABASE {name}")


def run(url, statement):
    async def ask():
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.fixture
def archive():
    """A directory for which the user that runs Postgres needs no access to anybody's."""
    path = Path(tempfile.mkdtemp(prefix="archive-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_any_moment_since_a_base_backup_is_restored(tmp_path, archive):
    data = tmp_path / "data"
    with Serving(data, "--wal-archive", archive) as serving:
        create(serving, SERVICES, service("first", node_port()))
        fairlead("backup", "--data-dir", data, "--wal-archive", archive)
        create(serving, SERVICES, service("second", node_port()))
        url = serving.database_url
        moment = run(url, "SELECT clock_timestamp()").astimezone(UTC)
        third = create(serving, SERVICES, service("third", node_port()))
        segment = run(url, "SELECT pg_walfile_name(pg_switch_wal())")
        until((archive / "wal" / segment).exists, timeout=60)
    restore = ("restore", "--wal-archive", archive, "--encryption-key-file", data / "encryption-keys")
    fairlead(*restore, "--data-dir", tmp_path / "new", "--until", moment.isoformat())
    with Serving(tmp_path / "new") as serving:
        assert {"first", "second"} == items(serving, SERVICES).keys()
        ended = watch_from(serving, third["metadata"]["resourceVersion"])
        assert (ended["type"], ended["object"]["code"]) == ("ERROR", 410)
    early = datetime(2020, 1, 1, tzinfo=UTC).isoformat()
    said = fairlead(*restore, "--data-dir", tmp_path / "no", "--until", early, status=1)
    assert "choose a later moment" in said
    late = datetime(2100, 1, 1, tzinfo=UTC).isoformat()
    said = fairlead(*restore, "--data-dir", tmp_path / "no", "--until", late, status=1)
    assert "recovery ended before configured recovery target was reached" in said
    assert not (tmp_path / "no" / "postgres").exists()


def test_without_a_database_nothing_is_made_up(tmp_path):
    said = fairlead("backup", "--data-dir", tmp_path, "--file", tmp_path / "backup", status=1)
    assert "has no database" in said
    assert [*tmp_path.iterdir()] == []


@pytest.mark.soak
def test_the_stopped_embedded_postgres_is_started_for_a_backup(tmp_path):
    with EmbeddedPostgres(tmp_path / "data") as postgres:
        migrate(postgres.url())
    fairlead("backup", "--data-dir", tmp_path / "data", "--file", tmp_path / "backup")
    assert (tmp_path / "backup").read_bytes().startswith(b"PGDMP")
