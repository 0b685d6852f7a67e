import os
import signal

import pytest
from structlog.testing import capture_logs

from app import reloading
from app.credentials.secret_files import others_can_read, refuse_if_writable
from app.reloading import Reloads, Source, Terminal


@pytest.fixture
def logged(monkeypatch):
    monkeypatch.setattr(reloading, "_log", reloading.structlog.get_logger())
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def source(tmp_path):
    """A source of a number in a file, and what was read of it."""
    path, found = tmp_path / "number", []
    path.write_text("1")
    return Source("number", (path,), lambda: found.append(int(path.read_text()))), found


def test_what_changed_is_read_again_and_what_cannot_be_read_is_left(source, logged):
    number, found = source
    path = number.paths[0]
    reloads = Reloads(number)
    for _ in range(3):
        reloads.check()
    assert found == [1]
    assert logged == []
    path.write_text("22")
    for _ in range(3):
        reloads.check()
    assert found == [1, 22]
    path.write_text("none")
    for _ in range(3):
        reloads.check()
    path.unlink()
    for _ in range(3):
        reloads.check()
    assert found == [1, 22]
    path.write_text("333")
    reloads.check()
    assert found == [1, 22, 333]
    assert [(line["log_level"], line["source"]) for line in logged] == [
        ("info", "number"),
        ("error", "number"),
        ("error", "number"),
        ("info", "number"),
    ]


def test_a_file_that_is_replaced_by_another_is_read_again(source, tmp_path):
    number, found = source
    reloads = Reloads(number)
    reloads.check()
    other = tmp_path / "other"
    other.write_text("2")
    os.utime(other, ns=(number.paths[0].stat().st_mtime_ns,) * 2)
    other.replace(number.paths[0])
    reloads.check()
    assert found == [1, 2]


def test_everything_is_read_when_it_is_told_to(source):
    number, found = source
    reloads = Reloads(number)
    reloads.everything()
    reloads.everything()
    assert found == [1, 1]


def test_a_pipe_is_read_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reloads = Reloads(Source("pipe", (tmp_path / "pipe",), lambda: pytest.fail("it would wait for ever")))
    reloads.check()
    reloads.everything()


@pytest.mark.parametrize(
    ("mode", "readable", "writable"),
    [(0o600, False, False), (0o400, False, False), (0o640, True, False), (0o604, True, False), (0o620, False, True)],
)
def test_what_others_may_do_with_a_file_of_secrets(tmp_path, mode, readable, writable):
    path = tmp_path / "secrets"
    path.touch()
    path.chmod(mode)
    assert others_can_read(path) == readable
    if writable:
        with pytest.raises(ValueError, match="chmod go-w"):
            refuse_if_writable(path)
    else:
        refuse_if_writable(path)


def test_a_pipe_has_no_permissions_to_speak_of(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o666)
    refuse_if_writable(tmp_path / "pipe")
    assert not others_can_read(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("started_by", "at_the_start", "later", "gone"),
    [
        (signal.SIG_DFL, True, False, True),
        (signal.SIG_DFL, True, True, False),
        (signal.SIG_DFL, False, False, False),
        (signal.SIG_IGN, True, False, False),
    ],
    ids=["closed", "open", "no terminal", "nohup"],
)
def test_whether_the_terminal_is_gone(monkeypatch, started_by, at_the_start, later, gone):
    monkeypatch.setattr(signal, "getsignal", lambda _: started_by)
    monkeypatch.setattr(reloading, "_has_terminal", lambda: at_the_start)
    terminal = Terminal()
    monkeypatch.setattr(reloading, "_has_terminal", lambda: later)
    assert terminal.is_gone() == gone
