"""Processes that are started before their database is there."""

import os

import httpx
import pytest

from app.settings.base import ENVIRONMENT_PREFIX
from tests.e2e.ensemble import Api, Worker
from tests.e2e.waiting import until
from tests.ports import free_port

SOCKET = ".s.PGSQL.5432"
WAITING = "waiting for the database"


@pytest.fixture
def processes(tmp_path):
    """One of every kind, whose database is where nothing is yet."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    commands = {
        "reconciler": [],
        "xds": ["--xds-port", "0", "--xds-socket", str(tmp_path / "xds.socket")],
        "dns": ["--dns-port", str(free_port())],
        "api": [],
    }
    started = []
    for name, flags in commands.items():
        log = tmp_path / name / "log"
        log.parent.mkdir()
        own = environment | {f"{ENVIRONMENT_PREFIX}DATABASE_URL": f"postgresql://fairlead@/fairlead?host={log.parent}"}
        started.append(Api(own, log) if name == "api" else Worker([name, *flags], own, log))
    yield started
    for process in started:
        process.close()


def waits(process):
    assert not process.has_ended, process.log.read_text()
    return WAITING in process.log.read_text()


@pytest.mark.usefixtures("database_url")
def test_they_wait_for_it(processes, postgres):
    absent = list(processes)

    def appears_for_those_who_wait():
        for process in [each for each in absent if waits(each)]:
            (process.log.parent / SOCKET).symlink_to(postgres.socket_dir / SOCKET)
            absent.remove(process)
        return not absent

    until(appears_for_those_who_wait, timeout=60)
    for process in processes:
        until(process.is_ready, timeout=60)
    reply = httpx.get(f"{processes[-1].url}/api/v1/services", timeout=30)
    assert reply.json()["items"][0]["metadata"]["name"] == "kubernetes"


def test_they_end_in_order_when_they_are_told_to_meanwhile(processes):
    running = list(processes)

    def end_if_they_wait():
        for process in [each for each in running if waits(each)]:
            assert process.stop() == 0, process.log.read_text()
            running.remove(process)
        return not running

    until(end_if_they_wait, timeout=60)
