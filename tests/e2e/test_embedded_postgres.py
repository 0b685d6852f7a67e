import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.supervisor import binaries
from app.supervisor.errors import DataDirectoryUnusableError, PostgresFailedError, PrivateDirectoryUnusableError
from app.supervisor.postgres import EmbeddedPostgres
from tests.e2e.waiting import until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another user")


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


async def query(postgres, statement):
    connection = await asyncpg.connect(postgres.url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def processes_of(data_dir):
    return [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "postgres" and process.info["cwd"] == str(data_dir / "postgres")
    ]


async def test_what_was_stored_is_there_after_a_stop_and_after_a_crash(data_dir):
    with EmbeddedPostgres(data_dir) as postgres:
        await query(postgres, "CREATE TABLE kept AS SELECT 1 AS number")
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            assert await query(postgres, f"SHOW {setting}") == "on"
    assert processes_of(data_dir) == []
    with EmbeddedPostgres(data_dir) as postgres:
        await query(postgres, "INSERT INTO kept VALUES (2)")
        os.kill(postgres.pid, signal.SIGKILL)
        postgres.start()
        assert await query(postgres, "SELECT sum(number) FROM kept") == 3
    assert not postgres.socket_dir.exists()


def test_a_directory_in_use_is_refused_with_its_owner(data_dir):
    with EmbeddedPostgres(data_dir) as postgres:
        other = EmbeddedPostgres(data_dir)
        with pytest.raises(DataDirectoryUnusableError, match=rf"in use by process {os.getpid()}.*--data-dir"):
            other.start()
        other.stop()
        assert postgres.socket_dir.exists()
    with EmbeddedPostgres(data_dir):
        pass


def test_a_directory_that_cannot_be_written_is_refused():
    with pytest.raises(DataDirectoryUnusableError, match="/proc/data cannot be used"):
        EmbeddedPostgres(Path("/proc/data")).start()


def test_only_the_owner_gets_in(data_dir):
    with EmbeddedPostgres(data_dir) as postgres:
        assert stat.S_IMODE(postgres.socket_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        assert (postgres.socket_dir / ".s.PGSQL.5432").is_socket()
        assert len(str(postgres.socket_dir / ".s.PGSQL.5432")) < 100
        listening = [c for p in processes_of(data_dir) for c in p.net_connections("inet")]
        assert listening == []


@as_root
def test_it_runs_as_an_unprivileged_user_who_cannot_reach_the_directory(data_dir):
    nobody = pwd.getpwnam("nobody").pw_uid
    with EmbeddedPostgres(data_dir) as postgres:
        assert psutil.Process(postgres.pid).uids().real == nobody
        assert data_dir.stat().st_uid == 0
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


@as_root
def test_programs_out_of_reach_are_copied_once(data_dir, tmp_path, monkeypatch):
    installed = Path(binaries.binaries(None)).parents[1]
    site = tmp_path / "site"
    site.mkdir(mode=0o700)
    (site / installed.name).symlink_to(installed)
    (site / f"{installed.name}.libs").symlink_to(installed.with_name(f"{installed.name}.libs"))
    monkeypatch.syspath_prepend(site)
    with tempfile.TemporaryDirectory() as cache:
        Path(cache).chmod(0o755)
        monkeypatch.setattr(binaries, "_CACHE", Path(cache) / "fairlead")
        with EmbeddedPostgres(data_dir) as postgres:
            assert psutil.Process(postgres.pid).exe().startswith(cache)
            (copy,) = (Path(cache) / "fairlead").iterdir()
            made = copy.stat().st_ctime_ns
        user = binaries.unprivileged_user(data_dir / "postgres")
        assert binaries.binaries(user).is_relative_to(copy)
        assert copy.stat().st_ctime_ns == made


async def test_a_start_after_a_kill_ends_what_the_killed_one_left(data_dir):
    with EmbeddedPostgres(data_dir) as postgres:
        connection = await asyncpg.connect(postgres.url())
        backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
        backend.suspend()  # so it cannot notice that the postmaster is gone, and keeps its shared memory
        os.kill(postgres.pid, signal.SIGKILL)
        postgres.start()
        assert await query(postgres, "SELECT 1") == 1
        assert not backend.is_running() or backend.status() == psutil.STATUS_ZOMBIE
        connection.terminate()


def test_a_lock_file_that_names_somebody_elses_process_does_not_stop_it(data_dir):
    with EmbeddedPostgres(data_dir):
        lines = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
    lock = data_dir / "postgres" / "postmaster.pid"
    owner = (data_dir / "postgres").stat()
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    os.chown(lock, owner.st_uid, owner.st_gid)
    with EmbeddedPostgres(data_dir) as postgres:
        assert postgres.pid != os.getpid()


def test_a_cluster_half_made_is_made_anew(data_dir):
    (data_dir / "postgres.unfinished" / "base").mkdir(parents=True)
    with EmbeddedPostgres(data_dir):
        assert not (data_dir / "postgres.unfinished").exists()


def test_a_socket_directory_of_somebody_else_is_refused(data_dir):
    postgres = EmbeddedPostgres(data_dir)
    postgres.socket_dir.mkdir(mode=0o777)
    postgres.socket_dir.chmod(0o777)
    try:
        with pytest.raises(PrivateDirectoryUnusableError, match="not a directory that only one user can use"):
            postgres.start()
    finally:
        postgres.stop()
        shutil.rmtree(postgres.socket_dir)


def test_a_failed_start_tells_what_postgres_said(data_dir):
    with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "postgres" / "postgresql.auto.conf").write_text("shared_buffers = nonsense\n")
    postgres = EmbeddedPostgres(data_dir)
    with pytest.raises(PostgresFailedError, match='invalid value for parameter "shared_buffers"'):
        postgres.start()
    postgres.stop()


async def test_its_log_stays_within_bounds(data_dir):
    with EmbeddedPostgres(data_dir) as postgres:
        log = data_dir / "postgres.log"
        with log.open("ab") as file:
            file.truncate(9 * 1024 * 1024)
        postgres.rotate_log()
        assert log.stat().st_size == 0
        assert (data_dir / "postgres.log.1").stat().st_size == 9 * 1024 * 1024
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await query(postgres, "nonsense")
        until(lambda: "nonsense" in log.read_text())
        assert log.stat().st_size < 10_000


def test_it_dies_with_its_parent(data_dir):
    program = (
        "import os, signal, sys; from pathlib import Path; from app.supervisor.postgres import EmbeddedPostgres;"
        "EmbeddedPostgres(Path(sys.argv[1])).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    parent = subprocess.run([sys.executable, "-c", program, data_dir], check=False)
    assert parent.returncode == -signal.SIGKILL
    until(lambda: processes_of(data_dir) == [])
    with EmbeddedPostgres(data_dir):
        pass
