"""Each process says where it is listening, when it is ready, and when it is stopping."""

import pytest

from tests.e2e.waiting import until
from tests.observation.processes import Processes

STEPS = ("listening", "ready", "stopping")


@pytest.fixture(scope="module")
def processes(own_database, tmp_path_factory):
    with Processes(own_database, tmp_path_factory.mktemp("lifecycle")) as running:
        yield running


def steps(processes, command):
    return [line for line in processes.lines(command) if line["event"] in STEPS]


@pytest.mark.parametrize("command", ["dns", "xds", "api", "reconciler"])
def test_the_steps_of_its_life(processes, command):
    until(lambda: steps(processes, command)[-1:] and steps(processes, command)[-1]["event"] == "ready")
    *listening, _ready = steps(processes, command)
    assert {line["event"] for line in listening} == {"listening"}
    assert {line["port"] for line in listening} == set(processes.ports[command].values())
    assert {line["address"] for line in listening} == {"127.0.0.1"}
    processes.by_command[command].stop()
    assert [line["event"] for line in steps(processes, command)[-2:]] == ["ready", "stopping"]
    assert {line["process"] for line in steps(processes, command)} == {command}


def test_serve_tells_people_itself_and_keeps_these_lines_for_debugging(product):
    assert "ready at" in product.said
    assert "listening" not in product.errors.read_text()
