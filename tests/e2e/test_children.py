import math
import os
import signal
import socket
import subprocess
import sys
from functools import partial

import psutil
import pytest
import yaml

from app.commands import reconciler
from app.settings.processes import ReconcilerSettings
from app.supervisor.child import Child
from app.supervisor.children import spawn
from app.supervisor.errors import CannotListenError
from app.supervisor.kubeconfig import write_kubeconfig
from app.supervisor.listening import inherit, reserve, share, url
from tests.e2e.waiting import until


def test_a_child_dies_with_its_parent():
    program = (
        "import os, signal; from app.supervisor.children import spawn;"
        "print(spawn(['sleep', '600']).pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    parent = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    child = int(parent.stdout)
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def test_a_reconciler_whose_health_port_is_taken_names_the_setting():
    with reserve("127.0.0.1", 0) as taken:
        taken.listen()
        settings = ReconcilerSettings(database_url="postgresql://nobody@/none", health_port=taken.getsockname()[1])
        with pytest.raises(CannotListenError, match="choose another --health-port"):
            reconciler.run(settings)


def test_a_descriptor_that_is_no_socket_is_refused_by_its_number(tmp_path):
    with (
        (tmp_path / "file").open("wb") as file,
        pytest.raises(CannotListenError, match=f"descriptor {file.fileno()}: .*"),
    ):
        inherit(file.fileno())


def test_a_child_has_a_process_group_of_its_own_and_blocks_no_signal():
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        child = spawn(["sleep", "600"])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    assert os.getpgid(child.pid) == child.pid
    child.terminate()
    assert child.wait(10) == -signal.SIGTERM


def test_what_ends_is_started_again_ever_more_slowly():
    starts = []

    def start():
        starts.append(spawn(["true"]))
        return starts[-1]

    ended = []
    child = Child("short", start, ended.append)
    child.start()
    assert child.restarts_in == math.inf
    delays = [child._delay]
    while len(starts) < 4:
        until(lambda: (child.restart_if_ended(), child._delay > delays[-1])[1])
        delays.append(child._delay)
        assert 0 <= child.restarts_in <= child._delay
        until(lambda: (child.restart_if_ended(), len(starts) == len(delays))[1])
    assert delays == sorted(set(delays))
    assert ended == [process.pid for process in starts[: len(ended)]]
    starts[-1].wait()


def test_what_did_its_work_for_a_while_is_back_at_once_however_often_it_ended():
    child = Child("killed", partial(spawn, ["sleep", "600"]))
    child.start()
    child._delay, child._started_at = 5.0, child._started_at - 11
    child.send_signal(signal.SIGKILL)
    until(child.has_ended)
    child.restart_if_ended()
    assert child._delay == 10.0
    assert child.restarts_in <= 0.1
    until(lambda: (child.restart_if_ended(), not child.has_ended())[1])
    child.send_signal(signal.SIGKILL)
    until(child.has_ended)


def test_a_program_that_cannot_be_started_is_tried_again(tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    child = Child("moved", partial(spawn, [program]))
    child.start()
    hidden = program.rename(tmp_path / "hidden")
    child.send_signal(signal.SIGKILL)
    until(child.has_ended)
    child.restart_if_ended()
    until(lambda: (child.restart_if_ended(), child._delay > 0.3)[1])
    assert child.has_ended()
    hidden.rename(program)
    until(lambda: (child.restart_if_ended(), not child.has_ended())[1])
    child.send_signal(signal.SIGKILL)
    until(child.has_ended)


def test_processes_of_one_server_share_a_port_and_nobody_else_gets_it():
    with reserve("127.0.0.1", 0) as reserved:
        port = reserved.getsockname()[1]
        with share(reserved) as one, share(reserved) as other:
            for listener in (one, other):
                listener.listen()
            with pytest.raises(
                CannotListenError, match=f"127.0.0.1 port {port}: Address already in use.*another --port"
            ):
                reserve("127.0.0.1", port)
        with pytest.raises(ConnectionRefusedError):  # what was reserved does not listen
            socket.create_connection(("127.0.0.1", port))
    reserve("127.0.0.1", port).close()


def test_connections_go_to_those_who_listen():
    with reserve("127.0.0.1", 0) as reserved, share(reserved) as one:
        with share(reserved) as ended:
            ended.listen()
        one.listen()
        for _ in range(20):
            with socket.create_connection(reserved.getsockname()), one.accept()[0]:
                pass


def test_an_address_of_another_machine_cannot_be_listened_on():
    with pytest.raises(CannotListenError, match=r"192\.0\.2\.1 port 8080: Cannot assign"):
        reserve("192.0.2.1", 8080)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104
        ("::1", "http://[::1]:80"),
        ("::", "http://[::1]:80"),
    ],
)
def test_where_an_address_is_reached(host, said):
    assert url(host, 80) == said


def test_a_kubeconfig_replaces_the_last_one_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text("old")
    path.chmod(0o644)
    write_kubeconfig(path, "http://127.0.0.1:8080", {"token": "secret"}, None)
    config = yaml.safe_load(path.read_text())
    assert config["users"] == [{"name": "fairlead", "user": {"token": "secret"}}]
    assert config["current-context"] == "fairlead"
    assert path.stat().st_mode & 0o777 == 0o600
    write_kubeconfig(path, "http://127.0.0.1:8080", {}, None)
    assert yaml.safe_load(path.read_text())["users"] == [{"name": "fairlead", "user": {}}]
