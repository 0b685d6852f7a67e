"""How far long work has come is told."""

import io

from structlog.testing import capture_logs

from app.backups import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def pieces(clock, seconds):
    for _ in range(4):
        clock.now += seconds
        yield b"x" * 2**20


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


def test_a_line_is_written_again_at_a_terminal(monkeypatch):
    clock, terminal = Clock(), Terminal()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr("sys.stderr", terminal)
    assert b"".join(progress.told(pieces(clock, 1), 4 * 2**20, "restoring")) == b"x" * 4 * 2**20
    lines = terminal.getvalue().split("\r")[1:]
    assert [line.partition("] ")[2] for line in lines[:3]] == [f"{done} % of 4 MiB" for done in (25, 50, 75)]
    assert "the last steps" in lines[-1]


def test_the_log_has_a_line_now_and_then(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with capture_logs() as logged:
        list(progress.told(pieces(clock, 6), 4 * 2**20, "restoring"))
    assert [(line["event"], line["percent"]) for line in logged] == [("restoring", 50), ("restoring", 99)]


def test_work_of_a_size_that_nobody_knows_is_told_in_mebibytes(monkeypatch):
    clock, terminal = Clock(), Terminal()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr("sys.stderr", terminal)
    list(progress.told(pieces(clock, 1), None, "backing up"))
    assert terminal.getvalue().split("\r")[1:4] == [f"backing up: {done} MiB" for done in (1, 2, 3)]
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with capture_logs() as logged:
        list(progress.told(pieces(clock, 6), None, "backing up"))
    assert [(line["event"], line["mib"]) for line in logged] == [("backing up", 2), ("backing up", 4)]
