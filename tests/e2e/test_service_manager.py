"""How `serve` and a service manager talk: signals to everything at once, and what it tells in return."""

import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.e2e.serving import Serving, all_gone
from tests.e2e.waiting import until

UNITS = sorted(Path("deploy/systemd").glob("*.service"))


def log_of(serving):
    return serving.errors.read_text()


def test_a_signal_to_every_process_at_once_ends_all_cleanly(tmp_path):
    """As systemd does by default (KillMode=control-group, systemd.kill(5))."""
    with Serving(tmp_path / "data") as serving:
        processes = [psutil.Process(serving.process.pid), *serving.descendants()]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert serving.process.wait(60) == 0
        until(lambda: all_gone(processes))
        assert "killed" not in log_of(serving)
        assert "status=" not in log_of(serving), "what ends is not taken for dead, and not started again"


def test_a_second_interrupt_within_a_second_is_the_same(tmp_path):
    with Serving(tmp_path / "data") as serving:
        serving.process.send_signal(signal.SIGINT)
        until(lambda: "stopping" in log_of(serving))
        serving.process.send_signal(signal.SIGINT)
        assert serving.process.wait(60) == 0
        assert "immediately" not in log_of(serving)


def test_a_service_manager_is_told(tmp_path, monkeypatch):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")

        def told_next():
            """The next message that is no sign of life."""
            while (message := manager.recv(4096).decode()) == "WATCHDOG=1":
                pass
            return message.splitlines()

        with Serving(tmp_path / "data") as serving:
            assert told_next() == ["READY=1"]
            assert manager.recv(4096) == b"WATCHDOG=1"
            assert not any("NOTIFY_SOCKET" in child.environ() for child in serving.children("api"))
            serving.process.send_signal(signal.SIGHUP)
            reloading, clock = told_next()
            assert reloading == "RELOADING=1"
            assert clock.startswith("MONOTONIC_USEC=")
            assert told_next() == ["READY=1"]
            serving.process.send_signal(signal.SIGTERM)
            assert told_next() == ["STOPPING=1"]
            assert serving.process.wait(60) == 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_right(unit, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    # Only what is installed can be found there.
    text = unit.read_text().replace("/opt/fairlead/bin/fairlead", "/bin/true")
    copy = tmp_path / unit.name
    copy.write_text(text)
    verdict = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    assert (verdict.returncode, verdict.stderr) == (0, "")
