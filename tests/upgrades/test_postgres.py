"""`fairlead upgrade-postgres`: everything is there afterwards, and whenever it is ended one whole database is."""

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from app.backups.errors import BackupError
from app.store.migrating import migrate
from app.supervisor.binaries import POSTGRES_MAJOR, binaries, unprivileged_user
from app.supervisor.children import spawn
from app.supervisor.cluster_version import major_of
from app.supervisor.errors import BinariesMissingError, OtherPostgresError
from app.supervisor.postgres import EmbeddedPostgres
from app.upgrades import postgres as upgrading
from app.upgrades.postgres import upgrade
from tests.backups.test_backups import SERVICES, create, fairlead, items
from tests.e2e.bodies import load_balancer, node_port, service
from tests.e2e.serving import Serving

OLD = 16
DEBIANS = Path("/usr/lib/postgresql/15/bin")


def make_cluster(data_dir, programs):
    """A cluster as an older version would have made it."""
    cluster = data_dir / "postgres"
    user = unprivileged_user(cluster)
    cluster.mkdir(mode=0o700, parents=True)
    if user is not None:
        os.chown(cluster, *user)

    def run(*command, given=""):
        process = spawn(command, user=user, cwd=cluster, stdin=subprocess.PIPE, output=subprocess.PIPE)
        said, _ = process.communicate(given.encode())
        assert process.returncode == 0, said

    locale = ("--encoding", "UTF8", "--locale", "C")
    run(programs / "initdb", "-D", "/proc/self/cwd", "--username", "fairlead", "--auth", "peer", *locale)
    run(programs / "postgres", "--single", "-D", "/proc/self/cwd", "postgres", given="CREATE DATABASE fairlead")


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A data directory with an older Postgres, and what clients saw there: Services, and an event later than they."""
    directory = tmp_path_factory.mktemp("before")
    programs = binaries(unprivileged_user(directory / "none"), OLD)
    make_cluster(directory / "data", programs)
    with (
        EmbeddedPostgres(directory / "data", programs=programs) as postgres,
        Serving(directory / "serve", "--database-url", postgres.url()) as serving,
    ):
        create(serving, SERVICES, service("web", node_port()))
        seen = create(serving, SERVICES, service("front", load_balancer()))
        create(serving, SERVICES, service("later", node_port()))
        found = items(serving, SERVICES)
    return directory / "data", found, seen["metadata"]["resourceVersion"]


def start(data_dir):
    with EmbeddedPostgres(data_dir):
        pass


@pytest.fixture
def data_dir(before, tmp_path):
    """A copy of it."""
    subprocess.run(["cp", "-a", before[0], tmp_path / "data"], check=True)
    return tmp_path / "data"


def test_everything_is_there_and_watches_go_on(before, data_dir):
    _, found, revision = before
    said = fairlead("serve", "--data-dir", data_dir, status=1)
    assert f"is of Postgres {OLD}, and this version runs Postgres {POSTGRES_MAJOR}: run `fairlead upgrade-post" in said
    assert f"is of Postgres {OLD}" in fairlead("doctor", "--data-dir", data_dir, status=1)
    said = fairlead("upgrade-postgres", "--data-dir", data_dir)
    for told in ("step 1 of 3", "step 2 of 3", "comparing", "step 3 of 3", "upgraded; start `serve`"):
        assert told in said
    assert major_of(data_dir / "postgres") == POSTGRES_MAJOR
    assert major_of(data_dir / f"postgres-{OLD}") == OLD
    with Serving(data_dir) as serving:
        assert items(serving, SERVICES) == found
        event = first_event(serving, revision)
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "later")
        assert httpx.post(f"{serving.url}{SERVICES}", json=service("web", node_port())).status_code == 409
        create(serving, SERVICES, service("after", node_port()))
        refused = fairlead("upgrade-postgres", "--data-dir", data_dir, status=1)
        assert "already in use by process" in refused
    assert "nothing to upgrade" in fairlead("upgrade-postgres", "--data-dir", data_dir)
    # The backup is one like any other.
    fairlead("restore", "--file", data_dir / f"postgres-{OLD}.backup", "--data-dir", data_dir.with_name("restored"))


def first_event(serving, revision):
    """What a client gets first that watches on from a revision of before."""
    query = f"watch=true&resourceVersion={revision}&timeoutSeconds=1"
    return json.loads(httpx.get(f"{serving.url}{SERVICES}?{query}", timeout=30).text.splitlines()[0])


@pytest.mark.parametrize("moment", ["step 1 of 3", "step 2 of 3", "comparing"])
def test_a_kill_leaves_the_old_database_and_another_attempt_succeeds(data_dir, moment):
    command = [sys.executable, "-m", "app.cli", "upgrade-postgres", "--data-dir", data_dir]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        while moment not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGKILL)
    assert major_of(data_dir / "postgres") == OLD
    with pytest.raises(OtherPostgresError, match="upgrade-postgres"):
        start(data_dir)
    done = upgrade(data_dir, None, (), None)
    assert (done.before, done.now) == (OLD, POSTGRES_MAJOR)
    with EmbeddedPostgres(data_dir) as postgres:
        assert not migrate(postgres.url()).steps


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_an_end_in_the_last_step_is_settled_by_another_attempt(data_dir, monkeypatch, renames):
    """Ended before the first rename, between both, and before the new cluster's first directory is removed."""
    real, done = Path.rename, []

    def rename(path, target):
        ours = path.name == "postgres" and path.parent.name in {"data", "upgrading"} and "data" in str(target)
        if ours and (path.parent / "complete").exists() | (data_dir / "upgrading" / "complete").exists():
            if len(done) == renames:
                raise KeyboardInterrupt
            done.append(path)
        return real(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        if renames == 2:
            patched.setattr(upgrading.shutil, "rmtree", interrupted_when(lambda: len(done) == 2))
        with pytest.raises(KeyboardInterrupt):
            upgrade(data_dir, None, (), None)
    if renames == 2:
        start(data_dir)
    else:
        with pytest.raises(OtherPostgresError, match="run `fairlead upgrade-postgres`"):
            start(data_dir)
    upgrade(data_dir, None, (), None)
    assert major_of(data_dir / "postgres") == POSTGRES_MAJOR
    assert major_of(data_dir / f"postgres-{OLD}") == OLD
    assert not (data_dir / "upgrading").exists()
    with EmbeddedPostgres(data_dir) as postgres:
        assert not migrate(postgres.url()).steps


def interrupted_when(condition):
    real = shutil.rmtree

    def rmtree(*arguments, **options):
        if condition():
            raise KeyboardInterrupt
        real(*arguments, **options)

    return rmtree


def test_a_difference_leaves_the_old_database(data_dir, monkeypatch):
    monkeypatch.setattr(upgrading.Contents, "differences", lambda *_: ["public.objects"])
    with pytest.raises(BackupError, match=r"not what the old one is: public\.objects differ"):
        upgrade(data_dir, None, (), None)
    assert major_of(data_dir / "postgres") == OLD


def test_a_disk_without_room_is_told_before_anything_is_done(data_dir, monkeypatch):
    monkeypatch.setattr(upgrading, "_SPARE_BYTES", 2**60)
    with pytest.raises(BackupError, match="MiB are needed"):
        upgrade(data_dir, None, (), None)
    assert not list(data_dir.glob("*.backup"))


def test_programs_of_another_version_are_refused(data_dir, tmp_path):
    user = unprivileged_user(data_dir / "postgres")
    with pytest.raises(BinariesMissingError, match=f"programs of Postgres {OLD}, and has postgres .PostgreSQL. 18"):
        upgrade(data_dir, None, (), binaries(user, POSTGRES_MAJOR))
    with pytest.raises(BinariesMissingError, match="and has nothing that runs"):
        upgrade(data_dir, None, (), tmp_path)


@pytest.mark.skipif(not DEBIANS.exists(), reason="needs the Debian package postgresql-15")
def test_programs_that_the_package_lacks_are_named(tmp_path):
    # The initdb of Postgres 15 has to reach its directory from above.
    with TemporaryDirectory(prefix="fairlead-15-") as directory:
        Path(directory).chmod(0o711)
        data_dir = Path(directory) / "data"
        make_cluster(data_dir, DEBIANS)
        with EmbeddedPostgres(data_dir, programs=DEBIANS) as postgres:
            migrate(postgres.url())
        said = fairlead("upgrade-postgres", "--data-dir", data_dir, status=1)
        assert "has no Postgres 15: name a directory that has with --old-programs" in said
        backup = tmp_path / "elsewhere.backup"
        fairlead("upgrade-postgres", "--data-dir", data_dir, "--old-programs", DEBIANS, "--file", backup)
        assert backup.exists()
        assert major_of(data_dir / "postgres") == POSTGRES_MAJOR


def test_a_newer_database_is_left_alone(data_dir):
    (data_dir / "postgres" / "PG_VERSION").write_text("99\n")
    for begin in (partial(start, data_dir), partial(upgrade, data_dir, None, (), None)):
        with pytest.raises(OtherPostgresError, match="use the newer version of Fairlead"):
            begin()


def test_a_directory_without_a_database_is_told(tmp_path):
    assert "has no database" in fairlead("upgrade-postgres", "--data-dir", tmp_path, status=1)
