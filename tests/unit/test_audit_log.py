"""The audit log on a disk: appended to by several processes, rotated by any, kept when the disk is full."""

import asyncio
import os
import select
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from app.audit.log import AuditLog
from app.audit.log_file import LogFile, Rotation, StandardOutput

LINE = b'{"line":1}\n'


class FullDisk:
    """A file on a disk with room for so many bytes."""

    def __init__(self, room):
        self.room = room
        self.content = b""

    place = "memory"

    def tail(self, most):
        return self.content[-most:]

    def append(self, lines):
        fitting = lines[: self.room]
        if not fitting:
            raise OSError(28, "No space left on device")
        self.content += fitting
        self.room -= len(fitting)
        return len(fitting)

    def close(self):
        pass


class SlowDisk(FullDisk):
    """A disk that writes when it is told to."""

    def __init__(self, room):
        super().__init__(room)
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def append(self, lines):
        self.begun.set()
        self.may_go_on.wait(60)
        return super().append(lines)


def files(path):
    return sorted(each for each in path.parent.iterdir() if each.suffix == ".log")


def test_lines_are_appended_and_only_the_owner_reads_them(tmp_path):
    path = tmp_path / "audit.log"
    log = AuditLog(LogFile(path, Rotation()))
    log.write(LINE)
    log.write(LINE)
    assert path.read_bytes() == LINE * 2
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_file_begins_and_the_oldest_go(tmp_path):
    path = tmp_path / "audit.log"
    log = AuditLog(LogFile(path, Rotation(max_bytes=len(LINE) * 2, max_backups=2)))
    for _ in range(9):
        log.write(LINE)
    assert [each.read_bytes() for each in files(path)] == [LINE * 2, LINE * 2, LINE]
    assert path.read_bytes() == LINE


def test_former_files_go_when_they_are_old(tmp_path):
    path = tmp_path / "audit.log"
    file = LogFile(path, Rotation(max_bytes=1, max_age=timedelta(days=1)))
    file.append(LINE)
    (former,) = files(path)
    os.utime(former, (0, 0))
    file.append(LINE)
    assert len(files(path)) == 1
    assert former not in files(path)


def test_a_file_that_logrotate_moved_is_left_and_another_begins(tmp_path):
    clock = [0.0]
    path = tmp_path / "audit.log"
    file = LogFile(path, Rotation(), lambda: clock[0])
    file.append(LINE)
    path.rename(tmp_path / "moved.log")
    clock[0] += 2
    file.append(LINE)
    assert path.read_bytes() == LINE


_WRITER = """
import sys
from pathlib import Path
from app.audit.log_file import LogFile, Rotation, StandardOutput
file = LogFile(Path(sys.argv[1]), Rotation(max_bytes=20_000))
for number in range(500):
    line = f"{sys.argv[2]} {number} ".encode() + b"x" * 100 + b"\\n"
    assert file.append(line) == len(line)
"""


def test_processes_that_write_and_rotate_at_once_lose_no_line(tmp_path):
    path = tmp_path / "audit.log"
    command = [sys.executable, "-c", _WRITER, str(path)]
    writers = [subprocess.Popen([*command, str(number)], cwd=Path.cwd()) for number in range(3)]
    assert [each.wait() for each in writers] == [0, 0, 0]
    lines = [line for each in files(path) for line in each.read_text().splitlines()]
    assert len(files(path)) > 5
    assert sorted(lines) == sorted(f"{writer} {number} {'x' * 100}" for writer in range(3) for number in range(500))


@pytest.mark.parametrize("mode", ["blocking", "blocking-strict"])
def test_what_a_full_disk_did_not_take_is_written_when_there_is_room(mode):
    disk = FullDisk(len(LINE) + 4)
    log = AuditLog(disk, mode)
    for number in range(4):
        log.write(b'{"line":%d}\n' % number)
    assert log.accepts() is (mode == "blocking")
    disk.room = 1000
    log.write(b'{"line":4}\n')
    assert log.accepts()
    *whole, broken = disk.content.split(b"\n", 2)[:1], disk.content.split(b"\n")[1]
    assert broken == b'{"li'
    assert [line for line in disk.content.splitlines() if line.endswith(b"}")] == [
        b'{"line":%d}' % number for number in range(5)
    ]
    assert whole


def test_lines_beyond_what_is_kept_are_dropped():
    disk = FullDisk(0)
    log = AuditLog(disk, "blocking-strict", buffered_bytes=len(LINE) * 3)
    for _ in range(10):
        log.write(LINE)
    disk.room = 1000
    assert log.accepts()
    assert disk.content == LINE * 3


async def test_batches_are_written_apart_and_what_is_left_at_the_end(tmp_path):
    path = tmp_path / "audit.log"
    log = AuditLog(LogFile(path, Rotation()), "batch")
    running = asyncio.create_task(log.run())
    log.write(LINE)
    async with asyncio.timeout(60):
        while not path.exists() or path.read_bytes() != LINE:
            await asyncio.sleep(0.01)
    log.write(LINE)
    running.cancel()
    await asyncio.wait([running])
    assert path.read_bytes() == LINE * 2


async def test_what_is_being_written_at_the_end_is_not_written_again():
    disk = SlowDisk(1000)
    log = AuditLog(disk, "batch")
    running = asyncio.create_task(log.run())
    log.write(LINE)
    await asyncio.to_thread(disk.begun.wait)
    running.cancel()
    await asyncio.sleep(0)
    disk.may_go_on.set()
    await asyncio.wait([running])
    assert disk.content == LINE


async def test_what_could_not_be_written_is_tried_again_without_a_request():
    disk = FullDisk(0)
    log = AuditLog(disk)
    running = asyncio.create_task(log.run())
    await asyncio.sleep(0)  # it waits for lines now
    log.write(LINE)
    disk.room = 1000
    async with asyncio.timeout(60):
        while disk.content != LINE:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])


class Sent:
    """A connection that keeps what is sent, with what the disk had then."""

    def __init__(self, disk):
        self._disk = disk
        self.sent = []
        self.closing = False

    def is_closing(self):
        return self.closing

    def write(self, answer):
        self.sent.append((answer, self._disk.content))


async def test_lines_of_one_turn_are_one_write_and_answers_leave_after_it():
    disk = FullDisk(1000)
    writes = []
    append = disk.append
    disk.append = lambda lines: writes.append(lines) or append(lines)
    log = AuditLog(disk)
    first, second, gone = Sent(disk), Sent(disk), Sent(disk)
    for connection in (first, second, gone):
        log.gather(LINE)
        log.send(connection, b"head")
        log.send(connection, b"body")
    gone.closing = True
    assert (writes, first.sent) == ([], [])
    await asyncio.sleep(0)
    assert writes == [LINE * 3]
    assert first.sent == second.sent == [(b"headbody", LINE * 3)]
    assert gone.sent == []
    log.send(first, b"more")
    assert first.sent[-1] == (b"more", LINE * 3)


async def test_lines_keep_their_order_whether_they_are_gathered_or_not():
    disk = FullDisk(1000)
    log = AuditLog(disk)
    log.gather(b"1\n")
    log.write(b"2\n")
    log.gather(b"3\n")
    log.release()
    assert disk.content == b"1\n2\n3\n"


async def test_gathered_lines_that_a_full_disk_did_not_take_are_kept():
    disk = FullDisk(0)
    log = AuditLog(disk, "blocking-strict")
    connection = Sent(disk)
    log.gather(LINE)
    log.send(connection, b"answer")
    await asyncio.sleep(0)
    assert connection.sent == [(b"answer", b"")]
    assert not log.accepts()
    disk.room = 1000
    log.gather(LINE)
    log.release()
    assert disk.content == LINE * 2
    assert log.accepts()


def test_a_pipe_takes_whole_lines_in_pieces_that_do_not_mix(monkeypatch):
    writes = []
    monkeypatch.setattr(os, "write", lambda _, piece: writes.append(piece) or len(piece))
    lines = [b"%d" % number * 700 + b"\n" for number in range(9)]
    lines.insert(3, b"x" * 9000 + b"\n")
    assert StandardOutput().append(b"".join(lines)) == sum(map(len, lines))
    assert b"".join(writes) == b"".join(lines)
    assert all(piece.endswith(b"\n") for piece in writes)
    assert [len(piece) for piece in writes if len(piece) > select.PIPE_BUF] == [9001]


def test_a_pipe_that_takes_a_part_says_so(monkeypatch):
    answers = iter([4096, OSError(11, "try again")])

    def write(_, piece):
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return min(answer, len(piece))

    monkeypatch.setattr(os, "write", write)
    assert StandardOutput().append((b"x" * 2047 + b"\n") * 4) == 4096
